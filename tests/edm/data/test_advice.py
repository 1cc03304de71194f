"""What a data set says before training: against brute force, closed forms, and what was measured before."""

import json
import math

import numpy as np
import pytest
import torch

import edm
from edm.base.errors import Refused
from edm.data import leave_one_out, looked, sets
from edm.data.settings import Data
from edm.exact import GaussianMixture, PointSet

SIGMAS = (0.2, 0.3, 0.5, 0.8, 1.2, 2.0, 4.0, 5.0, 6.0, 10.0)
DIGITS = edm.data.advice("digits", sigmas=SIGMAS)


def pictures(values, labels=None, names=()):
    """A source of images [N, C, H, W]."""
    labels = torch.zeros(len(values), dtype=torch.long) if labels is None else torch.as_tensor(labels)
    return sets.Pictures(torch.as_tensor(values), labels, names)


def noise_images(count, seed=0, shape=(1, 4, 4)):
    return np.random.default_rng(seed).integers(0, 256, (count, *shape)).astype(np.uint8)


def of(points):
    """A distribution of points that were found somewhere."""
    return edm.data.Dataset("brought", "", np.shape(points)[1:], lambda: PointSet(points))


def seen(data):
    """What was looked at."""
    *_, found = looked.look(data)
    assert isinstance(found, looked.Looked)
    return found


@pytest.mark.parametrize(
    ("sigma", "ideal", "twin"),
    [(0.3, 0.002, 1.01), (0.5, 0.03, 0.53), (0.8, 0.19, 0.43), (1.2, 0.44, 0.53), (2, 0.77, 0.78), (10, 0.99, 0.99)],
)
def test_the_losses_of_digits_are_those_that_were_measured_elsewhere(sigma, ideal, twin):
    k = list(DIGITS.sigmas).index(sigma)
    assert DIGITS.ideal.mean[k] == pytest.approx(ideal, abs=0.035)
    assert DIGITS.leave_one_out.mean[k] == pytest.approx(twin, abs=0.035)
    assert 0 < DIGITS.leave_one_out.stderr[k] < 0.02


def test_digits_say_where_little_is_to_learn_where_they_cannot_say_and_where_copying_pays():
    found = DIGITS
    assert 4 < found.little_above < 6 and 0.25 < found.unsaid_below < 0.35 and 0.9 < found.copied_below < 1.3
    assert any(f"above σ = {found.little_above:.2g} there is little to learn" in one for one in found.sentences)
    assert found.step == 1 / 8 and found.duplicates == 0 and found.count == found.looked_at == 1797
    assert found.sigma_data == pytest.approx(edm.data.load("digits").sigma_data, rel=1e-5)


@pytest.mark.parametrize("per_class", [False, True])
def test_both_losses_are_those_of_a_loop_over_all_samples(per_class):
    random = np.random.default_rng(1)
    rows, noise, labels = random.standard_normal((12, 3)), random.standard_normal((12, 3)), np.arange(12) % 3
    rows[5] = rows[2]  # which is left out with it
    same = torch.tensor([*range(5), 2, *range(6, 12)])
    sigmas, every = np.array([0.05, 0.9, 3.0]), torch.arange(12)
    known = torch.from_numpy(labels) if per_class else None
    ideal, twin, nearest = leave_one_out.errors(
        torch.from_numpy(rows), same, known, every, torch.from_numpy(noise), sigmas
    )  # fmt: skip
    for i in range(12):
        fellows = [j for j in range(12) if not per_class or labels[j] == labels[i]]
        others = [j for j in fellows if not np.array_equal(rows[j], rows[i])]
        assert nearest[i] == pytest.approx(np.linalg.norm(rows[others] - rows[i], axis=1).min())
        for s, sigma in enumerate(sigmas):
            x = rows[i] + sigma * noise[i]
            for found, among in ((ideal, fellows), (twin, others)):
                logits = -((x - rows[among]) ** 2).sum(1) / (2 * sigma**2)
                weights = np.exp(logits - logits.max())
                error = ((weights @ rows[among] / weights.sum() - rows[i]) ** 2).mean()
                assert found[s, i] == pytest.approx(error, abs=1e-12)


