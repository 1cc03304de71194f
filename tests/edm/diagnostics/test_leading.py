"""What guidance samples, beside the densities that it may be taken for."""

import pytest
import torch

import edm
from edm.diagnostics import leading
from edm.sampling.loop import last

RIGHT = edm.Experiment(model="two_modes", label="right", guidance="free", guidance_weight=3, count=400)


def put(experiment):
    found = leading.beside(last(edm.runner.states(experiment)).x, leading.known(experiment, 400))
    return {one.known.title: one for one in found}


def test_what_is_guided_is_neither_of_its_class_nor_tilted():
    found = put(RIGHT.changed(sampling={"steps": 40}))
    assert all(one.distance > 5 * one.known.floor for one in found.values())
    tilted = found[leading.TILTED].known
    assert [float(tilted.mean), tilted.spread] == pytest.approx([0.5553, 0.2610], abs=1e-3)


def test_the_population_of_the_tilted_density_is_as_near_to_it_as_true_samples():
    found = put(RIGHT.changed(guidance="tilted", sampling={"steps": 100, "sigma_max": 20, "discretization": "edm"}))
    assert found[leading.TILTED].distance < 2 * found[leading.TILTED].known.floor
    assert found[leading.CLASS].distance > 2 * found[leading.CLASS].known.floor


def test_a_classifier_that_is_added_to_a_class_tilts_by_one_more():
    led = RIGHT.changed(guidance="classifier", guidance_weight=2)
    assert leading.led(led) == leading.led(RIGHT) == (1, 3.0)
    torch.testing.assert_close(last(edm.runner.states(led)).x, last(edm.runner.states(RIGHT)).x, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    "changes",
    [{"guidance": "none"}, {"label": None}, {"model": "digits", "label": 3}, {"model": "circles", "label": "each"}],
    ids=str,
)
def test_nothing_is_said_where_no_density_is_known(changes):
    assert leading.led(RIGHT.changed(**changes)) is None
    assert leading.known(RIGHT.changed(**changes), 10) == []


@pytest.mark.parametrize("weight", [0.0, 0.5, 3.0])
def test_points_of_the_tilted_density_have_its_moments(weight):
    mixture = edm.data.load("two_modes").labelled
    points = leading.tilted_points(mixture, 1, weight, 4000)
    mean, std = edm.guidance.tilted_moments(mixture, 1, weight)
    assert points.shape == (4000, 1)
    assert [float(points.mean()), float(points.std())] == pytest.approx([float(mean), float(std)], abs=0.03)
