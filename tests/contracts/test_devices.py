"""What the library computes on one of several GPUs: the numbers of the CPU, there where they were asked for.

The second of two pretended devices is asked, so that what ends on the first one, or on the CPU, is found; and one
that has no float64, as Apple's MPS, where float32 has to do.
"""

import inspect
from functools import partial

import pytest
import torch

import edm
from edm import data, diagnostics, models, networks, schedules, timesteps
from edm.base import streams
from edm.data import sources
from edm.diagnostics import Axis, Sweep
from edm.evaluation import classifiers
from edm.evaluation.copies import Known
from edm.evaluation.features import of_dataset, to_8_bits
from edm.evaluation.frechet import frechet_distance, moments
from edm.evaluation.manifolds import precision_recall
from edm.evaluation.scores import score_error
from edm.exact import GaussianMixture
from edm.experiments import runner
from edm.files.render import picture
from edm.noises import NOISES
from edm.objective import WEIGHTS, Design
from edm.preconditioning import PRECONDITIONINGS
from edm.sampling.denoisers import on
from edm.solvers import SOLVERS
from edm.training.augmentation import Augmentation
from edm.training.events import Step
from edm.training.loop import train
from edm.training.loss import Loss, per_sigma
from edm.training.parallel import World
from tests import pretended
from tests.contracts.away import assert_there_as_here, mixture, network, points, sampled, smooth
from tests.edm.runs import points as points_run

SIGMAS = (5.0, 0.7, 0.05)
SETTINGS = edm.Sampling(steps=3)


@pytest.mark.parametrize("name", [name for name in data.DATASETS if name != "drawn"])
def test_exact_denoisers(name):
    dataset = data.load(name)
    labels = [0, 1, 2] if dataset.classes else None
    assert_there_as_here(lambda device: sampled(on(dataset.denoiser, device), SETTINGS, device, dataset.shape, labels))


@pytest.mark.parametrize("pre", PRECONDITIONINGS)
@pytest.mark.parametrize("name", networks.NETWORKS)
def test_networks_of_every_preconditioning(name, pre):
    denoiser = network(name, pre)

    def ask(device):
        there = on(denoiser, device)
        x = edm.latents(edm.seeds(1, 3), denoiser.shape, device=device)
        levels = torch.tensor([0.1, 1.0, 10.0]).to(device)
        return there(x, 0.5), there(x, levels), there(x, levels.cpu().tolist())

    assert_there_as_here(ask)


@pytest.mark.parametrize("name", networks.NETWORKS)
def test_sampling_with_any_network_waits_for_nothing(name):
    with pretended.gpu(2) as gpu:
        denoiser = on(network(name, classes=3), gpu.devices[1])
        gpu.clear()
        sampled(denoiser, edm.Sampling(steps=2, S_churn=1.0), gpu.devices[1], denoiser.shape, [0, 2, 1])
        assert not gpu.waits and not gpu.copies["D2H"]


@pytest.mark.parametrize(("solver", "alpha"), [*((name, 1.0) for name in SOLVERS), ("heun", 0.5)])
def test_every_solver_with_and_without_churn(solver, alpha):
    def ask(device):
        there = mixture().to(device)
        for churn in (0.0, 2.0):
            yield sampled(there, edm.Sampling(solver=solver, alpha=alpha, steps=4, S_churn=churn), device)

    assert_there_as_here(ask)


@pytest.mark.parametrize("scaling", schedules.SCALINGS)
@pytest.mark.parametrize("schedule", schedules.SCHEDULES)
def test_every_schedule_and_scaling(schedule, scaling):
    settings = edm.Sampling(steps=4, schedule=schedule, scaling=scaling, S_churn=1.0, sigma_min=0.1, sigma_max=10)
    assert_there_as_here(lambda device: sampled(mixture().to(device), settings, device))


@pytest.mark.parametrize("discretization", timesteps.DISCRETIZATIONS)
def test_every_discretization(discretization):
    settings = edm.Sampling(steps=3, discretization=discretization)
    assert_there_as_here(lambda device: sampled(mixture().to(device), settings, device))


DESIGNS = [
    *(Design(preconditioning=name, noise=name if name in NOISES else "edm") for name in PRECONDITIONINGS),
    *(Design(noise=name, weight=weight) for name in NOISES for weight in WEIGHTS),
    Design(augment=0.5),
    Design(label_dropout=0.5),
]


