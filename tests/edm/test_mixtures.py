"""What exact denoisers compute in few operations, against the plain formula in more digits."""

import copy
import pickle
from collections import Counter

import numpy as np
import pytest
import torch
from torch.overrides import TorchFunctionMode

from edm import exact
from edm.exact import GaussianMixture, PointSet
from tests import pretended

COUNT, BATCH = 12, 24
RANDOM = np.random.default_rng(0)
LABELS = np.arange(COUNT) % 3
WIDTHS = {"points": 0.0, "one width": 0.08, "several": RANDOM.uniform(0.01, 0.3, COUNT), "axes": None}
WEIGHTS = {"alike": None, "weighted": RANDOM.uniform(0.1, 1, COUNT)}
LEVELS = (1e-4, 0.01, 0.3, 80.0, 1e4)


def means(dim):
    return np.random.default_rng(dim).uniform(-1, 1, (COUNT, dim))


def covariances(dim):
    turned = np.linalg.qr(np.random.default_rng(1).standard_normal((COUNT, dim, dim))).Q
    return turned @ (RANDOM.uniform(0, 0.1, (COUNT, dim, 1)) * turned.transpose(0, 2, 1))


def plainly(means, widths, weights, x, sigma, labels=None):
    """(D, log p) by the formula, in as many digits as NumPy has here."""
    digits = np.longdouble
    means, x, sigma = (np.asarray(given, digits) for given in (means, x, sigma))
    (count, dim), local = means.shape, x[:, None] - means
    weights = np.ones((len(x), count), digits) * (1 if weights is None else np.asarray(weights, digits))
    if labels is not None:
        weights = weights * (labels[:, None] == LABELS)
    axes = np.eye(dim) * np.ones((count, 1, 1))
    variances = np.ones((count, dim), digits)
    if np.ndim(widths) == 3:
        values, axes = np.linalg.eigh(widths)
        variances *= values.clip(0)
        local = (local[..., None] * np.asarray(axes, digits)).sum(2)
    else:
        variances *= np.reshape(np.asarray(widths, digits) ** 2, (-1, 1))
    total = sigma.reshape(-1, 1, 1) ** 2 + variances
    with np.errstate(divide="ignore"):
        logs = np.log(weights / weights.sum(1, keepdims=True))
    logs = logs - 0.5 * (np.log(2 * np.pi * total) + local**2 / total).sum(2)
    peak = logs.max(1, keepdims=True)
    shares = np.exp(logs - peak)
    pulled = (np.asarray(axes, digits) * (local * variances / total)[:, :, None]).sum(3)
    denoised = ((shares / shares.sum(1, keepdims=True))[..., None] * (means + pulled)).sum(1)
    return denoised, peak[:, 0] + np.log(shares.sum(1))


def given(dim, kind, weighted):
    return means(dim), covariances(dim) if kind == "axes" else WIDTHS[kind], WEIGHTS[weighted]


def asked(dim, sigma, far):
    random = np.random.default_rng(7)
    noise = random.standard_normal((BATCH, dim))
    return 1e3 * noise if far else means(dim)[random.integers(0, COUNT, BATCH)] + sigma * noise


def close(got, expected, share):
    off = np.abs(got.numpy() - expected).max() / max(1.0, np.abs(expected).max())
    assert off <= share


@pytest.mark.parametrize("far", [False, True], ids=["near", "far"])
@pytest.mark.parametrize("weighted", WEIGHTS)
@pytest.mark.parametrize("kind", WIDTHS)
@pytest.mark.parametrize("dim", [2, 12])
def test_all_at_once_is_the_plain_formula_to_twelve_digits(dim, kind, weighted, far):
    parameters = given(dim, kind, weighted)
    mixture = GaussianMixture(*parameters, labels=LABELS)
    labels = np.arange(BATCH) % 3
    each = np.geomspace(LEVELS[0], LEVELS[-1], BATCH)
    for sigma in (*LEVELS, each):
        points = asked(dim, sigma if np.ndim(sigma) == 0 else each[:, None], far)
        x, size = torch.from_numpy(points), np.square(points).sum(1).max()
        for wanted in (None, labels):
            denoised, density = plainly(*parameters, points, sigma, wanted)
            close(mixture(x, sigma, wanted), denoised, 1e-12)
            # of ‖x − μ‖²/t, where it is by products, ‖x‖²/t tells how many digits there are
            close(mixture.log_density(x, sigma, wanted), density, 1e-12 + 1e-15 * size / np.min(sigma) ** 2)


