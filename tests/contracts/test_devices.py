"""What the library computes on one of several GPUs: the numbers of the CPU, there where they were asked for.

The second of two pretended devices is asked, so that what ends on the first one, or on the CPU, is found; and one
that has no float64, as Apple's MPS, where float32 has to do.
"""

import dataclasses
import inspect
from collections.abc import Iterator
from functools import partial

import numpy as np
import pytest
import torch

import edm
from edm import data, diagnostics, models, networks, schedules, timesteps
from edm.base import streams
from edm.diagnostics import Axis, Sweep
from edm.evaluation import classifiers
from edm.evaluation.features import of_dataset, to_8_bits
from edm.evaluation.frechet import frechet_distance, moments
from edm.evaluation.manifolds import precision_recall
from edm.evaluation.scores import score_error
from edm.exact import GaussianMixture
from edm.experiments import runner
from edm.files.render import picture
from edm.objective import NOISES, WEIGHTS, Design
from edm.preconditioning import PRECONDITIONINGS, Denoiser
from edm.sampling.denoisers import on
from edm.solvers import SOLVERS
from edm.training.augmentation import Augmentation
from edm.training.loss import Loss, per_sigma
from tests import pretended

SIGMAS = (5.0, 0.7, 0.05)
SETTINGS = edm.Sampling(steps=3)


def mixture():
    return GaussianMixture([[-0.9, 0.2], [0.7, -0.5], [0.3, 0.9]], [0.5, 0.6, 0.45], [0.5, 0.3, 0.2], [0, 1, 1])


def network(name, pre="edm", **options):
    """A tiny denoiser of random weights, not zero where a network begins with zeros."""
    images = networks.NETWORKS[name].images
    shape = (3, 8, 8) if images else (2,)
    sizes = {"resolution": 8, "channel_mult": (1, 2), "attention": (4,)} if images else {}
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        made = networks.build(
            name, in_channels=shape[0], out_channels=shape[0], channels=8, blocks=1, **sizes, **options
        )
        for weights in made.parameters():
            weights.add_(torch.randn_like(weights), alpha=0.1)
    return Denoiser(made.eval(), PRECONDITIONINGS[pre](), shape)


def parts(thing):
    """The tensors and numbers of a result, in their order."""
    if isinstance(thing, torch.Tensor | np.ndarray | float):
        yield thing
    elif isinstance(thing, Iterator | list | tuple):
        for part in thing:
            yield from parts(part)
    elif isinstance(thing, dict):
        yield from parts(list(thing.values()))
    elif dataclasses.is_dataclass(thing):
        yield from parts([getattr(thing, field.name) for field in dataclasses.fields(thing)])


def numbers(thing):
    return [
        part.detach().cpu().double().numpy() if isinstance(part, torch.Tensor) else np.asarray(part)
        for part in parts(thing)
    ]


def assert_there_as_here(ask, *, away=True, near=1e-5, rough=2e-3):
    """ask(device) gives the same everywhere, its tensors on the device; `away`: all of them, else none.

    Differences are shares of the largest number of a tensor, or of 1. rough: how far float32 may be from float64.
    """
    expected = numbers(ask(torch.device("cpu")))
    assert expected and all(np.isfinite(part).all() for part in expected)
    for without in (False, True):
        with pretended.gpu(count=2, no_float64=without) as gpu:
            device = gpu.devices[1]
            found = list(parts(ask(device)))
            places = {part.device for part in found if isinstance(part, torch.Tensor)}
            assert places <= {device if away else torch.device("cpu")}
            found = numbers(found)
        assert [part.shape for part in found] == [part.shape for part in expected]
        for one, other in zip(found, expected, strict=True):
            size = np.abs(other).max(initial=1.0)
            np.testing.assert_allclose(one, other, rtol=0, atol=size * (rough if without else near))


def sampled(denoiser, settings, device, shape=(2,), labels=None):
    """Every state of three samples."""
    seeds = edm.seeds(settings.seed, 3)
    latents = edm.latents(seeds, shape, device=device)
    return [(state.x, state.denoised) for state in edm.sample(denoiser, latents, settings, labels, seeds=seeds)]


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


@pytest.mark.parametrize("alpha", [1.0, 0.5])
@pytest.mark.parametrize("solver", SOLVERS)
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


def points(device, count=3):
    return edm.latents(edm.seeds(4, count), (2,), device=device)


def smooth(x, sigma, labels=None):
    """The exact denoiser of a Gaussian, in few operations."""
    sigma = torch.as_tensor(sigma, device=x.device).to(x.dtype).view(-1, 1)
    return x * 0.25 / (sigma**2 + 0.25)


def drawn(indices):
    return mixture().sample(max(indices) + 1)[list(indices)], torch.zeros(len(indices), dtype=torch.long)


def first(generator, count=2):
    return [part for part, _ in zip(generator, range(count), strict=False)]


EXPERIMENT = edm.Experiment.parse({"model": "two_moons", "count": 3, "sampling": {"steps": 2}})

# What asks a denoiser, or is given numbers that lie on a device: a call of each
INSTRUMENTS = {
    "churn_cycles": lambda ask, device, d: ask(d, points(device), 0.5, 2, steps=2),
    "convergence": lambda ask, device, d: ask(d, points(device), edm.Sampling(sigma_min=0.5, sigma_max=2), [2, 3]),
    "curvature": lambda ask, device, d: ask(d, points(device), SETTINGS, SIGMAS, step=0.1),
    "data_floor": lambda ask, device, d: ask(data.load("two_moons"), 3, points(device), repeats=1),
    "direction_field": lambda ask, device, d: [ask(d, points(device), SIGMAS, follow) for follow in (None, 0.5)],
    "gap_field": lambda ask, device, d: ask(d, mixture().to(device), points(device), 0.5, [0, 1, 1]),
    "losses": lambda ask, device, d: first(
        ask({"a": d}, drawn, SIGMAS, exact=mixture().to(device), first=4, device=device)
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
    "sampling_error": lambda ask, device, d: ask(d, points(device), SETTINGS),
    "sliced_wasserstein": lambda ask, device, d: [ask(points(device), points(device, n) * 2) for n in (3, 4)],
    "slow_motion": lambda ask, device, d: ask(d, points(device), SETTINGS, 1),
    "solution": lambda ask, device, d: ask(d, points(device), SIGMAS),
    "spread": lambda ask, device, d: ask(points(device)),
    "to_data": lambda ask, device, d: ask(EXPERIMENT, "distance", device)(points(device)),
    "truncation_error": lambda ask, device, d: ask(d, points(device), SETTINGS),
}
HERE = {"run_sweep"}  # gives its samples on the CPU, as it says


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
        assert picture(models.of(experiment), there).tobytes() == drawn.tobytes()
        assert edm.plots.trajectories(there).to_json() == shown.to_json()


@pytest.mark.parametrize("dataset", classifiers.DESIGNS)
def test_features_of_images_come_from_the_gpu(dataset):
    images = to_8_bits(edm.latents(edm.seeds(0, 2), classifiers.DESIGNS[dataset].shape) * 0.5)
    features = partial(of_dataset, dataset, lambda: images)
    assert_there_as_here(lambda device: features(device=device).of(images), away=False, near=1e-4)