@pytest.mark.parametrize("design", DESIGNS, ids=lambda design: "-".join(map(str, design.document().values())) or "edm")
def test_the_loss_of_every_design_and_its_gradient(design):
    images = design.augment > 0
    known = network("ddpmpp", design.preconditioning, augment_dim=9) if images else None
    known = known or network("mlp", design.preconditioning, classes=3 if design.label_dropout else 0)
    augmentation = Augmentation(design.augment) if images else None
    y = edm.latents(edm.seeds(2, 4), known.shape) * 0.5

    def ask(device):
        there = on(known, device)
        there.network.requires_grad_(True).zero_grad()
        labels = torch.tensor([0, 1, 2, 0]).to(device) if design.label_dropout else None
        loss = Loss(design, 3, 0.5, augmentation)(there, y.to(device), labels, range(4))
        loss.sum().backward()
        return loss, [weights.grad for weights in there.network.parameters() if weights.grad is not None]

    assert_there_as_here(ask, near=1e-4, rough=1e-2)


def test_augmentation():
    images = edm.latents(edm.seeds(2, 3), (3, 8, 8))
    drawn = streams.uniforms(0, streams.Purpose.AUGMENT, range(3), Augmentation.width)
    for p in (0.0, 0.5, 1.0):
        assert_there_as_here(lambda device, p=p: Augmentation(p)(images.to(device), drawn))


def drawn(indices):
    return mixture().sample(max(indices) + 1)[list(indices)], torch.zeros(len(indices), dtype=torch.long)


def first(generator, count=2):
    return [part for part, _ in zip(generator, range(count), strict=False)]


def pictures(device):
    return edm.latents(edm.seeds(3, 4), (1, 4, 4)).clamp(-1, 1).to(device)


EXPERIMENT = edm.Experiment.parse({"model": "two_moons", "count": 3, "sampling": {"steps": 2}})

# What asks a denoiser, or is given numbers that lie on a device: a call of each
INSTRUMENTS = {
    "churn_cycles": lambda ask, device, d: ask(d, points(device), 0.5, 2, steps=2),
    "convergence": lambda ask, device, d: ask(d, points(device), edm.Sampling(sigma_min=0.5, sigma_max=2), [2, 3]),
    "curvature": lambda ask, device, d: ask(d, points(device), SETTINGS, SIGMAS, step=0.1),
    "data_floor": lambda ask, device, d: ask(data.load("two_moons"), 3, points(device), repeats=1),
    "direction_field": lambda ask, device, d: [ask(d, points(device), SIGMAS, follow) for follow in (None, 0.5)],
    "gap_and_density": lambda ask, device, d: ask(d, mixture().to(device), points(device), 0.5),
    "gap_field": lambda ask, device, d: ask(d, mixture().to(device), points(device), 0.5, [0, 1, 1]),
    "locality": lambda ask, device, d: ask(
        d, lambda side: d, pictures("cpu"), sigmas=SIGMAS, sides=(3, 5), device=device
    ),
    "losses": lambda ask, device, d: first(
        ask({"a": d}, drawn, SIGMAS, exact=mixture().to(device), first=4, device=device)
    ),
    "nearest": lambda ask, device, d: vars(
        ask(pictures(device), Known(pictures("cpu").mul(127).add(128).byte(), tuple("abcd")))
    ),
    "paths": lambda ask, device, d: ask(d, points(device), SETTINGS, SIGMAS)[1],
    "race": lambda ask, device, d: ask(
        {"a": (d, SETTINGS)}, {0: points(device), 1: -points(device)}, [2, 5], reference_steps=8
    ),
    "reference": lambda ask, device, d: ask(d, points(device), SETTINGS, steps=8),
    "rms_error": lambda ask, device, d: ask(points(device), 2 * points(device)),
    "run_sweep": lambda ask, device, d: ask(
        Sweep(EXPERIMENT, Axis("steps", (1, 2)), measure="error", reference_steps=4), device=device
    ),
    "same": lambda ask, device, d: vars(ask("ddim", "edm", d, points(device))),
    "sampling_error": lambda ask, device, d: ask(d, points(device), SETTINGS),
    "sliced_wasserstein": lambda ask, device, d: [ask(points(device), points(device, n) * 2) for n in (3, 4)],
    "slow_motion": lambda ask, device, d: ask(d, points(device), SETTINGS, 1),
    "solution": lambda ask, device, d: ask(d, points(device), SIGMAS),
    "spread": lambda ask, device, d: ask(points(device)),
    "to_data": lambda ask, device, d: ask(EXPERIMENT, "distance", device)(points(device)),
    "truncation_error": lambda ask, device, d: ask(d, points(device), SETTINGS),
}
HERE = {"run_sweep", "nearest"}  # give their samples, or numbers of images, on the CPU


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_every_instrument(name):
    ask = partial(INSTRUMENTS[name], getattr(diagnostics, name))
    assert_there_as_here(lambda device: ask(device, smooth), away=name not in HERE, rough=2e-2)


