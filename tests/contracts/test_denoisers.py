"""What every denoiser can do, by itself and with anything around it: it says what it is, copies, pickles and moves."""

import copy
import math
import pickle

import pytest
import torch

import edm
from app.work.watch import Watch
from edm import models, networks
from edm.diagnostics import Shared
from edm.preconditioning import PRECONDITIONINGS, Denoiser
from edm.sampling.denoisers import Around, DenoiserLike, ask, denoiser_of, on
from edm.sampling.path import known_range, nearest
from tests.problems import smooth_mixture

NAMES = [name for name in models.names() if name != "drawn"]
WRAPPERS = {"nothing": lambda inner: inner, "around": Around, "shared": Shared, "watched": Watch()}


def sampled(denoiser, shape, device="cpu", classes=0):
    z = edm.latents([3], shape, device=device)
    labels = torch.zeros(1, dtype=torch.long, device=device) if classes else None
    return edm.last(edm.sample(denoiser, z, edm.Sampling(steps=1), labels)).x


def tensors(denoiser):
    """All that it computes with."""
    if isinstance(denoiser, Around):
        return tensors(denoiser.inner)
    own = [value for value in vars(denoiser).values() if isinstance(value, torch.Tensor)]
    return [*own, *(denoiser.network.state_dict().values() if isinstance(denoiser, Denoiser) else ())]


@pytest.mark.parametrize("name", NAMES)
def test_a_model_keeps_its_answers_when_wrapped_copied_pickled_and_moved(name):
    """The whole of it, as what it is put around sees it; the original stays where it is."""
    model = models.load(name)
    plain = model.denoiser
    expected = sampled(plain, model.shape, classes=model.trained and model.classes)
    for made in WRAPPERS.values():
        wrapped = made(plain)
        for again in (wrapped, copy.copy(wrapped), copy.deepcopy(wrapped), pickle.loads(pickle.dumps(wrapped))):
            assert isinstance(again, DenoiserLike) and denoiser_of(again) is again
            assert (again.shape, again.classes) == (model.shape, model.classes)
            assert (again.sigma_min, again.sigma_max) == known_range(plain)
            assert (again.sigma_data, again.header) == (plain.sigma_data, plain.header)
            assert nearest([0.31, 2.0], again) == nearest([0.31, 2.0], plain)
            assert torch.equal(sampled(again, model.shape, classes=model.trained and model.classes), expected)
        there = on(wrapped, "meta")
        assert type(there) is type(wrapped)
        assert {tensor.device.type for tensor in tensors(there)} == {"meta"}
        assert {tensor.device.type for tensor in tensors(wrapped) + tensors(plain)} == {"cpu"}


@pytest.mark.parametrize("name", PRECONDITIONINGS)
def test_every_preconditioning_copies_and_pickles(name):
    network = networks.build("mlp", in_channels=2, out_channels=2, channels=8, blocks=1)
    denoiser = Denoiser(network, PRECONDITIONINGS[name](), (2,))
    alone = len(pickle.dumps(denoiser))
    there = denoiser.to("meta")  # which it keeps, and does not hand on
    assert len(pickle.dumps(denoiser)) == alone
    expected = sampled(denoiser, (2,))
    for again in (copy.copy(denoiser), copy.deepcopy(denoiser), pickle.loads(pickle.dumps(denoiser))):
        assert torch.equal(sampled(again, (2,)), expected)
        assert again.to("meta") is not there and denoiser.to("meta") is there
        assert nearest([0.31, 2.0], again) == nearest([0.31, 2.0], denoiser)


def test_a_callable_that_says_nothing_of_itself_is_a_denoiser():
    known = denoiser_of(lambda x, sigma: x / (1 + sigma))
    assert [known.shape, known.classes, known.sigma_data, known.header] == [None] * 4
    assert (known.sigma_min, known.sigma_max, known.round_sigma(0.3)) == (0, math.inf, 0.3)
    assert sampled(lambda x, sigma: x / (1 + sigma), (2,)).isfinite().all()
    assert torch.equal(ask(known, torch.ones(1, 2), 1.0), torch.full((1, 2), 0.5))


def test_what_a_callable_says_of_itself_counts():
    def denoiser(x, sigma, labels):
        return x * labels.view(-1, 1)

    denoiser.sigma_min, denoiser.classes, denoiser.round_sigma = 0.1, 3, lambda sigma: sigma.round()
    known = Around(Around(denoiser))
    assert (known.sigma_min, known.classes, known.shape) == (0.1, 3, None)
    assert nearest([2.2], known) == [2.0]
    assert known(torch.ones(2, 1), 1.0, torch.tensor([1, 2])).flatten().tolist() == [1, 2]


class Moving(torch.nn.Module):
    """As torch's modules do, it moves itself."""

    def __init__(self):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.tensor(0.5))

    def forward(self, x, sigma):
        return x * self.scale


@pytest.mark.parametrize("made", [lambda inner: inner, *(WRAPPERS[name] for name in ("around", "shared", "watched"))])
def test_a_module_of_ones_own_stays_where_it_is(made):
    module = Moving()
    there = on(made(module), "meta")
    assert module.scale.device.type == "cpu"
    assert (there.inner if isinstance(there, Around) else there).scale.device.type == "meta"
    assert on(len, "meta") is len


def test_a_copy_of_a_memory_begins_empty_and_leaves_the_first_as_it_is():
    shared, x = Shared(smooth_mixture()), torch.ones(1, 2)
    shared(x, 1.0)
    other = copy.copy(shared)
    other(x, 1.0)
    assert (other.evaluations, other.calls) == (1, 1)
    shared(x, 1.0)
    assert (shared.evaluations, shared.calls) == (1, 2)
