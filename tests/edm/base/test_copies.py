"""What is copied to a device leaves it when it is not used any more, by bytes, the least recently used first."""

import gc

import pytest
import torch

from edm.base.copies import COPIES, Copies
from edm.preconditioning import EDM, Denoiser
from edm.sampling.denoisers import on
from tests import pretended
from tests.problems import smooth_mixture

THERE = torch.device("meta")


class Owner:
    pass


def owners(count):
    return [Owner() for _ in range(count)]


def kept(copies, owner, size=10, state=0):
    """Whether a copy of it is there; afterwards there is."""
    made = []
    copies.of(owner, THERE, state, size, lambda: made.append(1) or object())
    return not made


def test_those_used_last_stay_within_their_share():
    copies = Copies(lambda device: 70, share=0.25)  # 70 and 30 that they take: 25 of them
    first, second, third = owners(3)
    assert [kept(copies, one) for one in (first, second, first)] == [False, False, True]
    assert not kept(copies, third) and copies.bytes(THERE) == 20
    assert kept(copies, first) and kept(copies, third) and not kept(copies, second)


def test_the_one_in_use_stays_whatever_it_takes():
    copies = Copies(lambda device: 0)
    small, large = owners(2)
    kept(copies, small), kept(copies, large, 10**9)
    assert kept(copies, large, 10**9) and copies.bytes(THERE) == 10**9 and not kept(copies, small)


def test_a_copy_of_another_state_is_made_anew_and_one_without_an_owner_is_gone():
    copies = Copies()
    (one,) = owners(1)
    kept(copies, one)
    assert not kept(copies, one, state=1) and kept(copies, one, state=1) and copies.bytes(THERE) == 10
    del one
    gc.collect()
    assert copies.bytes(THERE) == 0


def test_where_memory_is_short_the_others_go_first():
    copies = Copies()
    other, one = owners(2)
    kept(copies, other)

    def made():
        if copies.bytes(THERE):
            raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return "made"

    assert copies.of(one, THERE, None, 5, made) == "made" and copies.bytes(THERE) == 5
    with pytest.raises(ZeroDivisionError):
        copies.of(other, THERE, None, 5, lambda: 1 / 0)


def test_networks_and_exact_denoisers_are_copied_once_and_forgotten():
    with pretended.gpu() as gpu:
        network, exact = Denoiser(torch.nn.Linear(2, 2), EDM(), (2,)), smooth_mixture()
        before = COPIES.bytes(gpu.device)
        there = [on(one, gpu.device) for one in (network, exact)]
        assert all(on(one, gpu.device) is copy for one, copy in zip((network, exact), there, strict=True))
        assert all(on(copy, gpu.device) is copy for copy in there)
        assert COPIES.bytes(gpu.device) - before >= 6 * 4
        COPIES.forget(gpu.device)
        assert COPIES.bytes(gpu.device) == 0 and on(network, gpu.device) is not there[0]
        assert there[0].network.weight.device == gpu.device  # whoever computes with it goes on