def test_every_instrument_that_is_given_tensors_or_a_device_is_among_them():
    asked = {
        name
        for name in diagnostics.__all__
        if inspect.isfunction(known := getattr(diagnostics, name))
        and {"torch.Tensor", "Device"}
        & {kind for name, kind in inspect.get_annotations(known).items() if name != "return"}
    }
    assert asked <= set(INSTRUMENTS)


def test_a_denoiser_that_remembers():
    def ask(device):
        shared = diagnostics.Shared(mixture().to(device))
        answers = [
            shared(points(device), sigma, labels)
            for _ in range(2)
            for sigma in (0.5, 2.0)
            for labels in (None, [0, 1, 1])
        ]
        assert (shared.calls, shared.evaluations) == (8, 4)
        return answers

    assert_there_as_here(ask)


def test_evaluation():
    rows, others = points("cpu", 12), points("cpu", 12) * 2

    def ask(device):
        there, truth = mixture().to(device), GaussianMixture(mixture().means, 0.5).to(device)
        y = rows.to(device)
        yield frechet_distance(y, others.to(device)), precision_recall(y, others.to(device))
        yield moments(y).covariance.sum().item()
        yield score_error(there, truth, y, None, SIGMAS), per_sigma(there, y, None, SIGMAS)

    assert_there_as_here(ask)


class Away:
    """A source that keeps its samples and classes on a device."""

    def __init__(self, source, device):
        self.source, self.device = source, device

    def __getattr__(self, name):
        return getattr(self.source, name)

    def read(self, indices):
        return tuple(None if part is None else part.to(self.device) for part in self.source.read(indices))


def test_a_run_learns_from_samples_wherever_they_lie():
    settings = points_run(images=128, samples=1)
    source = sources.open_source(settings.data)

    def ask(device):
        events = train(settings, World(0, 1, torch.device("cpu")), source=Away(source, device))
        return [event.loss for event in events if isinstance(event, Step)]

    assert_there_as_here(ask)


def test_levels_and_numbers_that_lie_on_a_gpu_are_read_there():
    def ask(device):
        levels = torch.tensor(SIGMAS).to(device)
        yield diagnostics.loss_weight("edm", levels, 0.5), diagnostics.preconditioning("edm", levels, 0.5)
        yield (
            diagnostics.training_share(Design(), levels.flip(0)),
            diagnostics.paths(smooth, points(device), SETTINGS, levels)[1],
        )
        yield first(diagnostics.losses({"a": smooth}, drawn, levels, first=4, device=device))
        yield streams.uniforms(0, streams.Purpose.NOISE, torch.tensor([3, 1]).to(device), 2)

    assert_there_as_here(ask, rough=2e-2)


@pytest.mark.parametrize("name", ["two_diracs", "two_moons", "digits"])
def test_pictures_of_what_lies_on_a_gpu(name):
    experiment = edm.Experiment.parse({"model": name, "count": 3, "sampling": {"steps": 2}})
    here = list(runner.states(experiment))
    drawn, shown = picture(models.of(experiment), here), edm.plots.trajectories(here)
    with pretended.gpu(2) as gpu:
        there = list(runner.states(experiment, gpu.devices[1]))
        assert there[-1].x.device == gpu.devices[1]
        gpu.clear()
        assert picture(models.of(experiment), there).tobytes() == drawn.tobytes() and gpu.copies == {"D2H": 1}
        assert edm.plots.trajectories(there).to_json() == shown.to_json()


@pytest.mark.parametrize("dataset", classifiers.DESIGNS)
def test_features_of_images_come_from_the_gpu(dataset):
    images = to_8_bits(edm.latents(edm.seeds(0, 2), classifiers.DESIGNS[dataset].shape) * 0.5)
    features = partial(of_dataset, dataset, lambda: images)
    assert_there_as_here(lambda device: features(device=device).of(images), away=False, near=1e-4)
