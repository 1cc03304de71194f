"""Of which class a noisy sample is, exactly."""

import math

import pytest
import torch

import edm
from edm import exact
from edm.exact import GaussianMixture, PointSet
from tests.problems import latents

MEANS = [[-1.2, 0.4], [0.9, 0.8], [0.3, -1.1], [1.4, -0.5]]
MIXTURES = {
    "one width": GaussianMixture(MEANS, 0.3, [0.4, 0.3, 0.2, 0.1], [2, 0, 2, 0]),
    "several widths": GaussianMixture(MEANS, [0.3, 0.2, 0.5, 0.1], None, [2, 0, 2, 0]),
    "covariances": GaussianMixture(MEANS, torch.diag(torch.tensor([0.2, 0.01])).expand(4, 2, 2), None, [2, 0, 2, 0]),
    "points": PointSet(MEANS, [2, 0, 2, 0]),
}
X = 2 * latents(5)
LEVELS = [0.05, 0.7, torch.tensor([0.1, 0.3, 1.0, 5.0, 80.0], dtype=torch.float64)]


@pytest.mark.parametrize("sigma", LEVELS, ids=str)
@pytest.mark.parametrize("name", MIXTURES)
def test_probabilities_are_bayes_rule_and_a_class_without_components_has_none(name, sigma):
    mixture = MIXTURES[name]
    logs = mixture.log_class_probability(X, sigma)
    assert logs.shape == (5, 3) and logs.dtype == torch.float64
    assert bool((logs[:, 1] == -math.inf).all())
    torch.testing.assert_close(logs.exp().sum(1), torch.ones(5, dtype=torch.float64))
    for label in (0, 2):
        prior = math.log(float(mixture.weights()[mixture.labels == label].sum()))
        bayes = mixture.log_density(X, sigma, [label] * 5) + prior - mixture.log_density(X, sigma)
        torch.testing.assert_close(logs[:, label], bayes, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("sigma", LEVELS, ids=str)
@pytest.mark.parametrize("name", MIXTURES)
def test_its_gradient_is_the_difference_of_the_denoisers_and_these_are_found_together(name, sigma):
    mixture, at, labels = MIXTURES[name], X.clone().requires_grad_(), [0, 2, 2, 0, 0]
    logs = mixture.log_class_probability(at, sigma)
    (gradient,) = torch.autograd.grad(logs[torch.arange(5), labels].sum(), at)
    own, every = mixture.pair(X, sigma, labels)
    torch.testing.assert_close(own, mixture(X, sigma, labels), rtol=1e-13, atol=1e-14)
    torch.testing.assert_close(every, mixture(X, sigma), rtol=1e-13, atol=1e-14)
    variance = torch.as_tensor(sigma, dtype=torch.float64).view(-1, 1) ** 2
    torch.testing.assert_close(gradient * variance, own - every, rtol=1e-7, atol=1e-9)


def test_a_class_that_is_far_away_is_told_apart_as_well():
    far = GaussianMixture([[0.0, 0.0], [50.0, 0.1], [50.0, -0.1]], 0.01, None, [0, 1, 1])
    own, every = far.pair(torch.tensor([[0.0, 1e-4]], dtype=torch.float64), 0.01, [1])
    torch.testing.assert_close(own, far(torch.tensor([[0.0, 1e-4]], dtype=torch.float64), 0.01, [1]))
    assert float(own[0, 0]) == pytest.approx(25) and float(every[0, 0]) == 0


@pytest.mark.parametrize("name", MIXTURES)
def test_more_components_than_fit_at_once_are_taken_in_parts(name, monkeypatch):
    mixture = MIXTURES[name]
    whole, pair = mixture.log_class_probability(X, 0.4), mixture.pair(X, 0.4, [0, 2, 2, 0, 0])
    monkeypatch.setattr(exact, "CHUNK", 10)
    torch.testing.assert_close(mixture.log_class_probability(X, 0.4), whole, rtol=1e-12, atol=1e-12)
    for part, one in zip(mixture.pair(X, 0.4, [0, 2, 2, 0, 0]), pair, strict=True):
        torch.testing.assert_close(part, one, rtol=1e-10, atol=1e-12)


def test_what_has_no_classes_or_no_density_says_so():
    with pytest.raises(edm.Refused, match="no classes"):
        GaussianMixture(MEANS, 0.3).log_class_probability(X, 1.0)
    images = PointSet(torch.rand(4, 1, 8, 8), [0, 1, 0, 1], patch=3)
    x = torch.rand(2, 1, 8, 8)
    with pytest.raises(edm.Refused, match="no density"):
        images.log_class_probability(x, 1.0)
    own, every = images.pair(x, 1.0, [0, 1])
    assert torch.equal(own, images(x, 1.0, [0, 1])) and torch.equal(every, images(x, 1.0))
