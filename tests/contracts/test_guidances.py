"""What every registered guidance does, with every solver, on every device, and with whatever is around it. New entries
are tested as they come."""

import copy
import pickle

import pytest
import torch

import edm
from edm import guidance, networks
from edm.diagnostics import Shared
from edm.exact import GaussianMixture
from edm.preconditioning import PRECONDITIONINGS, Denoiser
from edm.sampling.denoisers import Around, DenoiserLike, along, evaluations_at, on
from edm.sampling.guidance.settings import Guiding
from edm.solvers import SOLVERS
from tests import pretended
from tests.problems import latents

GUIDANCES = guidance.GUIDANCES
MEANS, STDS, WEIGHTS, LABELS = [[-0.9, 0.2], [0.7, -0.5], [0.3, 0.9]], [0.2, 0.3, 0.25], [0.5, 0.3, 0.2], [0, 1, 0]
KNOWS, WORSE = GaussianMixture(MEANS, STDS, WEIGHTS, LABELS), GaussianMixture(MEANS, 0.5, WEIGHTS, LABELS)
CLASSES = [0, 1, 1, 0]
INTERVAL = (0.1, 5.0)


def network():
    torch.manual_seed(0)
    made = networks.build("mlp", in_channels=2, out_channels=2, channels=8, blocks=1, classes=2)
    torch.nn.init.normal_(made.out.weight)
    return Denoiser(made, PRECONDITIONINGS["edm"](), (2,), 2)


