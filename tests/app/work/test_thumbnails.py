"""Thumbnails: those that ship are what the models draw, and of other networks they are drawn when a page asks."""

import base64

import numpy as np
import pytest

from app.tabs import controls
from app.work import thumbnails
from app.work.shared import Work
from app.work.thumbnails import Thumbnails
from app.work.watch import Watch
from edm import models
from edm.files import checkpoints
from tests.app.work import bodies

SHIPPED = [model for model in models.every() if model.path and model.path.parent == models.FOLDER]


@pytest.fixture
def copied():
    """The name of a model that has been shown from elsewhere, with what it draws."""
    name = models.register(models.load("spiral_mlp").path, "elsewhere")
    yield name
    models.forget(name)


def numbers(model, thumbnail):
    data = base64.b64decode(thumbnail)
    return np.frombuffer(data, "<f4") if len(model.shape) == 1 else np.frombuffer(data, np.uint8).astype(int)


@pytest.mark.parametrize("model", SHIPPED, ids=lambda model: model.name)
def test_the_thumbnail_that_ships_with_a_model_is_what_it_draws(model):
    kept = thumbnails.shipped(model)
    assert kept, "run `python -m app.work.thumbnails`"
    drawn = numbers(model, thumbnails.drawn(model, Work("cpu"), Watch()))
    assert np.abs(numbers(model, kept) - drawn).max() <= (0.01 if len(model.shape) == 1 else 2), (
        "run `python -m app.work.thumbnails`"
    )


def test_what_a_page_knows_from_the_start_asks_no_network(monkeypatch, copied):
    def asked(*_):
        raise AssertionError("a network was loaded")

    monkeypatch.setattr(checkpoints, "load", asked)
    found = {model["name"]: model.get("thumbnail") for model in controls.boot()["models"]}
    assert all(found[model.name] for model in SHIPPED)
    assert not found["drawn"] and not found[copied]


def test_of_another_network_a_thumbnail_is_drawn_when_it_is_asked_for(copied):
    names = copied, "nobody"
    (first, more), (second, last) = bodies(Thumbnails(models=names))
    assert (first["model"], first["thumbnail"]) == (copied, thumbnails.drawn(models.load(copied), Work("cpu"), Watch()))
    assert second == {"model": "nobody", "thumbnail": None}
    assert (more, last) == (False, True)
