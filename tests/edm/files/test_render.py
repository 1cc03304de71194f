"""Sheets of images: what is drawn can be found again."""

import numpy as np
import pytest

from edm.files import render


@pytest.mark.parametrize(("count", "shape"), [(1, (1, 8, 8)), (7, (3, 16, 16)), (16, (1, 64, 64))])
def test_a_sheet_tells_where_its_tiles_lie_and_its_picture_how_it_is_laid_out(count, shape):
    images = np.random.default_rng(0).uniform(-1, 1, (count, *shape)).astype(np.float32)
    scale = render.scale_of(shape)
    picture = render.grid(images, scale)
    layout = render.sheet(count, shape[2] * scale, shape[1] * scale)
    assert picture.size == layout.size
    assert render.sheet_of(picture, count) == layout
    left, top = layout.place(count - 1)
    last = np.asarray(picture)[top : top + layout.height : scale, left : left + layout.width : scale]
    np.testing.assert_array_equal(last.transpose(2, 0, 1)[: shape[0]], render.to_uint8(images[-1]))
    np.testing.assert_allclose(render.first_of(picture, shape), images[0], atol=1.01 / 127.5)


def test_a_sheet_may_have_columns_of_ones_own():
    assert (render.sheet(7, 5, 5, columns=7).rows, render.sheet(7, 5, 5).columns) == (1, 3)
