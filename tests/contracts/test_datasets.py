"""What every registered dataset must do; and of presets, that each opens."""

import pytest
import torch

import edm
from edm import data, presets

NAMES = [name for name in data.DATASETS if name != "drawn"]


@pytest.mark.parametrize("name", NAMES)
def test_it_knows_its_shape_classes_and_sigma_data(name):
    dataset = data.load(name)
    count = 1000 if len(dataset.shape) == 3 else 4000
    samples = dataset.sample(count, seed=1)
    assert samples.shape == (count, *dataset.shape)
    assert samples.dtype == torch.float32
    assert dataset.denoiser.classes == dataset.classes
    flat = samples.flatten(1)
    spread = float((flat - flat.mean(0)).square().mean().sqrt())
    assert dataset.sigma_data == pytest.approx(spread, rel=0.03)
    assert torch.equal(samples, dataset.sample(count, seed=1))
    assert not torch.equal(samples, dataset.sample(count, seed=2))


@pytest.mark.parametrize("name", NAMES)
def test_sampling_its_exact_denoiser_gives_the_data(name):
    dataset, images = data.load(name), len(data.load(name).shape) == 3
    z = edm.latents(edm.seeds(0, 40 if images else 300), dataset.shape)
    x = edm.last(edm.sample(dataset.denoiser, z, edm.Sampling(steps=18 if images else 64))).x
    if images:  # every sample is one of them
        nearest = torch.cdist(x.double().flatten(1), dataset.denoiser.points.double().flatten(1)).amin(1)
        assert (nearest < 0.02).all()
        return
    truth = dataset.sample(4000, seed=9)
    floor = edm.diagnostics.data_floor(dataset, len(x), truth, repeats=8)
    assert edm.diagnostics.sliced_wasserstein(x, truth) < 1.8 * floor + 0.01


def test_the_digits_are_scikit_learns():
    from sklearn.datasets import load_digits

    digits, known = data.load("digits").denoiser, load_digits()
    assert digits.points.shape == (1797, 1, 8, 8)
    assert (float(digits.points.min()), float(digits.points.max())) == (-1, 1)
    assert digits.points[:, 0].tolist() == (known.images / 8 - 1).tolist()
    assert digits.labels.tolist() == known.target.tolist()


@pytest.mark.parametrize(("name", "label"), [*(("digits", k) for k in range(10)), ("emoji", 3)])
def test_a_class_of_images_gives_only_that_class(name, label):
    exact = data.load(name).denoiser
    z = edm.latents(edm.seeds(5, 8), exact.shape)
    x = edm.last(edm.sample(exact, z, edm.Sampling(), labels=torch.full((8,), label))).x
    nearest = torch.cdist(x.flatten(1), exact.points.flatten(1)).argmin(1)
    assert (exact.labels[nearest] == label).all()


def test_the_paper_s_two_diracs():
    assert sorted(data.load("two_diracs").denoiser.points.flatten().tolist()) == [-1, 1]


def test_a_drawing_becomes_a_point_set():
    drawn = data.of(edm.Experiment(model="drawn", points=[[0, 1], [0.5, -0.25]]))
    assert drawn.denoiser.points.tolist() == [[0, 1], [0.5, -0.25]]
    with pytest.raises(ValueError, match="no points of its own"):
        data.load("drawn").sample(1)


def test_an_unknown_dataset_is_refused_by_name():
    with pytest.raises(ValueError, match=r"'moons'.*two_moons"):
        data.load("moons")


def test_the_designs_are_the_columns_of_table_1_and_flow_matching():
    columns = {
        "vp": ("euler", "vp", "vp", "vp"),
        "ve": ("euler", "ve", "ve", "none"),
        "iddpm": ("euler", "iddpm", "linear", "none"),
        "edm": ("heun", "edm", "linear", "none"),
        "flow": ("euler", "flow", "flow", "flow"),
    }
    assert presets.names("designs") == [f"designs/{name}" for name in columns]
    for name, rows in columns.items():
        sampling = presets.load(f"designs/{name}").sampling
        assert (sampling.solver, sampling.discretization, sampling.schedule, sampling.scaling) == rows
        assert sampling.S_churn == 0


@pytest.mark.parametrize("name", ["designs/xyz", "../settings", "designs/../designs/edm", "/etc/passwd", "designs"])
def test_an_unknown_preset_is_refused(name):
    with pytest.raises(edm.SettingsError, match="no preset"):
        presets.load(name)