def test_with_a_gaussian_there_is_nothing_to_learn_that_the_preconditioning_does_not_know():
    """λ·loss is 1 at every σ: λ·σ²c²/(σ² + c²) with σ_d = c."""
    found = edm.data.advice(edm.data.Dataset("one", "", (2,), lambda: GaussianMixture([[0.3, -0.2]], 0.4)))
    assert found.known and found.leave_one_out is None
    assert found.ideal.mean == pytest.approx(np.ones(len(found.sigmas)), abs=1e-6)
    assert found.sigma_min == pytest.approx(0.4 / math.sqrt(50), rel=0.02)
    assert math.isfinite(found.P_mean) and found.P_std > 0


def test_two_diracs_have_the_loss_of_an_integral():
    """D(x) = tanh(x/σ²), and E(D − 1)² over x = 1 + σn."""
    found = edm.data.advice("two_diracs", sigmas=(0.3, 0.7, 1.0, 4.0))
    nodes, weights = np.polynomial.hermite_e.hermegauss(120)
    for sigma, mean, stderr in zip(found.sigmas, found.ideal.mean, found.ideal.stderr, strict=True):
        error = (weights * (np.tanh((1 + sigma * nodes) / sigma**2) - 1) ** 2).sum() / weights.sum()
        assert mean == pytest.approx((1 + 1 / sigma**2) * error, abs=5 * stderr + 1e-4)
    assert found.leave_one_out is None and any("fewer than 10" in one for one in found.sentences)
    assert found.farthest == pytest.approx(2) and found.sigma_data == pytest.approx(1)


def test_sigma_max_hides_the_data_and_grows_with_their_dimension():
    small = noise_images(60)
    large = small.repeat(4, axis=2).repeat(4, axis=3)
    few, many = (edm.data.advice(pictures(images), sigmas=(1,)) for images in (small, large))
    assert many.farthest == pytest.approx(4 * few.farthest, rel=1e-5)
    for one in (few, many):
        assert one.sigma_max >= 0.99 * one.farthest
        lost = 1 - 1 / math.sqrt(1 + (one.widest / one.sigma_max) ** 2)
        assert lost < 0.0101


def test_of_eight_bits_sigma_min_is_the_papers():
    found = edm.data.advice(pictures(noise_images(100)))
    assert found.step == pytest.approx(2 / 255) and found.sigma_min == 0.002


@pytest.mark.parametrize(("step", "found"), [(0.25, 0.25), (0.001, 0.001), (None, None)])
def test_steps_between_values_of_points_are_found(step, found):
    points = np.random.default_rng(0).uniform(-1, 1, (400, 2))
    points = points if step is None else np.round(points / step) * step
    assert seen(sets.Mixture(of(points))).step == pytest.approx(found)


def test_p_train_goes_where_something_is_to_be_learned():
    """A set that is k times as large is learned at levels k times as high, and nothing else changes."""
    points = np.random.default_rng(2).choice([-1.0, 0.4, 1.0], (300, 2)) + 0.02 * np.random.default_rng(3).normal(
        size=(300, 2)
    )
    one, other = (edm.data.advice(of(scale * points)) for scale in (1.0, 4.0))
    assert other.P_mean - one.P_mean == pytest.approx(math.log(4), abs=0.11)
    assert other.P_std == pytest.approx(one.P_std, abs=0.11)
    fine, coarse = (edm.data.advice(name) for name in ("spiral", "eight_gaussians"))
    assert fine.P_mean < coarse.P_mean  # its arms lie closer together


def test_doubles_are_counted_and_left_out_together():
    images = noise_images(60)
    images[50:] = images[:10]
    doubled, single = (edm.data.advice(pictures(some)) for some in (images, images[:50]))
    assert doubled.duplicates == 10 and doubled.nearest > 1
    assert any("10 of 60 samples are there already" in one for one in doubled.sentences)
    assert doubled.leave_one_out.mean == pytest.approx(single.leave_one_out.mean, rel=0.5)


