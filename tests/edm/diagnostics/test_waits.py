"""On a GPU, measuring waits where a number is shown, and nowhere else."""

from itertools import islice

import numpy as np
import pytest
import torch

import edm
from edm import diagnostics, runner
from edm.diagnostics import Axis, Shared, Sweep, run_sweep
from edm.exact import GaussianMixture
from edm.sampling.denoisers import on
from tests import pretended
from tests.problems import smooth_mixture

SAMPLING = edm.Sampling(steps=3, S_churn=2)
ODE = edm.Sampling(steps=3)
LANES = {"heun": ODE, "euler": edm.Sampling(solver="euler", steps=3)}


def draw(indices):
    return torch.from_numpy(np.random.default_rng(0).standard_normal((len(indices), 2))).float(), None


def standard(x, sigma, labels=None):
    """The exact denoiser of N(0, I), in as few operations as there are."""
    return x / (1 + (sigma.view(-1, 1) if isinstance(sigma, torch.Tensor) else sigma) ** 2)


def raced(denoiser, z):
    lanes = {name: (denoiser, sampling) for name, sampling in LANES.items()}
    return diagnostics.race(lanes, z, [3, 5], references={}, reference_steps=4)


# what is measured: (denoiser, latents) -> its parts; and the waits of each part, and of all beside
MEASURED = {
    "solution": (lambda d, z: diagnostics.solution(d, z, [2.0, 0.1, 0]), 0, 0),
    "paths": (lambda d, z: [diagnostics.paths(d, z, ODE, [2.0, 0.1])], 0, 0),
    "curvature": (lambda d, z: diagnostics.curvature(d, z, ODE, [2.0, 0.1]), 0, 0),
    "truncation": (lambda d, z: diagnostics.truncation_error(d, z, ODE), 0, 0),
    "slow motion": (lambda d, z: diagnostics.slow_motion(d, z, SAMPLING, 1, seeds=[0, 1, 2]), 0, 0),
    "churn": (lambda d, z: diagnostics.churn_cycles(d, z, 0.3, 3), 0, 0),
    "field": (lambda d, z: [diagnostics.direction_field(d, z, [2.0, 0.1], 0.5)], 0, 0),
    "order": (lambda d, z: diagnostics.convergence(d, z, ODE, [2, 3]), 2, 1),  # its two errors, and the floor
    "race": (raced, 1, 0),
    "losses": (lambda d, z: islice(diagnostics.losses({"d": d}, draw, [0.1, 2], exact=d, device=z.device), 3), 1, 0),
    "reference": (lambda d, z: [diagnostics.reference(d, z, ODE, steps=4)], 0, 0),
}


@pytest.mark.parametrize("name", MEASURED)
def test_it_waits_where_numbers_are_shown(name):
    measure, each, beside = MEASURED[name]
    with pretended.gpu() as gpu:
        z = edm.latents([0, 1, 2], (2,), device=gpu.device)
        gpu.clear()
        parts = list(measure(standard, z))
        assert sum(gpu.waits.values()) == each * len(parts) + beside, gpu.waits


class Counting:
    """A denoiser that counts how often it is asked."""

    def __init__(self, inner):
        self.inner, self.calls = inner, 0

    def __call__(self, x, sigma, labels=None):
        self.calls += 1
        return self.inner(x, sigma, labels)


def test_questions_on_a_gpu_are_told_apart_there_and_only_where_the_host_cannot():
    with pretended.gpu() as gpu:
        asked = Counting(on(smooth_mixture(), gpu.device))
        shared = Shared(asked)
        x = edm.latents([0, 1, 2], (2,), device=gpu.device)
        gpu.clear()
        for sigma in (3.0, 2.0, 1.0):
            first = shared(x, sigma)
        assert not gpu.waits and not gpu.copies["D2H"] and asked.calls == 3  # no level came twice
        again = shared(x.clone(), 1.0)
        assert asked.calls == 3 and gpu.waits.total() == 1 and gpu.moved["D2H"] == 4 * 16  # of digests, all at once
        again.zero_()
        assert torch.equal(shared(x, 1.0), first) and asked.calls == 3
        for other in (x + 1e-7, -x, x.flip(0), x.double(), x[:2], torch.cat([x, x])):
            shared(other, 1.0)
        assert asked.calls == 9
        zero = torch.zeros(1, 2, device=gpu.device)
        shared(zero, 1.0), shared(-zero, 1.0)
        assert asked.calls == 11  # −0 has other bits
        shared(zero, torch.tensor(1.0, device=gpu.device)), shared(zero, torch.tensor(2.0, device=gpu.device))
        assert asked.calls == 13


def test_classes_on_a_gpu_are_part_of_the_question():
    mixture = GaussianMixture([[0.0, 0.0], [1.0, 1.0]], 0.5, labels=[0, 1])
    with pretended.gpu() as gpu:
        asked = Counting(on(mixture, gpu.device))
        shared, x = Shared(asked), torch.zeros(2, 2, device=gpu.device)
        for labels in ([0, 1], [1, 1], [0, 1]):
            shared(x, 1.0, torch.tensor(labels).to(gpu.device))
        assert asked.calls == 2


@pytest.mark.parametrize("megabytes", [0, 0.0007, 0.003, 1])
def test_a_sweep_shares_there_what_it_shares_here(megabytes):
    sweep = Sweep(
        edm.Experiment(model="two_moons_mlp", count=3, sampling=edm.Sampling(steps=3, S_churn=2)),
        Axis.parse("S_tmin", "0,1,5"),
        Axis.parse("S_noise", "1,1.01"),
        (0, 1),
    )
    denoiser = edm.models.load("two_moons_mlp").denoiser
    here = list(run_sweep(sweep, denoiser, megabytes=megabytes))
    with pretended.gpu() as gpu:
        asked = Counting(on(denoiser, gpu.device))
        there = list(run_sweep(sweep, asked, device=gpu.device, megabytes=megabytes))
        assert asked.calls == sum(cell.evaluations for cell in here) == sum(cell.evaluations for cell in there)
        for a, b in zip(here, there, strict=True):
            assert torch.equal(a.samples, b.samples)


def test_exact_toys_stay_on_the_cpu_where_they_are_quicker():
    with pretended.gpu() as gpu:
        toy, mixture, network = (edm.models.load(name) for name in ("eight_gaussians", "digits", "spiral_mlp"))
        assert runner.quickest(toy, gpu.device).type == "cpu" and runner.place(toy, gpu.device) == gpu.device
        assert runner.quickest(toy, gpu.device, 10_000_000) == gpu.device  # too many for that
        assert [runner.quickest(model, gpu.device) for model in (mixture, network)] == [gpu.device] * 2
        named = edm.last(runner.states(edm.Experiment(model="eight_gaussians", count=2), str(gpu.device)))
        assert named.x.device == gpu.device  # who names a device gets it
    assert runner.place(toy).type == runner.place(toy, "cpu").type == "cpu"
