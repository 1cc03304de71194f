"""Norms of images on the CPU, with what follows them, are the plain formula, there and back."""

import pytest
import torch
from torch.nn import functional

from edm import networks
from edm.networks import norms
from edm.networks.blocks import GroupNorm

LAST = torch.channels_last
SIZES = [(3, 16, 6, 5), (2, 8, 32, 32)]  # small images, and such that torch's own go through in order
NUMBERS = [(torch.float32, 2e-6), (torch.float64, 1e-13), (torch.bfloat16, 4 * 2**-8), (torch.float16, 4 * 2**-11)]


def images(size, dtype=torch.float32):
    return (torch.randn(size, dtype=torch.float64) * 2 + 3).to(dtype).contiguous(memory_format=LAST)


def plain(norm, x, scale, shift, silu):
    h = functional.group_norm(x, norm.num_groups, norm.weight, norm.bias, norm.eps)
    h = h if scale is None else torch.addcmul(shift[:, :, None, None], h, scale[:, :, None, None] + 1)
    return functional.silu(h) if silu else h


@pytest.fixture
def always(monkeypatch):
    """Images are normalized by `edm.networks.norms`, however small. What it is asked for: with a way back or not."""
    told = []

    def worth(x, back):
        told.append(back)
        return True

    monkeypatch.setattr(norms, "worth", worth)
    return told


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize(("dtype", "tolerance"), NUMBERS, ids=str)
@pytest.mark.parametrize("adaptive", [None, 1, "each"], ids=str)
@pytest.mark.parametrize("silu", [False, True])
def test_they_and_their_gradients_are_the_plain_formula(size, dtype, tolerance, adaptive, silu, always):
    torch.manual_seed(0)
    norm = GroupNorm(4, size[1], 1e-6).to(torch.float64 if dtype == torch.float64 else torch.float32)
    torch.nn.init.normal_(norm.weight)
    torch.nn.init.normal_(norm.bias)
    exact = GroupNorm(4, size[1], 1e-6).double()
    exact.load_state_dict(norm.state_dict())
    x, dy = images(size, dtype), images(size, dtype) - 3
    rows = size[0] if adaptive == "each" else 1
    conditions = [] if adaptive is None else [torch.randn(rows, size[1], dtype=norm.weight.dtype) for _ in range(2)]

    def results(norm, call, *given):
        x, dy, *conditions = (tensor.detach().clone(memory_format=torch.preserve_format) for tensor in given)
        asked = [tensor.requires_grad_() for tensor in (x, *conditions)]
        y = call(x, *(conditions or (None, None)), silu)
        return [y.detach(), *torch.autograd.grad(y, [*asked, *norm.parameters()], dy)]

    expected = results(exact, lambda *given: plain(exact, *given), *(t.double() for t in (x, dy, *conditions)))
    found = results(norm.train(), norm, x, dy, *conditions)
    assert always == [True]
    assert found[0].dtype == found[1].dtype == dtype
    assert found[0].is_contiguous(memory_format=LAST)
    apart = [float((one - other).abs().max() / other.abs().max()) for one, other in zip(found, expected, strict=True)]
    assert max(apart) < tolerance, apart
    with torch.no_grad():
        there = norm(x, *(conditions or (None, None)), silu)
    assert always == [True, False]
    assert torch.equal(there, found[0])


def test_who_does_not_train_may_differentiate_twice(always):
    x = images((2, 8, 4, 4), torch.float64).requires_grad_()
    norm = GroupNorm(2, 8, 1e-6).double().eval()
    assert torch.autograd.gradgradcheck(lambda x: norm(x, silu=True), x)
    assert not any(always)


@pytest.mark.parametrize("name", [name for name, network in networks.NETWORKS.items() if network.images])
def test_a_network_and_its_gradients_in_bf16_are_those_of_float32_to_its_digits(name):
    torch.manual_seed(0)
    sizes = {"channels": 32, "channel_mult": (1, 2), "blocks": 1, "attention": (8,)}
    network = networks.build(name, in_channels=3, resolution=16, **sizes).train()
    for parameter in network.parameters():  # those that begin at almost nothing, too
        torch.nn.init.normal_(parameter, std=0.05)
    x, c_noise, found = torch.randn(4, 3, 16, 16), torch.linspace(-1, 1, 4), []
    for half in (False, True):
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            y = network(x, c_noise)
        gradients = torch.autograd.grad(y.float().square().mean(), network.parameters(), allow_unused=True)
        found.append([y.detach().float(), torch.cat([g.flatten() for g in gradients if g is not None])])
    apart = [float((half - full).norm() / full.norm()) for full, half in zip(*found, strict=True)]
    assert 0 < max(apart) < 8 * 2**-8, apart


def test_images_of_equal_numbers_have_no_variance(always):
    x = torch.full((2, 8, 4, 4), 1e3).contiguous(memory_format=LAST)
    with torch.no_grad():
        assert torch.isfinite(GroupNorm(2, 8, 1e-6)(x)).all()


def test_what_is_worth_it_is_large_and_lies_channels_last():
    large = images((4, 64, 16, 16))
    assert norms.worth(large, back=False)
    assert not norms.worth(large.contiguous(), back=False)
    assert not norms.worth(large[:1], back=False)
    assert norms.worth(large[:1].bfloat16(), back=True)
    assert not norms.worth(large, back=True)
    assert not norms.worth(large.to("meta"), back=False)
    assert not norms.worth(images((2, 64, 32, 32)), back=False)
