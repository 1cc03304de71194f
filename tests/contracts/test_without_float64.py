"""On a device that has no float64, as Apple's MPS, here a pretended one, it samples and trains as on the CPU."""

import pytest
import torch

import edm
from app.work import numbers
from app.work.shared import Work
from app.work.watch import Watch
from edm import evaluation, models
from edm.base import devices
from edm.base.errors import Refused
from edm.experiments import runner
from edm.experiments.experiment import Experiment
from edm.training.events import Checkpoint, Step, Tick
from edm.training.loop import train
from edm.training.parallel import World
from tests import pretended
from tests.edm.runs import points, tiny

IDDPM = {"preconditioning": "iddpm", "noise": "iddpm", "weight": "simple"}
RUNS = {
    "points": points(images=192, checkpoint=64, tick=192, samples=1),
    "iddpm": points(images=128, tick=128, samples=1, design=IDDPM),
    "everything": tiny(images=16, tick=16, samples=1, validation=2),
}


def told(events):
    """(losses, validation) of a run."""
    losses, measured = [], []
    for event in events:
        losses += [event.loss] if isinstance(event, Step) else []
        measured += event.validation if isinstance(event, Tick) else []
    return losses, measured


@pytest.mark.parametrize("name", RUNS)
def test_it_trains_as_the_cpu_does(name):
    with pretended.gpu(no_float64=True) as gpu:
        there = told(train(RUNS[name], World(0, 1, gpu.device)))
    for got, expected in zip(there, told(train(RUNS[name])), strict=True):
        assert got == pytest.approx(expected, rel=1e-3)


def test_a_run_goes_on_there_from_where_it_was_and_elsewhere_from_there(tmp_path):
    settings = RUNS["points"]
    whole, _ = told(train(settings))
    with pretended.gpu(no_float64=True) as gpu:
        for event in train(settings, World(0, 1, gpu.device)):
            if isinstance(event, Checkpoint) and event.images == 64:
                event.state.save(tmp_path / "there.safetensors")
                break
        again, _ = told(train(settings, World(0, 1, gpu.device), resume=tmp_path / "there.safetensors"))
    here, _ = told(train(settings, resume=tmp_path / "there.safetensors"))
    assert again == pytest.approx(whole[1:], rel=1e-3) and here == pytest.approx(whole[1:], rel=1e-3)


@pytest.mark.parametrize("name", ["two_moons", "spiral_mlp", "digits", "digits_edm", "digits_iddpm"])
def test_it_samples_as_the_cpu_does(name):
    experiment = Experiment.parse({"model": name, "count": 3, "sampling": {"steps": 3, "S_churn": 1.0}})
    here = edm.last(runner.states(experiment)).x
    with pretended.gpu(no_float64=True) as gpu:
        there = edm.last(runner.states(experiment, gpu.device)).x
        assert there.device == gpu.device
        torch.testing.assert_close(there.cpu(), here, rtol=0, atol=1e-2)


def test_it_evaluates_as_the_cpu_does():
    model, settings = models.load("spiral_mlp"), edm.Sampling(steps=2)
    here = edm.last(evaluation.evaluate(model.denoiser, "spiral", settings, count=6, reference=20))
    with pretended.gpu(no_float64=True) as gpu:
        there = model.denoiser.to(gpu.device)
        report = edm.last(evaluation.evaluate(there, "spiral", settings, count=6, reference=20, device=gpu.device))
    assert report.sliced_wasserstein == pytest.approx(here.sliced_wasserstein, rel=1e-3)
    assert report.loss == pytest.approx(here.loss, rel=1e-3)
    assert report.score_error == pytest.approx(here.score_error, rel=1e-3)


def test_the_page_says_what_a_script_would_take_there(monkeypatch):
    monkeypatch.setattr(numbers, "MOST_SECONDS", 1e6)
    with pretended.gpu(no_float64=True) as gpu:
        work = Work(str(gpu.device))
        assert numbers.check_cost(Experiment(model="spiral_mlp", count=3), work, Watch()) is None
        monkeypatch.setattr(numbers, "MOST_SECONDS", 1e-6)
        with pytest.raises(Refused, match="would take about"):
            numbers.check_cost(Experiment(model="spiral_mlp", count=4096, sampling={"steps": 1000}), work, Watch())


def test_states_of_float64_are_refused_with_a_sentence():
    with pretended.gpu(no_float64=True) as gpu:
        assert devices.precise(gpu.device) == torch.float32
        with pytest.raises(Refused, match="pretend has no float64; use float32"):
            edm.latents([1], (2,), torch.float64, gpu.device)
    assert devices.precise("mps") == torch.float32 and devices.precise("cuda:1") == torch.float64
    with pytest.raises(Refused, match="mps has no float64"):
        edm.latents([1], (2,), torch.float64, "mps")
