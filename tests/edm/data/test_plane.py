"""Points in more than two dimensions: a plane that networks learn and copy, drawn by its first two axes."""

import numpy as np
import torch

import edm
from app.figures import pack
from app.work.probes import Probe
from edm.files import render
from tests.app.work import final

EXPERIMENT = edm.Experiment(model="plane_16", count=30, sampling=edm.Sampling(steps=6))


def test_all_points_lie_on_a_plane_of_three_dimensions():
    y = edm.data.load("plane_16").sample(500, seed=2)
    spread = torch.linalg.svdvals(y)
    assert y.shape == (500, 16) and (spread[:3] > 10).all() and (spread[3:] < 1e-3).all()
    x = edm.last(edm.runner.states(EXPERIMENT)).x
    assert torch.linalg.svdvals(x)[3] < 1e-2 * torch.linalg.svdvals(x)[2]


def test_points_are_drawn_where_they_lie_in_the_plane():
    states = list(edm.runner.states(EXPERIMENT))
    run = pack.trajectory(states, 0.26)
    assert run["shape"] == (2,) and np.array_equal(render.unscaled(states)[-1], states[-1].x[:, :2].numpy())
    assert render.picture(edm.models.load("plane_16"), states).size == (800, 800)


def test_a_particle_in_the_plane_stays_in_it():
    body = final(Probe(experiment=EXPERIMENT, level=2, position=[0.3, -0.5]))
    assert np.array(body["path"]).shape == (5, 2) and np.allclose(body["path"][0], [0.3, -0.5])
