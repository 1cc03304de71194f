"""Points on a plane in a space of more dimensions: known exactly, learned like any others, and drawn in their plane."""

import math

import numpy as np
import pytest
import torch

import edm
from app.figures import pack
from app.work.probes import Probe
from edm import data
from edm.base.fields import SettingsError
from edm.data import sources
from edm.data.settings import Data
from edm.embedded import Embedded, basis, from_plane, in_plane
from edm.exact import GaussianMixture
from edm.files.render import unscaled
from edm.training.events import Checkpoint
from tests.app.work import final
from tests.edm.runs import points

INNER = GaussianMixture([[0.6, -0.2], [-0.5, 0.4]], [0.2, 0.3], [0.3, 0.7], labels=[0, 1])
P = basis(5, 2)


def test_a_plane_has_axes_of_length_1_across_each_other_and_is_the_same_every_time():
    np.testing.assert_allclose(P.T @ P, np.eye(2), atol=1e-14)
    assert np.array_equal(basis(5, 2), P) and not np.allclose(basis(6, 2)[:5], P)


@pytest.mark.parametrize("labels", [None, [0, 1, 1, 0]])
def test_what_is_known_on_a_plane_is_what_a_mixture_with_flat_covariances_knows(labels):
    covariances = [std**2 * P @ P.T for std in (0.2, 0.3)]
    flat = GaussianMixture(INNER.means.numpy() @ P.T, covariances, [0.3, 0.7], labels=[0, 1])
    ours, x = Embedded(INNER, P), edm.latents(edm.seeds(3, 4), (5,)).double()
    labels = None if labels is None else torch.tensor(labels)
    for sigma in (0.1, 1.0, torch.tensor([0.2, 0.5, 2.0, 9.0])):
        torch.testing.assert_close(ours(x, sigma, labels), flat(x, sigma, labels), rtol=1e-9, atol=1e-12)
        torch.testing.assert_close(ours.both(x, sigma, labels)[1], flat.log_density(x, sigma, labels))
        torch.testing.assert_close(ours.score(x, sigma, labels), flat.score(x, sigma, labels), rtol=1e-9, atol=1e-9)
    assert ours.sigma_data == pytest.approx(flat.sigma_data) and ours.classes == 2


def test_data_of_any_points_can_have_more_dimensions():
    source = sources.open_source(Data(dataset="spiral", dimensions=512))
    y, exact = sources.read(source, np.arange(400))[0], data.chosen(Data(dataset="spiral", dimensions=512)).denoiser
    assert y.shape == (400, 512) and float(exact.distance(y).max()) < 1e-5
    torch.testing.assert_close(
        exact.within(y), sources.read(sources.open_source(Data(dataset="spiral")), range(400))[0]
    )
    assert sources.spread(source, 4000) == pytest.approx(data.load("spiral").sigma_data / 16, rel=0.03)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"dataset": "spiral", "dimensions": 1}, "dimensions = 1: must be at least 2, those of spiral"),
        ({"dataset": "digits", "dimensions": 70}, "dimensions = 70: is only for the datasets eight_gaussians"),
        (
            {"dataset": "spiral", "dimensions": 5000},
            "dimensions = 5000: must be a whole number, at least 1 and at most",
        ),
    ],
)
def test_what_has_no_such_dimensions_says_so(document, words):
    with pytest.raises(SettingsError, match=words):
        Data.parse(document)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A network that has learned a little of a spiral in six dimensions."""
    path = tmp_path_factory.mktemp("run") / "6.safetensors"
    learned = points(images=64, data={"dataset": "spiral", "dimensions": 6})
    [event.state.save(path) for event in edm.train(learned) if isinstance(event, Checkpoint)]
    name = edm.models.register(path, "spiral_6")
    yield edm.models.load(name)
    edm.models.forget(name)


def test_its_samples_are_drawn_in_the_plane_of_its_data_over_their_density(model):
    states = list(edm.runner.states(edm.Experiment(model=model.name, count=7, sampling=edm.Sampling(steps=3))))
    axes = basis(6, 2).T
    assert model.dataset.name == "spiral-6" and np.array_equal(model.plane, axes)
    drawn = states[-1].x.numpy() @ axes.T
    np.testing.assert_allclose(unscaled(states, model.plane)[-1], drawn, atol=1e-6)
    assert pack.trajectory(states, 0.2, plane=model.plane)["shape"] == (2,)
    assert pack.components(model.dataset.denoiser)["count"] == len(data.load("spiral").denoiser.means)
    assert math.isfinite(edm.diagnostics.measures.to_data(edm.Experiment(model=model.name), "distance")(states[-1].x))


def test_a_particle_that_is_put_there_begins_there(model):
    experiment = edm.Experiment(model=model.name, count=3, sampling=edm.Sampling(steps=4))
    path = final(Probe(experiment=experiment, level=2, position=[0.3, -0.5]))["path"]
    assert np.allclose(path[0], [0.3, -0.5], atol=1e-5) and len(path) == 3
    places = torch.tensor([[0.3, -0.5]])
    torch.testing.assert_close(in_plane(from_plane(places, 6, model.plane), model.plane), places)
