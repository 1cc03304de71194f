"""Parts of distributions of points: classes of their exact denoisers, told to a training where it asks."""

import pytest
import torch

import edm
from edm.base.errors import Refused
from edm.data import sources
from edm.data.settings import Data

PARTED = [name for name, dataset in edm.data.DATASETS.items() if dataset.parts]


@pytest.mark.parametrize("name", PARTED)
def test_parts_are_classes_of_the_exact_denoiser(name):
    model = edm.models.load(name)
    assert model.class_names == edm.data.load(name).parts and model.denoiser.classes == model.classes > 1
    part = model.dataset.sample(200, label=1)
    assert model.denoiser.log_class_probability(part, 0.0).argmax(1).eq(1).double().mean() > 0.8


def test_what_learns_is_told_of_parts_only_where_it_asks():
    plain, told = (sources.open_source(Data(dataset="two_moons", labels=labels)) for labels in (None, "parts"))
    assert (plain.classes, sources.read(plain, range(4))[1]) == (0, None)
    assert told.class_names == ("upper moon", "lower moon")
    points, labels = sources.read(told, range(300))
    assert torch.equal(points, sources.read(plain, range(300))[0])
    best = edm.data.load("two_moons").labelled.log_class_probability(points, 0.0).argmax(1)
    assert best.eq(labels).double().mean() > 0.99


@pytest.mark.parametrize(("name", "labels", "words"), [
    ("two_moons", "names", "must be 'parts'"), ("spiral", "parts", "only for the datasets"),
])  # fmt: skip
def test_where_classes_cannot_stand_is_refused(name, labels, words):
    with pytest.raises(Refused, match=words):
        Data(dataset=name, labels=labels)
