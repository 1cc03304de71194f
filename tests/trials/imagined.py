"""The whole path on a pretended GPU (`tests.pretended`): every combination, which the tests take one by one."""

from __future__ import annotations

from itertools import product
from unittest import mock

import torch

import edm
from app.instruments import INSTRUMENTS
from app.work.shared import Work
from edm import schedules, timesteps
from edm.experiments import runner
from edm.experiments.experiment import Experiment
from edm.noises import NOISES
from edm.objective import WEIGHTS
from edm.preconditioning import PRECONDITIONINGS
from edm.sampling.denoisers import on
from edm.solvers import SOLVERS
from edm.training.events import Step
from edm.training.loop import train
from edm.training.parallel import World
from tests.app.instruments import bodies
from tests.contracts.away import network
from tests.edm.runs import points, tiny
from tests.pretended import gpu as pretend

ROWS = (SOLVERS, timesteps.DISCRETIZATIONS, schedules.SCHEDULES, schedules.SCALINGS, (0.0, 2.0))
NAMES = ("solver", "discretization", "schedule", "scaling", "S_churn")
TRAINED = ("spiral_mlp", "digits_edm", "digits_vp", "digits_ve", "digits_iddpm", "scenes_edm")


def apart(ends):
    """The largest difference of samples here and there, as a share of the largest number."""
    here, there = (end.cpu() for end in ends)
    return float((here - there).abs().max() / here.abs().max())


def samplers(gpu):
    rows = list(product(PRECONDITIONINGS, *ROWS))
    for pre, *row in rows:
        settings, ends = edm.Sampling(**dict(zip(NAMES, row, strict=True)), steps=3), []
        for device in ("cpu", gpu.devices[1]):
            denoiser, seeds = on(network("mlp", pre), device), edm.seeds(0, 3)
            latents = edm.latents(seeds, (2,), device=device)
            gpu.clear()
            ends.append(edm.last(edm.sample(denoiser, latents, settings, seeds=seeds)).x)
            assert not gpu.waits, f"{pre}, {row}: {gpu.waits}"
        assert ends[1].device == gpu.devices[1], row
        assert apart(ends) < 1e-3, f"{pre}, {row}: {apart(ends):.1e}"
    yield f"{len(rows)} samplers give the CPU's samples, and wait for nothing"


def experiments(gpu):
    for name in (*TRAINED, "eight_gaussians", "digits"):
        experiment = Experiment(model=name, count=2, sampling=edm.Sampling(steps=3))
        ends = [edm.last(runner.states(experiment, device)).x for device in ("cpu", gpu.devices[1])]
        assert apart(ends) < 1e-3, f"{name}: {apart(ends):.1e}"
    yield "every kind of model gives the CPU's samples"


def trainings(gpu):
    short = {"images": 32, "tick": 32, "checkpoint": 32, "samples": 1, "validation": 2}
    designs = [{"preconditioning": name} for name in PRECONDITIONINGS]
    designs += [{"noise": noise, "weight": weight} for noise in NOISES for weight in WEIGHTS]
    runs = [points(images=192, tick=192, design=design) for design in designs]
    runs += [tiny(**short), tiny(**short, micro_batch=4), tiny(**short, architecture={"network": "ncsnpp"})]
    for settings in runs:
        losses = []
        for device in (torch.device("cpu"), gpu.devices[1]):
            events = train(settings, World(0, 1, device))
            losses.append([event.loss for event in events if isinstance(event, Step)])
        far = max(abs(a / b - 1) for a, b in zip(*losses, strict=True))
        assert far < 1e-3, f"{settings.design.document()} learns something else there: {losses}"
    yield f"{len(runs)} trainings learn what the CPU learns"


def instruments(gpu):
    for name in INSTRUMENTS:
        gpu.clear()
        with mock.patch("edm.experiments.runner.quickest", lambda *asked: gpu.devices[1]):  # toys, too
            found = [body for _, (body, _) in zip(range(6), bodies(name, work=Work("pretend:1")), strict=False)]
        back = sum(count for where, count in gpu.waits.items() if not where.startswith("H2D"))
        assert found, name
        yield f"{name}: {len(found)} bodies, {back} waits"


def pretended(folder, dice):
    """All of it on the second of two pretended devices, and again on one that has no float64."""
    for without in (False, True):
        for part in (samplers, experiments, trainings, instruments):
            with pretend(2, no_float64=without) as gpu:
                for line in part(gpu):
                    yield ("without float64, " if without else "") + line
