"""What is kept for all is nobody's to change: a result that was handed out can be written into without a trace."""

import copy

import numpy as np
import pytest
import torch

import edm
from app.training import datasets, recipes
from edm import models, runner
from edm.base.fields import knobs
from edm.data import split
from edm.evaluation import classifiers
from edm.exact import PointSet
from edm.experiments.experiment import Experiment
from edm.sampling.settings import Sampling


def spoil(value):
    """Write into everything mutable that can be reached."""
    if isinstance(value, torch.Tensor):
        value.fill_(7)
    elif isinstance(value, np.ndarray):
        value[...] = 7
    elif isinstance(value, torch.nn.Module):
        for tensor in value.state_dict().values():
            tensor.fill_(7)
    elif isinstance(value, dict):
        for part in value.values():
            spoil(part)
        value["spoiled"] = True
    elif isinstance(value, list):
        for part in value:
            spoil(part)
        value.append("spoiled")
    elif isinstance(value, tuple):
        for part in value:
            spoil(part)


def plain(value):
    """The same as data that can be compared."""
    if isinstance(value, torch.nn.Module):
        return {name: tensor.tolist() for name, tensor in value.state_dict().items()}
    if isinstance(value, torch.Tensor | np.ndarray):
        return value.tolist()
    return [plain(part) for part in value] if isinstance(value, tuple) else copy.deepcopy(value)


HANDED_OUT = {
    "latents and labels of an experiment": lambda: runner.start(Experiment(model="digits_edm", count=3)),
    "points of an exact denoiser": lambda: edm.data.load("digits").denoiser.points,
    "samples of a dataset": lambda: edm.data.load("spiral").sample(5),
    "a classifier, and what its file says": lambda: classifiers.shipped("digits"),
    "a preset": lambda: edm.presets.read("designs/vp"),
    "a recipe": lambda: recipes.recipe((1, 8, 8), "small", "vp"),
    "the fields of a shipped dataset": lambda: datasets.named("spiral", "runs").fields,
    "the declarations of knobs": lambda: knobs(Sampling),
}


@pytest.mark.parametrize("name", HANDED_OUT)
def test_what_is_handed_out_can_be_spoiled_and_comes_again_as_it_was(name):
    make = HANDED_OUT[name]
    before = plain(make())
    spoil(make())
    assert plain(make()) == before


def test_what_is_kept_and_not_copied_cannot_be_written_into():
    for array in (edm.timesteps.iddpm_u(), split.order(0, 0, 10)):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


@pytest.mark.parametrize("name", ["two_moons_mlp", "digits_edm", "digits", "eight_gaussians"])
def test_a_denoiser_that_is_asked_for_on_another_device_stays_where_it_is(name):
    denoiser = models.load(name).denoiser
    there = denoiser.to("meta")
    x = edm.latents([0, 1], denoiser.shape)
    assert denoiser(x, 1.0).device.type == "cpu"
    assert models.load(name).denoiser(x, 1.0).isfinite().all()
    assert there is not denoiser
    if hasattr(denoiser, "network"):
        assert {p.device.type for p in there.network.parameters()} == {"meta"}
        assert {p.device.type for p in denoiser.network.parameters()} == {"cpu"}
        assert denoiser.to("cpu") is denoiser and denoiser.to(torch.device("meta")) is there  # copied once


def test_a_copy_on_another_device_follows_the_weights():
    denoiser = copy.deepcopy(models.load("two_moons_mlp").denoiser)
    first = denoiser.to("meta")
    with torch.no_grad():
        next(denoiser.network.parameters()).add_(1)
    assert denoiser.to("meta") is not first


def test_an_exact_denoiser_has_no_answer_for_a_class_without_points():
    exact = PointSet([[0.0], [1.0]], labels=[0, 5])
    assert exact(torch.zeros(2, 1), 1.0, torch.tensor([0, 5])).isfinite().all()
    with pytest.raises(ValueError, match="labels contain 3: no component"):
        exact(torch.zeros(2, 1), 1.0, torch.tensor([0, 3]))
    with pytest.raises(ValueError, match="label = 3: no component"):
        exact.sample(4, label=3)
    with pytest.raises(ValueError, match="label = 0: no component"):
        edm.data.load("spiral").sample(4, label=0)
