"""The picture by which a run's models are known is the first of its last samples."""

import base64
from types import SimpleNamespace

import numpy as np
import pytest

from app.training import film
from edm.embedded import basis
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


def test_points_in_many_dimensions_are_shown_in_the_plane_of_their_data(tmp_path):
    samples, axes = np.random.default_rng(1).normal(size=(5, 6)).astype("<f4"), basis(6, 2).T.copy()
    run = SimpleNamespace(folder=tmp_path / "run")
    for name in ("samples", "checkpoints"):
        (run.folder / name).mkdir(parents=True)
    with open(run.folder / "samples" / "00000000064.npz", "wb") as file:
        np.savez(file, samples=samples)
    for plane, drawn in ((axes, samples @ axes.T), (None, samples[:, :2])):
        frame = film.frame(run, 64, 5, plane=plane)
        told = film.thumbnail(run.folder / "checkpoints" / "00000000064.safetensors", (6,), plane)
        assert frame["dimension"] == 2 and set(frame) == {"images", "dimension", "x"}
        for text in (frame["x"], told):
            np.testing.assert_allclose(np.frombuffer(base64.b64decode(text), "<f4").reshape(5, 2), drawn, atol=1e-6)
