"""Which patchwise ideal denoiser a network is nearest to."""

from functools import partial

import numpy as np
import pytest
import torch

import edm
from edm import diagnostics
from edm.base.errors import Refused
from edm.evaluation.copies import Known


def known():
    digits = edm.data.load("digits").denoiser
    return Known(digits.points[::6], ("",) * 300, digits.labels[::6])


def compared(denoiser, sigmas, **how):
    y, labels = diagnostics.held_out(edm.models.load("digits"))(range(12))
    return list(
        diagnostics.locality(denoiser, partial(diagnostics.patchwise, known()), y, labels, sigmas=sigmas, **how)
    )


@pytest.mark.parametrize("side", [3, 7, 15])
def test_a_patchwise_denoiser_is_nearest_to_itself_at_every_level(side):
    stages = compared(diagnostics.patchwise(known(), side), [0.3, 1.0, 3.0])
    assert [list(stage.rms) for stage in stages] == [[3, 5, 7, 9, 11, 13, 15][:n] for n in range(1, 8)]
    assert stages[-1].nearest == [side] * 3 and np.allclose(stages[-1].rms[side], 0, atol=1e-6)
    assert (stages[-1].rms[{3: 9, 7: 3, 15: 5}[side]] > 1e-3).all()


def test_a_network_is_nearer_to_small_patches_than_to_the_ideal_denoiser_where_it_makes_shapes():
    model = edm.models.load("digits_edm")
    patches = partial(diagnostics.patchwise, diagnostics.training_images(model))
    y, labels = diagnostics.held_out(model)(range(48))
    *_, found = diagnostics.locality(model.denoiser, patches, y, labels, sigmas=[0.5], sides=[3, 15])
    assert found.rms[3][0] == pytest.approx(0.097, abs=0.01) and found.rms[15][0] == pytest.approx(0.18, abs=0.015)


def test_without_classes_all_images_are_asked():
    x = torch.zeros(2, 1, 8, 8)
    local = diagnostics.patchwise(known(), 5, conditional=False)
    assert local.classes == 0 and diagnostics.patchwise(known(), 5).classes == 10
    everything = diagnostics.patchwise(known(), 5)(x, 0.5)
    torch.testing.assert_close(local(x, 0.5), everything)


@pytest.mark.parametrize(
    ("shape", "sides"),
    [((1, 8, 8), (3, 5, 7, 9, 11, 13, 15)), ((3, 32, 32), (3, 5, 7, 11, 17, 27, 41, 63)), ((1, 2, 2), (3,))],
)
def test_sides_are_odd_and_reach_from_neighbours_to_the_whole(shape, sides):
    assert diagnostics.patch_sides(shape) == sides


def test_points_have_no_patches():
    with pytest.raises(Refused, match="no patches; this needs images"):
        diagnostics.locality(lambda x, sigma: x, lambda side: lambda x, sigma: x, torch.zeros(4, 2))
