"""Where the data of a measurement come from: those that the run itself was judged on."""

import os

import pytest
import torch

from edm import data, diagnostics, models
from edm.data import sources
from edm.data.settings import Data
from edm.data.split import Split
from edm.files.checkpoints import Header


def trained(path=None, **settings):
    """digits_edm, as if it had been trained on other data."""
    model = models.load("digits_edm")
    header = Header.parse({**model.header.document(complete=True), "training": {"data": {**settings, "path": path}}})
    return models.Model("x", "X", model.shape, model.classes, 16, None, model.path, header)


def scenes():
    model = trained(dataset="scenes")
    return models.Model("x", "X", (3, 32, 32), model.classes, 16, None, model.path, model.header)


def test_images_that_were_held_out_are_those_of_the_runs_validation():
    draw = diagnostics.held_out(trained(dataset="digits"))
    assert (draw.words, draw.size, draw.shape) == ("held out", 89, (1, 8, 8))
    split = Split(sources.open_source(Data(dataset="digits")), None)
    expected, labels = sources.read(split.source, split.validation(64))
    y, classes = draw(range(64))
    torch.testing.assert_close(y, expected, rtol=0, atol=0)
    assert classes.tolist() == labels.tolist()
    again = draw([89, 90])[0]  # and from the start again
    torch.testing.assert_close(again, y[:2], rtol=0, atol=0)


def test_a_run_that_held_nothing_out_says_so():
    draw = diagnostics.held_out(models.load("digits_edm"))
    assert "held none out" in draw.words and draw.size == 1797


def test_exact_and_learned_models_of_the_same_data_meet_the_same_samples():
    for exact, learned in (("digits", "digits_edm"), ("two_moons", "two_moons_mlp")):
        one, other = (diagnostics.held_out(models.load(name)) for name in (exact, learned))
        torch.testing.assert_close(one([3, 70])[0], other([3, 70])[0], rtol=0, atol=0)
    assert diagnostics.held_out(models.load("digits")).words == "the data set itself"


def test_fresh_samples_are_of_the_distribution_and_of_no_run():
    model = models.load("two_moons_mlp")
    draw = diagnostics.held_out(model)
    y, labels = draw(range(4000))
    assert draw.words == "fresh samples" and draw.size is None and labels is None
    assert diagnostics.sliced_wasserstein(y, model.dataset.sample(4000, seed=1)) < 0.05
    split = Split(sources.open_source(Data(dataset="two_moons")), None)
    for seed in (0, 1, 2**20 - 1):
        reach = split.training([0, 10**11 - 1], seed)  # no run is longer
        start = split.validation(1)[0]
        assert not reach[0] <= start <= reach[1] and not reach[0] <= start + 10**11 <= reach[1]


def test_scenes_are_fresh_and_labelled():
    y, labels = diagnostics.held_out(scenes())([0, 5])
    assert y.shape == (2, 3, 32, 32) and labels.shape == (2,) and float(y.abs().max()) <= 1


def test_a_drawing_is_shuffled_so_that_the_first_samples_are_from_all_over_it():
    points = [(i / 100 - 1, 0.0) for i in range(200)]
    dataset = data.Dataset("drawn", "Your drawing", (2,), lambda: data.toy.drawn(points))
    draw = diagnostics.held_out(models.Model("drawn", "Your drawing", (2,), 0, 400, dataset))
    y = draw(range(200))[0]
    assert len(set(y[:, 0].tolist())) == 200 and float(y[:64, 0].mean()) == pytest.approx(0, abs=0.2)


def test_data_that_are_not_here_are_a_sentence(tmp_path):
    for settings in (
        {"dataset": "cifar10", "path": str(tmp_path / "none"), "download": True},
        {"dataset": "folder", "path": str(tmp_path / "gone")},
    ):
        with pytest.raises(ValueError, match="the data of X cannot be read on this machine: ") as caught:
            diagnostics.held_out(trained(**settings))
        assert str(tmp_path) in str(caught.value)
    assert not os.listdir(tmp_path)  # nothing was fetched


def test_a_model_of_unknown_data_or_of_another_shape_is_a_sentence():
    header = trained(dataset="digits").header
    unknown = header.changed(training=None)
    model = models.load("digits_edm")
    with pytest.raises(ValueError, match="does not say"):
        diagnostics.held_out(models.Model("x", "X", model.shape, 10, 16, None, model.path, unknown))
    with pytest.raises(ValueError, match=r"shape \[3, 32, 32\]"):
        diagnostics.held_out(trained(dataset="scenes"))
