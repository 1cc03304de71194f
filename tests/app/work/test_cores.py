"""Dividing a batch changes when its parts are computed, and nothing else."""

import pytest
import torch

from app.work import cores
from app.work.tickets import Superseded, Tickets
from app.work.watch import Watch
from edm import models

DENOISER = models.load("scenes_edm").denoiser
X, LABELS = torch.randn(13, 3, 32, 32, generator=torch.Generator().manual_seed(0)), torch.arange(13) % 6


@pytest.fixture(autouse=True)
def three_cores(monkeypatch):
    monkeypatch.setattr(cores, "CORES", 3)


@pytest.mark.parametrize("sigma", [0.7, torch.linspace(0.1, 5, 13, dtype=torch.float64)], ids=["one", "each its own"])
@pytest.mark.parametrize("labels", [None, LABELS], ids=["no labels", "labels"])
@torch.no_grad()
def test_the_parts_are_the_whole(sigma, labels):
    whole = DENOISER(X, sigma, labels)
    torch.testing.assert_close(cores.divided(DENOISER, X, sigma, *([] if labels is None else [labels])), whole)


def test_small_batches_and_points_stay_whole():
    seen = []
    for shape in ((2, 3, 32, 32), (400, 2), (16, 1, 8, 8)):
        cores.divided(lambda x, sigma: seen.append(tuple(x.shape)), torch.zeros(shape), 1.0)
        assert seen.pop() == shape


def test_what_goes_wrong_in_a_part_goes_wrong_in_the_whole():
    def broken(x, sigma):
        raise ValueError(f"{len(x)} images")

    with pytest.raises(ValueError, match="4 images"):
        cores.divided(broken, X, 1.0)


def test_an_overtaken_request_ends_before_any_part():
    tickets = Tickets()
    watched = Watch(tickets.take("a", "main", 1))(DENOISER)
    tickets.take("a", "main", 2)
    with pytest.raises(Superseded):
        watched(X, 1.0)
