"""Closed-form denoisers on a device, here a pretended one: they live where their means are, and nothing waits."""

import numpy as np
import pytest
import torch

from edm.base.errors import Refused
from edm.exact import GaussianMixture, PointSet
from tests import pretended
from tests.edm.test_exact import COVARIANCES, LABELS, MEANS, STDS, WEIGHTS, X

WIDTHS = {"isotropic": STDS, "equal widths": 0.3, "covariances": COVARIANCES}
LEVELS = torch.linspace(0.1, 2, len(X), dtype=torch.float64)
WANTED = torch.tensor([0, 1, 1, 0, 0])


def answers(mixture, x, sigma, labels=None):
    """All that it can be asked, on the CPU."""
    asked = mixture(x, sigma, labels), mixture.score(x, sigma, labels), mixture.log_density(x, sigma, labels)
    assert {answer.device for answer in asked} == {x.device}
    return [answer.cpu() for answer in asked]


@pytest.mark.parametrize("name", WIDTHS)
def test_a_mixture_lives_where_its_means_are_wherever_the_rest_comes_from(name):
    given, here = WIDTHS[name], GaussianMixture(MEANS, WIDTHS[name], WEIGHTS, LABELS)
    with pretended.gpu(2) as gpu:
        first, second = gpu.devices
        away = given if isinstance(given, float) else given.to(second)
        x = X.to(first)
        for made in (
            here.to(first),
            GaussianMixture(MEANS.to(first), given, WEIGHTS, LABELS.tolist()),
            GaussianMixture(MEANS.to(first), away, WEIGHTS.to(second), LABELS.to(second)),
            GaussianMixture(MEANS.to(first), away, WEIGHTS.numpy(), LABELS.to(first)),
            GaussianMixture(MEANS, away, WEIGHTS.to(first), LABELS).to(first),
        ):
            assert made.sigma_data == here.sigma_data and made.classes == here.classes
            for sigma, labels in (
                (0.4, None),
                (LEVELS.to(first), WANTED.to(first)),
                (LEVELS.to(second), WANTED.tolist()),
            ):
                told = None if labels is None else WANTED
                expected = answers(here, X, 0.4 if labels is None else LEVELS, told)
                assert all(map(torch.equal, answers(made, x, sigma, labels), expected))
            assert torch.equal(made.sample(4, seed=2, label=1), here.sample(4, seed=2, label=1))
            u = torch.full((3, 3), 0.3, dtype=torch.float64)
            assert torch.equal(made.quantiles(u.to(second)), here.quantiles(u))
            assert torch.equal(made.weights().cpu(), here.weights()) and torch.equal(made.stds().cpu(), here.stds())
            assert torch.equal(made.to("cpu")(X, 0.4), here(X, 0.4))


def test_points_on_a_device_are_a_denoiser_there():
    with pretended.gpu() as gpu:
        made, here = PointSet(MEANS.to(gpu.device), LABELS), PointSet(MEANS, LABELS)
        assert made.points.device == gpu.device and torch.equal(made.points.cpu(), MEANS)
        assert all(map(torch.equal, answers(made, X.to(gpu.device), 0.2, WANTED), answers(here, X, 0.2, WANTED)))


def test_what_lies_on_another_device_than_the_mixture_is_named():
    with pretended.gpu(2) as gpu:
        mixture = GaussianMixture(MEANS.to(gpu.device), 0.3)
        for x in (X, X.to(gpu.devices[1])):
            with pytest.raises(Refused, match=f"x is on {x.device}, but this distribution on pretend:0; move"):
                mixture(x, 0.5)
        with pytest.raises(Refused, match="x is on pretend:0, but this distribution on cpu"):
            GaussianMixture(MEANS, 0.3).score(X.to(gpu.device), 0.5)


@pytest.mark.parametrize("name", WIDTHS)
def test_nothing_waits_for_what_is_asked(name):
    with pretended.gpu() as gpu:
        mixture, x = GaussianMixture(MEANS, WIDTHS[name], WEIGHTS, LABELS).to(gpu.device), X.to(gpu.device)
        levels, wanted = LEVELS.to(gpu.device), WANTED.to(gpu.device)
        gpu.clear()
        for sigma in (0.4, np.float64(0.4), torch.tensor(0.4), levels, LEVELS, LEVELS.tolist(), levels[0]):
            for labels in (None, wanted, WANTED, WANTED.tolist()):
                mixture(x, sigma, labels)
                mixture.log_density(x, sigma, labels)
        assert not gpu.waits


def test_what_comes_from_the_host_is_still_checked():
    with pretended.gpu() as gpu:
        mixture, x = PointSet(MEANS, [0, 2, 2]).to(gpu.device), X.to(gpu.device)
        for sigma in (0.0, -1.0, torch.tensor([0.0]), [1.0, 1.0, 1.0, 0.0, 1.0]):
            with pytest.raises(Refused, match="must be greater than 0"):
                mixture(x, sigma)
        for labels, words in (
            ([0] * 4, "5 integer"),
            ([0, 0, 0, 0, 5], "contain 5"),
            ([1] * 5, "contain 1: no component"),
        ):
            with pytest.raises(Refused, match=words):
                mixture(x, 1.0, labels)


@pytest.mark.parametrize("name", WIDTHS)
def test_float32_is_near_where_the_device_has_no_float64(name):
    here = GaussianMixture(MEANS, WIDTHS[name], WEIGHTS, LABELS)
    with pretended.gpu(no_float64=True) as gpu:
        made, x = here.to(gpu.device), X.float().to(gpu.device)
        for sigma in (0.002, 0.3, 80.0):
            for labels in (None, WANTED):
                for got, expected in zip(
                    answers(made, x, sigma, labels), answers(here, X.float(), sigma, labels), strict=True
                ):
                    torch.testing.assert_close(got.double(), expected.double(), rtol=1e-4, atol=1e-5 / sigma**2)
        torch.testing.assert_close(made(x, LEVELS).cpu(), here(X.float(), LEVELS), rtol=1e-4, atol=1e-5)
        assert torch.allclose(made.sample(4), here.sample(4)) and made.sigma_data == here.sigma_data
        assert torch.allclose(made.to("cpu")(X, 0.4), here(X, 0.4))
        points = PointSet(MEANS.float().to(gpu.device))
        assert torch.allclose(points(MEANS.float().to(gpu.device) + 1e-4, 1e-3).cpu(), MEANS.float(), atol=1e-6)
