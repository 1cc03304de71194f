"""Which training image a sample is nearest to, and whether it is a copy of it."""

import numpy as np
import pytest
import torch

import edm
from edm import diagnostics
from edm.base.errors import Refused
from edm.data import sources
from edm.data.settings import Data
from edm.evaluation import copies


def of_digits():
    return sources.open_source(Data(dataset="digits"))


def test_the_nearest_is_that_of_all_distances_and_a_copy_is_far_nearer_to_it_than_to_any_other():
    known = copies.images_of(of_digits())
    random = torch.Generator().manual_seed(0)
    noise = torch.randn(20, 1, 8, 8, generator=random)
    samples = known.images[::90] + torch.cat([0.01 * noise[:10], 0.6 * noise[10:]])
    found = copies.nearest(samples, known)
    distances = torch.cdist(samples.double().flatten(1), known.images.double().flatten(1)).sort(1)
    assert torch.equal(found.index, distances.indices[:, 0])
    torch.testing.assert_close(found.share.double(), distances.values[:, 0] / distances.values[:, 1])
    assert found.copies.tolist() == [True] * 10 + [False] * 10
    assert [known.names[k] for k in found.index[:10]] == [str(of_digits().labels[90 * k].item()) for k in range(10)]


def test_what_a_run_held_out_is_not_what_it_has_learned():
    source, held = of_digits(), [3, 1000]
    known = copies.images_of(source, held)
    left = np.delete(np.arange(1797), held)
    assert torch.equal(known.images, source.read(left)[0]) and len(known.names) == 1795


def test_names_are_those_of_the_images_where_they_have_some():
    known = diagnostics.training_images(edm.models.load("emoji"))
    found = diagnostics.nearest(sources.scaled(known.images[[5, 900]]) * 0.98, known)
    assert [known.names[k] for k in found.index] == [known.names[5], known.names[900]] and found.copies.all()


@pytest.mark.parametrize("name", ["spiral", "scenes_edm"])
def test_points_and_images_without_end_have_no_nearest(name):
    assert diagnostics.training_images(edm.models.load(name)) is None


def test_one_image_alone_is_refused():
    with pytest.raises(Refused, match="no second nearest"):
        copies.nearest(torch.zeros(1, 1, 8, 8), copies.Known(torch.zeros(1, 1, 8, 8), ("",)))


def test_a_report_of_the_ideal_denoiser_says_that_all_are_copies():
    exact = edm.data.load("digits").denoiser
    report = edm.last(edm.evaluation.evaluate(exact, "digits", edm.Sampling(steps=12), count=30, batch=16))
    assert report.copies == 1 and report.document()["copies"] == 1
