"""What the page shows leaves a GPU once: each preview is one copy of what is new in it."""

import pytest

from app.instruments import INSTRUMENTS
from app.instruments.base import Context
from app.work import watch
from app.work.measures import Measures
from app.work.pictures import Picture, Window
from app.work.probes import Probe
from app.work.shared import Work
from app.work.watch import Watch
from edm import models
from edm.experiments.experiment import Experiment
from edm.sampling.denoisers import on
from edm.sampling.settings import Sampling
from tests import pretended
from tests.app.work import bodies, final

DIGITS = Experiment(model="digits_edm", count=2, sampling=Sampling(steps=3))
POINTS = Experiment(model="spiral_mlp", count=5, sampling=Sampling(steps=3, S_churn=1))
TOY = Experiment(model="eight_gaussians", count=5, sampling=Sampling(steps=3))


def counted(gpu, job, experiment):
    """(its bodies, the copies from the GPU that they took)."""
    on(models.load(experiment.model).denoiser, gpu.device)
    gpu.clear()
    found = list(bodies(job, Work(gpu.device)))
    return found, gpu.copies["D2H"]


@pytest.mark.parametrize("experiment", [DIGITS, POINTS], ids=lambda e: e.model)
@pytest.mark.parametrize("seconds", [0.0, 100.0])
def test_each_preview_is_one_copy_of_what_is_new(experiment, seconds, monkeypatch):
    monkeypatch.setattr(watch, "PREVIEW_SECONDS", seconds)
    with pretended.gpu() as gpu:
        found, copies = counted(gpu, Picture(experiment=experiment), experiment)
        assert copies == (4 if seconds == 0 else 1)  # of four states
        assert gpu.moved["D2H"] == 7 * 4 * 64 * 2 if experiment is DIGITS else 7 * 4 * 2 * 5  # x and D; at σ = 0 one
    run, here = found[-1][0]["run"], final(Picture(experiment=experiment))["run"]
    assert {name: run[name] for name in run if name not in ("x", "denoised")} == {
        name: here[name] for name in here if name not in ("x", "denoised")
    }
    assert len(run["x"]) == len(here["x"]) and (experiment is DIGITS or run["x"] == here["x"])


@pytest.mark.parametrize(
    ("job", "copies"),
    [
        (Picture(experiment=POINTS, field=Window()), 2),  # and of the arrows
        (Probe(experiment=POINTS, level=1, position=(0.1, 0.2)), 2),  # its path, and the samples beside it
        (Measures(experiment=POINTS), 1),  # the samples
        (Picture(experiment=TOY, field=Window()), 0),  # which is quicker on the CPU
    ],
    ids=lambda case: getattr(case, "kind", None),
)
def test_what_is_shown_together_is_copied_together(job, copies):
    with pretended.gpu() as gpu:
        assert counted(gpu, job, job.experiment)[1] == copies


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("churn", {"data": "digits_edm", "steps": 3, "index": 1}),
        ("churn", {"data": "spiral_mlp", "what": "rounds", "rounds": 3}),
    ],
)
def test_figures_are_copied_once_for_each_time_they_are_drawn(name, settings):
    instrument = INSTRUMENTS[name]
    with pretended.gpu() as gpu:
        context = Context(Work(gpu.device), Watch(), Experiment())
        context.denoiser(models.load(settings["data"]))
        gpu.clear()
        drawn = list(instrument.respond(instrument.settings.parse(settings), context))
        assert gpu.copies["D2H"] == gpu.waits.total() <= len(drawn)
