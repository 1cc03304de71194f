"""Closed-form denoisers against brute force, finite differences and limits."""

import math
import subprocess
import sys

import pytest
import torch

from edm import exact
from edm.exact import GaussianMixture, PointSet


def float64(values):
    return torch.tensor(values, dtype=torch.float64)


MEANS = float64([[-1.0, 0.3], [0.8, -0.6], [0.2, 1.1]])
STDS = float64([0.2, 0.35, 0.1])
WEIGHTS = float64([0.5, 0.2, 0.3])
X = float64([[0.0, 0.0], [1.0, -1.0], [-3.0, 2.0], [0.21, 1.05], [40.0, -25.0]])
TURN = float64([[math.cos(0.6), -math.sin(0.6)], [math.sin(0.6), math.cos(0.6)]])
COVARIANCES = torch.stack([TURN @ torch.diag(float64(v)) @ TURN.T for v in ([0.3, 0.01], [0.05, 0.2], [0.1, 0.1])])
LABELS = torch.tensor([0, 1, 0])

MIXTURES = {
    "isotropic": GaussianMixture(MEANS, STDS, WEIGHTS, labels=LABELS),
    "equal widths": GaussianMixture(MEANS, 0.3, WEIGHTS, labels=LABELS),
    "covariances": GaussianMixture(MEANS, COVARIANCES, WEIGHTS, labels=LABELS),
}
GIVEN = {
    "isotropic": torch.diag_embed(STDS[:, None].expand(3, 2) ** 2),
    "equal widths": torch.diag_embed(torch.full_like(MEANS, 0.3**2)),
    "covariances": COVARIANCES,
}


def brute_force(covariances, x, sigma, allowed=(0, 1, 2)):
    """(D, log p) by torch's own multivariate normal, one sample and component at a time."""
    weights = WEIGHTS[list(allowed)] / WEIGHTS[list(allowed)].sum()
    denoised, logs = [], []
    for point, level in zip(x, torch.as_tensor(sigma, dtype=torch.float64).expand(len(x)), strict=True):
        terms, ends = [], []
        for weight, k in zip(weights, allowed, strict=True):
            total = covariances[k] + level**2 * torch.eye(2, dtype=torch.float64)
            normal = torch.distributions.MultivariateNormal(MEANS[k], total)
            terms.append(weight.log() + normal.log_prob(point))
            ends.append(MEANS[k] + covariances[k] @ torch.linalg.solve(total, point - MEANS[k]))
        terms = torch.stack(terms)
        denoised.append((terms.softmax(0)[:, None] * torch.stack(ends)).sum(0))
        logs.append(terms.logsumexp(0))
    return torch.stack(denoised), torch.stack(logs)