def test_a_class_with_one_image_is_measured_among_all_and_told_of_among_its_own():
    images, labels = noise_images(40), [0] * 39 + [1]
    together = edm.data.advice(pictures(images, labels, ("a", "b")))
    alone = edm.data.advice(pictures(images, labels, ("a", "b")), per_class=True)
    assert together.alone == 0 and alone.alone > 0
    assert any("have no other in theirs" in one for one in alone.sentences)
    assert np.isfinite(alone.leave_one_out.mean).all()
    with pytest.raises(Refused, match="no classes"):
        edm.data.advice("spiral", per_class=True)


@pytest.mark.parametrize(
    ("values", "why"),
    [(noise_images(1), "one sample only"), (np.zeros((5, 1, 4, 4), np.uint8), "all 5 samples are equal")],
)
def test_of_one_sample_or_equal_ones_nothing_can_be_said(values, why):
    with pytest.raises(Refused, match=why):
        edm.data.advice(pictures(values))


def test_a_large_set_is_sampled_the_same_way_every_time_and_says_so():
    images = noise_images(3000, shape=(3, 32, 32))
    first, again = (list(looked.look(pictures(images), seed=5, most=1 << 20))[-1] for _ in range(2))
    assert len(first.rows) == (1 << 20) // 3072 and torch.equal(first.rows, again.rows)
    other = list(looked.look(pictures(images), seed=6, most=1 << 20))[-1]
    assert not torch.equal(first.rows, other.rows)


def test_it_comes_step_by_step_and_ends_when_nobody_wants_more():
    asked = []

    class Slow:
        shape, size, classes, class_names = (1, 4, 4), 500, 0, ()

        def read(self, indices):
            asked.append(len(indices))
            return torch.from_numpy(noise_images(len(indices), seed=int(indices[0]))), None

    steps = edm.data.advise(Slow())
    assert next(steps) == (0, None) and sum(asked) == 0
    assert next(steps).share > 0
    steps.close()
    assert 0 < sum(asked) < 500
    shares = [step.share for step in edm.data.advise(Slow(), sigmas=(1,))]
    assert shares == sorted(shares) and shares[-1] == 1


def test_what_is_endless_is_told_from_what_is_a_set():
    found = edm.data.advice("spiral")
    assert found.count is None and found.known and found.leave_one_out is None and found.unsaid_below is None
    points = edm.data.load("spiral").sample(500, seed=1)
    assert edm.data.advice(of(points.numpy())).leave_one_out is not None


def test_its_document_is_json_and_holds_what_is_advised():
    document = json.loads(json.dumps(DIGITS.document(), allow_nan=False))
    assert {"sigma_data", "sigma_min", "sigma_max", "P_mean", "P_std", "sentences"} <= document.keys()
    assert document["sigmas"] == list(SIGMAS) and len(document["ideal"]["mean"]) == len(SIGMAS)


def test_the_same_set_is_meant_by_its_name_its_settings_and_itself():
    numbers = {
        edm.data.advice(data, sigmas=(1.0,)).ideal.mean[0]
        for data in ("digits", Data(dataset="digits"), edm.data.load("digits"))
    }
    assert len(numbers) == 1
    with pytest.raises(Refused, match="no data set"):
        edm.data.advice(7)


def test_where_a_network_learns_some_samples_only_these_are_read():
    few = edm.data.advice(Data(dataset="spiral", examples=100), sigmas=(0.1, 0.3))
    assert few.count == few.looked_at == 100 and not few.known and few.leave_one_out is not None
    some = edm.data.advice(Data(dataset="digits", examples=50), sigmas=(0.5,))
    assert some.count == 50 and some.leave_one_out.mean[0] > DIGITS.leave_one_out.mean[2]


def test_of_points_like_one_gaussian_nothing_is_advised_that_only_copies():
    found = edm.data.advice(of(np.random.default_rng(4).normal(size=(400, 2))))
    assert found.unsaid_below == found.sigmas[-1] and abs(found.P_mean) < 0.5  # around σ_data, 1
    assert any("hardly other than a Gaussian" in one for one in found.sentences)
    with pytest.raises(Refused, match="hardly differ"):
        edm.data.advice(of([[1.0, 1.0], [1.0, 1.0 + 1e-8]]))