@pytest.mark.parametrize("most", [1, exact.CHUNK], ids=["in parts", "whole"])
@pytest.mark.parametrize("kind", WIDTHS)
@pytest.mark.parametrize("dim", [2, 12])
def test_both_in_one_call_are_what_each_is_alone(dim, kind, most, monkeypatch):
    monkeypatch.setattr(exact, "CHUNK", most)
    mixture = GaussianMixture(*given(dim, kind, "weighted"), labels=LABELS)
    x = torch.from_numpy(asked(dim, 0.3, False))
    for labels in (None, np.arange(BATCH) % 3):
        alone = mixture(x, 0.3, labels), mixture.log_density(x, 0.3, labels)
        torch.testing.assert_close(mixture.both(x, 0.3, labels), alone, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("kind", WIDTHS)
@pytest.mark.parametrize("dim", [2, 12])
def test_one_level_is_the_same_as_a_number_and_as_tensors(dim, kind):
    mixture = GaussianMixture(*given(dim, kind, "weighted"))
    x = torch.from_numpy(asked(dim, 0.3, False))
    level = torch.tensor(0.3, dtype=torch.float64)
    for sigma in (np.float64(0.3), level, level[None], [0.3], level.expand(BATCH), level.clone().requires_grad_()):
        torch.testing.assert_close(mixture(x, sigma).detach(), mixture(x, 0.3), rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("kind", WIDTHS)
@pytest.mark.parametrize("dim", [2, 12])
def test_what_is_given_back_lies_as_x_does_and_in_its_type(dim, kind):
    mixture = GaussianMixture(*given(dim, kind, "alike"))
    x = torch.from_numpy(asked(dim, 0.3, False))
    for one in (x, x.float(), x.half(), x.T.contiguous().T, x[::2]):
        denoised = mixture(one, 0.3)
        assert denoised.dtype == one.dtype and denoised.shape == one.shape and denoised.is_contiguous()
    assert torch.equal(mixture(x[::2].contiguous(), 0.3), mixture(x[::2], 0.3))


@pytest.mark.parametrize("chunk", [1, BATCH * 10])
@pytest.mark.parametrize("kind", WIDTHS)
def test_in_parts_it_is_the_same_gradients_too(monkeypatch, kind, chunk):
    mixture = GaussianMixture(*given(2, kind, "weighted"), labels=LABELS)
    labels, found = torch.arange(BATCH) % 3, []
    for most in (exact.CHUNK, chunk):
        monkeypatch.setattr(exact, "CHUNK", most)
        x = torch.from_numpy(asked(2, 0.3, False)).requires_grad_()
        for wanted in (None, labels):
            answers = mixture(x, 0.3, wanted), mixture.log_density(x, 0.3, wanted)
            found.append([*answers, *(torch.autograd.grad(answer.sum(), x)[0] for answer in answers)])
    for whole, parts in zip(found[:2], found[2:], strict=True):
        for a, b in zip(whole, parts, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("kind", WIDTHS)
def test_copies_pickles_and_moves_answer_alike_and_carry_nothing_twice(kind):
    mixture = GaussianMixture(*given(2, kind, "weighted"), labels=LABELS)
    fresh, x = len(pickle.dumps(mixture)), torch.from_numpy(asked(2, 0.3, False))
    expected = mixture(x, 0.3), mixture.log_density(x, 0.3)
    assert len(pickle.dumps(mixture)) == fresh
    with pretended.gpu(2) as gpu:
        there = mixture.to(gpu.device)
        assert torch.equal(there(x.to(gpu.device), 0.3).cpu(), expected[0])
        back = there.to(gpu.devices[1]).to("cpu")
    for other in (copy.copy(mixture), copy.deepcopy(mixture), pickle.loads(pickle.dumps(mixture)), back):
        assert torch.equal(other(x, 0.3), expected[0]) and torch.equal(other.log_density(x, 0.3), expected[1])


class Operations(TorchFunctionMode):
    """Counts what torch is asked to compute."""

    def __init__(self):
        super().__init__()
        self.asked: Counter = Counter()

    def __torch_function__(self, func, types, args=(), kwargs=None):
        self.asked[getattr(func, "__name__", "")] += 1
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("dim", [2, 12])
def test_a_call_is_one_product_one_softmax_and_one_product(dim):
    x = torch.from_numpy(asked(dim, 0.3, False)).float()
    for mixture in (GaussianMixture(means(dim), 0.1), PointSet(means(dim))):
        mixture(x, 1.0)
        with Operations() as done:
            mixture(x, 0.3)
        assert done.asked["addmm"] == 2 and done.asked["softmax"] == 1
        assert not done.asked.keys() & {"add", "mul", "sub", "div", "exp", "log", "sum", "amax", "cat", "mm", "einsum"}


def test_of_images_those_without_weight_are_passed_over_and_many_samples_are_taken_in_turns(monkeypatch):
    random = np.random.default_rng(3)
    points, x = random.uniform(-1, 1, (40, 30)), random.uniform(-1, 1, (9, 30))
    labels, levels = np.arange(40) % 3, np.geomspace(0.02, 5, 9)
    whole = PointSet(points, labels)
    expected = [whole(torch.from_numpy(x), sigma, np.arange(9) % 3) for sigma in (0.1, levels)]
    monkeypatch.setattr("edm.mixtures.LARGE", 1)
    monkeypatch.setattr(exact, "CHUNK", 160)  # four samples at a time
    turned = PointSet(points, labels)
    for sigma, known in zip((0.1, levels), expected, strict=True):
        found = turned(torch.from_numpy(x), sigma, np.arange(9) % 3)
        torch.testing.assert_close(found, known, rtol=1e-13, atol=1e-13)
    density = turned.log_density(torch.from_numpy(x), levels)
    torch.testing.assert_close(density, whole.log_density(torch.from_numpy(x), levels), rtol=1e-12, atol=1e-12)