class Classifier(torch.nn.Module):
    """log p(c | x; σ) of two classes."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.layer = torch.nn.Linear(2, 2).requires_grad_(False)

    def forward(self, x, sigma):
        return self.layer(x.to(self.layer.weight.dtype)).log_softmax(1)


def guided(name, weight=2.0, denoiser=KNOWS, worse=WORSE, classifier=KNOWS.log_class_probability, **more):
    entry = GUIDANCES[name]
    given = {"guidance_interval": INTERVAL if "guidance_interval" in entry.knobs else None, **more}
    guide = {"classifier": classifier, "model": worse if entry.needs else None, "": None}[entry.takes]
    return entry(denoiser, Guiding(guidance=name, guidance_weight=weight, **given), guide)


def sampled(denoiser, sampling, device="cpu", dtype=torch.float32):
    z, seeds = latents(len(CLASSES), dtype=dtype).to(device), edm.seeds(1, len(CLASSES))
    return edm.last(edm.sample(denoiser, z, sampling, CLASSES, seeds=seeds))


@pytest.mark.parametrize("name", GUIDANCES)
def test_it_samples_with_every_solver_and_counts_what_it_evaluates(name):
    for solver in SOLVERS:
        sampling = edm.Sampling(solver=solver, steps=5, S_churn=1, restart_max=0.9)
        denoiser = guided(name)
        end, path = sampled(denoiser, sampling), edm.path_of(sampling, denoiser)
        assert end.x.isfinite().all(), solver
        assert end.evaluations == path.evaluations, solver
        assert (path.evaluations > edm.path_of(sampling, KNOWS).evaluations) == (name != "none"), solver


@pytest.mark.parametrize("solver", SOLVERS)
def test_the_shares_of_a_solver_s_steps_are_its_cost(solver):
    for steps in (1, 2, 5):
        sampling = edm.Sampling(solver=solver, steps=steps, restart_rounds=3)
        path = edm.path_of(sampling)
        shares = [SOLVERS[solver].share(path, sampling, i) for i in range(steps)]
        assert sum(shares) == path.evaluations


@pytest.mark.parametrize("name", [name for name in GUIDANCES if GUIDANCES[name].neutral is not None])
def test_at_its_neutral_weight_it_is_the_denoiser_itself_for_one_evaluation(name):
    x = latents(4)
    neutral = guided(name, GUIDANCES[name].neutral, guidance_interval=None)
    assert torch.equal(neutral(x, 0.7, CLASSES), KNOWS(x, 0.7, CLASSES))
    assert evaluations_at(neutral, 0.7) == 1


@pytest.mark.parametrize("name", GUIDANCES)
def test_outside_of_its_interval_it_is_the_denoiser_itself(name):
    x, denoiser = latents(4), guided(name)
    levels = torch.tensor([0.1, 0.2, 5.0, 5.1], dtype=torch.float64)
    found = denoiser(x, levels, CLASSES)
    plain = KNOWS(x, levels, CLASSES)
    inside = [] if name == "none" else [1, 2] if "guidance_interval" in GUIDANCES[name].knobs else range(4)
    for k, sigma in enumerate(levels.tolist()):
        one = denoiser(x[k : k + 1], sigma, CLASSES[k : k + 1])
        torch.testing.assert_close(found[k : k + 1], one, rtol=1e-12, atol=1e-14)
        assert torch.allclose(found[k], plain[k], rtol=1e-12, atol=1e-14) == (k not in inside)
        assert evaluations_at(denoiser, sigma) == 1 + (k in inside)


@pytest.mark.parametrize("name", GUIDANCES)
def test_it_says_what_it_is_copies_pickles_moves_and_is_the_same_within_others(name):
    denoiser, sampling = guided(name), edm.Sampling(steps=4)
    assert isinstance(denoiser, DenoiserLike)
    assert (denoiser.shape, denoiser.classes, denoiser.sigma_data) == ((2,), 2, KNOWS.sigma_data)
    expected = sampled(denoiser, sampling)
    again = [copy.copy(denoiser), copy.deepcopy(denoiser), pickle.loads(pickle.dumps(denoiser)), on(denoiser, "cpu")]
    for other in (*again, Around(denoiser), Shared(denoiser)):
        end = sampled(other, sampling)
        assert torch.equal(end.x, expected.x) and end.evaluations == expected.evaluations
    assert denoiser.shape == on(denoiser, "meta").shape


@pytest.mark.parametrize("name", GUIDANCES)
def test_a_sample_is_the_same_alone_and_in_a_batch_and_float32_follows_float64(name):
    sampling, denoiser = edm.Sampling(steps=5), guided(name)
    whole = sampled(denoiser, sampling, dtype=torch.float64).x
    for k in range(len(CLASSES)):
        alone = edm.last(edm.sample(denoiser, latents(len(CLASSES))[k : k + 1], sampling, CLASSES[k : k + 1])).x
        torch.testing.assert_close(alone[0], whole[k], rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(sampled(denoiser, sampling).x.double(), whole, rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize("kind", ["exact", "network"])
@pytest.mark.parametrize("name", GUIDANCES)
def test_nothing_waits_for_a_gpu_and_samples_are_those_of_the_cpu(name, kind):
    sampling = edm.Sampling(steps=3)
    given = {"denoiser": network(), "worse": network(), "classifier": Classifier()} if kind == "network" else {}
    denoiser = guided(name, **given)
    here = sampled(denoiser, sampling)
    with pretended.gpu() as gpu:
        there, z = on(denoiser, gpu.device), latents(len(CLASSES), dtype=torch.float32).to(gpu.device)
        labels = torch.tensor(CLASSES, device=gpu.device)
        gpu.clear()
        end = edm.last(edm.sample(there, z, sampling, labels))
        assert not gpu.waits and not gpu.copies["D2H"]
        torch.testing.assert_close(end.x.cpu(), here.x, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", GUIDANCES)
def test_two_runs_that_take_turns_do_not_know_of_each_other(name):
    more = {"guidance_momentum": -0.5} if "guidance_momentum" in GUIDANCES[name].knobs else {}
    denoiser, sampling, z = guided(name, **more), edm.Sampling(steps=5), latents(len(CLASSES))
    runs = [edm.sample(denoiser, z, sampling, CLASSES) for _ in range(2)]
    states = list(zip(*runs, strict=True))
    assert all(torch.equal(first.x, second.x) for first, second in states)
    again = edm.last(edm.sample(denoiser, z, sampling, CLASSES))
    assert torch.equal(again.x, states[-1][0].x)


def test_a_network_is_asked_with_and_without_a_class_in_one_batch():
    denoiser, sizes = network(), []

    def counted(x, *rest, network=denoiser.network, **more):
        sizes.append(len(x))
        return network(x, *rest, **more)

    counting = Denoiser(counted, denoiser.preconditioning, (2,), 2)
    x = latents(4, dtype=torch.float32)
    for name in ("free", "cfgpp", "apg"):
        sizes.clear()
        found = guided(name, denoiser=counting)(x, 0.5, CLASSES)
        assert sizes == [8]
        assert found.isfinite().all()
    own, every = denoiser(x, 0.5, CLASSES), denoiser(x, 0.5)
    torch.testing.assert_close(guidance.free(counting, 3.0)(x, 0.5, CLASSES), every + 3 * (own - every))
    sizes.clear()
    guidance.free(counting, 0.0)(x, 0.5, CLASSES)
    assert sizes == [4]


def test_what_wants_to_know_of_no_steps_is_not_told_of_any():
    path = edm.path_of(edm.Sampling(steps=3), KNOWS)
    assert along(KNOWS, path) is None and along(Around(KNOWS), path) is None
    assert path.passes == () and edm.path_of(edm.Sampling(steps=3), guided("auto")).passes == (1, 2, 1)
