"""What evaluations are asked of in tests, and how they are made quick."""

import sys

import pytest

import edm
from edm.evaluation import features
from tests.edm.evaluation import inceptions


@pytest.fixture
def quick(monkeypatch):
    """The denoiser itself is measured on few samples."""
    monkeypatch.setattr(sys.modules["edm.evaluation.evaluate"], "MEASURED", 4)


@pytest.fixture
def digits():
    return edm.data.load("digits").denoiser


@pytest.fixture
def inception(monkeypatch):
    """In the place of Inception, five numbers of an image."""
    monkeypatch.setattr(features, "inception", inceptions.stub)
    return "weights.pth"
