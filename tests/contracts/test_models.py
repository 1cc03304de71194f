"""What every shipped model must be: whole, small, described, reproducible, and good enough to look at."""

import shlex

import pytest
import torch

import edm
from edm import checkpoints, models
from edm.base.flat import unflatten
from edm.evaluation import classifiers
from edm.training.export import command
from edm.training.settings import trained_as

SHIPPED = [name for name in models.names() if models.load(name).trained]
FILES = sorted(models.FOLDER.rglob("*.safetensors"))
IMAGES = ["digits_vp", "digits_iddpm", "digits_edm", "scenes_edm"]


def test_what_ships_is_what_was_promised():
    toys = {"eight_gaussians_mlp", "two_moons_mlp", "spiral_mlp", "checkerboard_mlp"}
    columns = {f"digits_{name}" for name in ("vp", "ve", "iddpm", "edm")}
    assert toys | columns | {"scenes_edm", "scenes_edm_early", "emoji_edm", "emoji_vp"} <= set(SHIPPED)
    assert len([name for name in SHIPPED if models.load(name).family == "emoji_edm"]) >= 5
    assert sum(path.stat().st_size for path in FILES if path.stem.startswith("emoji")) < 20e6
    assert len([name for name in SHIPPED if models.load(name).family == "digits_edm"]) >= 4
    assert sum(path.stat().st_size for path in FILES) < 40e6


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_has_a_card_with_the_command_that_makes_it_again(path):
    header = checkpoints.read_header(path)
    card = path.with_suffix(".md").read_text()
    assert command(header) in card
    for word in ("**Data**", "**Training**", "steps of", " s; average of", "distance"):
        assert word in card
    words = shlex.split(command(header))[4:]
    settings = edm.Training.parse(unflatten(dict(w.removeprefix("--").split("=", 1) for w in words), edm.Training))
    assert settings == trained_as(header).changed(images=header.images)


def test_the_four_columns_differ_in_their_design_only():
    headers = [checkpoints.read_header(models.FOLDER / f"digits_{n}.safetensors") for n in ("vp", "ve", "iddpm", "edm")]
    for header in headers:
        assert trained_as(header).changed(design=trained_as(headers[0]).design.model_dump()) == trained_as(headers[0])
        assert header.images == headers[0].images
        design = trained_as(header).design
        assert design.preconditioning == design.noise
        assert design.label_dropout > 0


@pytest.mark.parametrize("name", SHIPPED)
def test_it_can_be_sampled(name):
    model = models.load(name)
    z = edm.latents(edm.seeds(0, 4), model.shape)
    labels = torch.arange(4) % model.classes if model.classes else None
    x = edm.last(edm.sample(model.denoiser, z, edm.Sampling(steps=6), labels)).x
    assert torch.isfinite(x).all()
    assert len(model.class_names) == model.classes


@pytest.mark.parametrize("name", ["eight_gaussians_mlp", "two_moons_mlp", "spiral_mlp", "checkerboard_mlp"])
def test_a_toy_model_gives_its_distribution(name):
    model = models.load(name)
    x = edm.last(edm.sample(model.denoiser, edm.latents(edm.seeds(0, 1000), (2,)), edm.Sampling())).x
    truth = model.dataset.sample(4000, seed=9)
    floor = edm.diagnostics.data_floor(model.dataset, 1000, truth)
    assert edm.diagnostics.sliced_wasserstein(x, truth) < 2.5 * floor


@pytest.mark.parametrize("name", IMAGES)
def test_an_image_model_draws_the_class_that_it_is_asked_for(name):
    """Judged by the classifier of its data, which knows nothing of the model."""
    model = models.load(name)
    count = 60 if name.startswith("digits") else 24
    labels = torch.arange(count) % model.classes
    z = edm.latents(edm.seeds(1, count), model.shape)
    x = edm.last(edm.sample(model.denoiser, z, edm.Sampling(steps=12), labels)).x
    assert x.abs().max() < 1.6
    judge, _ = classifiers.shipped(name.split("_")[0])
    found = judge(x.clamp(-1, 1))[0].argmax(1)
    assert float((found == labels).float().mean()) > 0.8