@pytest.mark.parametrize("name", MIXTURES)
@pytest.mark.parametrize("sigma", [0.01, 0.3, 5.0, 100.0, [0.05, 0.4, 1.0, 7.0, 60.0]], ids=str)
def test_mixtures_agree_with_brute_force(name, sigma):
    mixture = MIXTURES[name]
    denoised, log_density = brute_force(GIVEN[name], X, sigma)
    torch.testing.assert_close(mixture(X, sigma), denoised, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(mixture.log_density(X, sigma), log_density, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", MIXTURES)
def test_a_class_is_the_mixture_of_its_components(name):
    labels = torch.tensor([0, 1, 0, 1, 0])
    got, log_density = MIXTURES[name](X, 0.5, labels), MIXTURES[name].log_density(X, 0.5, labels)
    for i, label in enumerate(labels.tolist()):
        denoised, log = brute_force(GIVEN[name], X[i : i + 1], 0.5, (0, 2) if label == 0 else (1,))
        torch.testing.assert_close(got[i : i + 1], denoised, rtol=1e-9, atol=1e-9)
        torch.testing.assert_close(log_density[i : i + 1], log, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", MIXTURES)
def test_the_score_is_the_gradient_of_the_log_density(name):
    x = X[:4].clone().requires_grad_()
    (gradient,) = torch.autograd.grad(MIXTURES[name].log_density(x, 0.4).sum(), x)
    torch.testing.assert_close(MIXTURES[name].score(X[:4], 0.4), gradient, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("name", MIXTURES)
def test_the_density_integrates_to_one(name):
    axis = torch.linspace(-6, 6, 401, dtype=torch.float64)
    density = MIXTURES[name].log_density(torch.cartesian_prod(axis, axis), 0.2).exp()
    assert float(density.sum()) * float(axis[1] - axis[0]) ** 2 == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("name", MIXTURES)
def test_samples_have_the_moments_of_the_mixture(name):
    samples = MIXTURES[name].sample(200_000, seed=3).double()
    torch.testing.assert_close(samples.mean(0), (WEIGHTS[:, None] * MEANS).sum(0), rtol=0, atol=0.01)
    spread = (samples - samples.mean(0)).square().mean().sqrt()
    assert float(spread) == pytest.approx(MIXTURES[name].sigma_data, rel=0.01)


POINTS = torch.randn(500, 2, generator=torch.Generator().manual_seed(0))


def test_a_point_set_is_the_softmax_over_its_points():
    point_set = PointSet(POINTS)
    for sigma in (0.05, 1.0, 20.0):
        logits = -((X[:, None] - POINTS.double()) ** 2).sum(2) / (2 * sigma**2)
        expected = logits.softmax(1) @ POINTS.double()
        torch.testing.assert_close(point_set(X, sigma), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_point_set_is_exact_at_extreme_noise_levels(dtype):
    point_set = PointSet(POINTS)
    near = (POINTS[:7] + 2e-5).to(dtype)
    torch.testing.assert_close(point_set(near, 1e-4), POINTS[:7].to(dtype), rtol=0, atol=1e-7)
    # as σ → ∞: the mean, plus (x·cov)/σ²
    x = 1e3 * torch.ones(1, 2, dtype=dtype)
    mean, covariance = POINTS.double().mean(0), POINTS.double().T.cov(correction=0)
    torch.testing.assert_close(
        point_set(x, 1e3).double(), (mean + covariance @ x[0].double() / 1e6)[None], rtol=0, atol=2e-5
    )
    for sigma in (1e-4, 1e-2, 1.0, 1e3):
        assert torch.isfinite(point_set(X.to(dtype), sigma)).all()


def test_half_way_between_two_points_is_undecided_at_any_level():
    two = PointSet(float64([[-1.0], [1.0]]))
    for sigma in (1e-4, 1e-2, 1.0, 1e3):
        assert float(two(torch.zeros(1, 1).double(), sigma)) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("chunk", [1, 5 * 7, 5 * 499])
def test_chunks_change_nothing(monkeypatch, chunk):
    labels = torch.arange(500) % 3
    point_set, wanted = PointSet(POINTS, labels), torch.tensor([0, 1, 2, 2, 0])
    whole = [
        point_set(X, 0.3),
        point_set.log_density(X, 0.3),
        point_set(X, 0.3, wanted),
        point_set.log_density(X, 0.3, wanted),
    ]
    monkeypatch.setattr(exact, "CHUNK", chunk)
    parts = [
        point_set(X, 0.3),
        point_set.log_density(X, 0.3),
        point_set(X, 0.3, wanted),
        point_set.log_density(X, 0.3, wanted),
    ]
    for a, b in zip(whole, parts, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-12)


def test_memory_stays_bounded_for_a_large_set():
    """64 samples against 400,000 points: all responsibilities at once would be 205 MB, several times over."""
    code = (
        "import torch, edm; from edm.runs.usage import memory; torch.set_num_threads(1)\n"
        "points = torch.randn(400_000, 8); d = edm.exact.PointSet(points); x = torch.randn(64, 8); d(x[:1], 1.0)\n"
        "before = memory()\n"
        "d(x, 1.0)\n"
        "print(memory() - before)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 0 <= int(done.stdout) < 120_000_000


def test_images_go_through_the_same_code():
    images = torch.randn(9, 3, 4, 4, generator=torch.Generator().manual_seed(1))
    d = PointSet(images)
    assert d.shape == (3, 4, 4)
    torch.testing.assert_close(d(images + 1e-4, 1e-3), images)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([[0.0, math.nan]], 1.0), "NaN"),
        (([0.0, 1.0], 1.0), "means have shape"),
        ((MEANS, [0.1, -0.2, 0.3]), "at least 0"),
        ((MEANS, [0.1, 0.2]), "to fit the means"),
        ((MEANS, 0.1, [1, 2]), "3 positive"),
        ((MEANS, 0.1, [1, -1, 1]), "3 positive"),
        ((MEANS, float64([[[1, 2], [0, 1]]] * 3)), "symmetric"),
        ((MEANS, float64([[[1, 2], [2, 1]]] * 3)), "negative"),
        ((MEANS, 0.1, None, [0, -1, 1]), "classes are at least 0"),
    ],
)
def test_parameters_that_do_not_fit_are_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        GaussianMixture(*arguments)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda d: d(torch.zeros(2, 3), 1.0), "lives on"),
        (lambda d: d(X, [1.0, 2.0]), "2 values for a batch of 5"),
        (lambda d: d(X, -1.0), "sigma"),
        (lambda d: d(X, math.nan), "sigma"),
        (lambda d: d(X, 1.0, [0, 0, 0, 0, 5]), "contain 5"),
        (lambda d: d(X, 1.0, [0, 1]), "5 integer classes"),
        (lambda d: d(X, 1.0, [None] * 5), "5 integer classes"),
        (lambda d: PointSet(MEANS)(X, 0.0), "sigma"),
        (lambda d: PointSet(MEANS)(X, 1.0, [0] * 5), "no classes"),
    ],
)
def test_bad_calls_are_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call(MIXTURES["isotropic"])
