"""Images in folders of their classes, and a run that has learned them."""

import pytest

from tests.edm.data.held import CLASSES, draw, settings, trained


@pytest.fixture
def images(tmp_path):
    """60 images of two classes, whose shade tells the class."""
    folder = tmp_path / "set"
    for k in range(60):
        draw(folder, f"{CLASSES[k % 2]}/{k:03}.png", 40 + 2 * k % 80 + 120 * (k % 2))
    return folder


@pytest.fixture
def run(images, tmp_path):
    trained(settings(images), tmp_path / "run")
    return tmp_path / "run"
