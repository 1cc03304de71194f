"""The picture by which a run's models are known is the first of its last samples."""

import base64

import numpy as np
import pytest

from app.training import film
from edm.files import render


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 32, 32)], ids=["gray", "colour"])
def test_the_thumbnail_of_a_run_of_images_is_its_last_first_sample(tmp_path, shape):
    images = np.random.default_rng(0).uniform(-1, 1, (4, *shape)).astype(np.float32)
    run = tmp_path / "run"
    (run / "samples").mkdir(parents=True)
    (run / "checkpoints").mkdir()
    render.grid(images, render.scale_of(shape)).save(run / "samples" / "00000000064.png")
    told = film.thumbnail(run / "checkpoints" / "00000000064.safetensors", shape)
    found = np.frombuffer(base64.b64decode(told), np.uint8).reshape(shape)
    np.testing.assert_allclose(found / 127.5 - 1, images[0], atol=1.01 / 127.5)
