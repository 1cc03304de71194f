"""Distances between sets of features against closed forms, and features that see what matters."""

import math

import numpy as np
import pytest
import torch

from edm import evaluation
from edm.data import scenes
from edm.evaluation import Moments, classifiers, features, manifolds, statistics, train_classifier
from edm.evaluation import frechet_distance as distance
from edm.evaluation.features import to_8_bits


def normal(count, dim, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).standard_normal((count, dim)))


# --- the Fréchet distance -------------------------------------------------------------------------------------------


def test_equal_sets_are_at_distance_0():
    x = normal(200, 12) @ normal(12, 12, seed=1)
    assert distance(x, x) == pytest.approx(0, abs=1e-10)
    assert distance(x.float(), x.float().flip(0)) == pytest.approx(0, abs=1e-10)


def test_a_shift_costs_its_square_and_a_scale_the_difference_of_deviations():
    x, shift = normal(300, 7), torch.arange(7.0)
    assert distance(x, x + shift) == pytest.approx(float(shift.square().sum()))
    x = x - x.mean(0)
    assert distance(x, 3 * x) == pytest.approx(float(4 * x.var(0).sum()))
    assert distance(x, 0 * x + 1) == pytest.approx(float(x.var(0).sum()) + 7)


def test_gaussians_that_do_not_commute():
    """2×2 matrices: tr √M = √(tr M + 2√det M)."""
    first, second = torch.tensor([[2.0, 0.6], [0.6, 1.0]]).double(), torch.tensor([[0.5, -0.3], [-0.3, 3.0]]).double()
    product = first @ second
    cross = math.sqrt(float(product.trace()) + 2 * math.sqrt(float(product.det())))
    expected = float(first.trace() + second.trace()) - 2 * cross + 5
    sides = [Moments(torch.tensor(mean).double(), s, 9) for mean, s in (([1.0, 0.0], first), ([0.0, 2.0], second))]
    assert distance(*sides) == pytest.approx(expected, rel=1e-12)
    assert distance(*sides[::-1]) == pytest.approx(expected, rel=1e-12)


def test_samples_of_known_gaussians():
    """N(0, I) and N(m, 4·I) in d dimensions are |m|² + d apart, and the error falls as 1/√n."""
    assert distance(normal(40_000, 5), 2 * normal(40_000, 5, seed=1) + 1) == pytest.approx(10, rel=0.02)


def test_fewer_samples_than_features():
    x, y = normal(10, 40), normal(12, 40, seed=1)
    assert distance(x, x) == pytest.approx(0, abs=1e-9)
    assert distance(x, y) == pytest.approx(distance(y, x), rel=1e-9)
    wider = [torch.nn.functional.pad(side, (0, 30)) for side in (x, y)]
    assert distance(*wider) == pytest.approx(distance(x, y), rel=1e-7)
    across = [Moments(torch.zeros(2), torch.diag(torch.tensor(d)).double(), 9) for d in ([1.0, 0.0], [0.0, 1.0])]
    assert distance(*across) == pytest.approx(2)


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        (normal(1, 3), normal(9, 3), "there are 1 samples; give 2 or more"),
        (normal(9, 3), normal(9, 4), "3 and 4 wide"),
        (normal(9, 3), normal(9, 3) * math.nan, "NaN or infinity"),
        (normal(9, 3).flatten(), normal(9, 3), r"shape \[27\]"),
    ],
)
def test_features_that_cannot_be_compared(first, second, words):
    for compare in (distance, evaluation.precision_recall):
        with pytest.raises(ValueError, match=words if compare is distance else "give|wide|NaN|shape"):
            compare(first, second)


def test_moments_are_added_up_a_part_after_the_other():
    """Also far from 0, where sums of squares would lose all digits; the same parts give the same bits."""
    rows = normal(1000, 6) @ normal(6, 6, seed=1) + 1e7
    parts = rows.split([1, 300, 2, 697])
    sums = [evaluation.Running() for _ in range(2)]
    for running in sums:
        for part in parts:
            running.add(part)
    whole, found = evaluation.moments(rows), sums[0].moments
    torch.testing.assert_close(found.mean, whole.mean, rtol=1e-14, atol=0)
    torch.testing.assert_close(found.covariance, rows.T.cov(), rtol=1e-6, atol=1e-6)
    assert distance(found, whole) == pytest.approx(0, abs=1e-6)
    assert torch.equal(found.covariance, sums[1].moments.covariance)
    assert found.count == 1000
    with pytest.raises(ValueError, match="6 and 5 wide"):
        sums[0].add(normal(3, 5))
    with pytest.raises(ValueError, match="0 samples; give 2"):
        _ = evaluation.Running().moments


def test_moments_come_out_of_their_file_bit_for_bit(tmp_path):
    """Though the two halves of a product are rounded apart."""
    found = evaluation.moments((normal(200, 64) @ normal(64, 64, seed=1)).float())
    statistics.write(tmp_path / "kept.npz", found)
    again, _ = statistics.read(tmp_path / "kept.npz")
    assert torch.equal(again.covariance, found.covariance)
    assert torch.equal(again.mean, found.mean)


# --- precision and recall -------------------------------------------------------------------------------------------


def test_precision_asks_what_is_drawn_and_recall_what_is_reached():
    one, other = normal(150, 4), normal(150, 4, seed=1) + 100
    both = torch.cat([one, other])
    assert evaluation.precision_recall(both, both) == (1, 1)
    assert evaluation.precision_recall(one, other) == (0, 0)
    assert evaluation.precision_recall(one, both) == (1, 0.5)  # a mode is dropped
    assert evaluation.precision_recall(both, one) == (0.5, 1)  # a mode is invented


def test_precision_and_recall_take_memory_in_parts(monkeypatch):
    model, data = normal(90, 3), 1.3 * normal(70, 3, seed=1)
    whole = evaluation.precision_recall(model, data)
    monkeypatch.setattr(manifolds, "CHUNK", 100)
    assert evaluation.precision_recall(model, data) == whole
    assert 0.5 < whole[1] < whole[0] <= 1


def test_equal_rows_are_in_each_others_balls_wherever_they_lie():
    """Of five copies, the third neighbour is at distance 0: only what is equal lies in such a ball."""
    rows = normal(40, 300) + 1e5
    copies = torch.cat([rows] * 5)
    assert evaluation.precision_recall(copies, copies) == (1, 1)
    assert evaluation.precision_recall(rows + 0.01, copies) == (0, 1)


def test_too_few_samples_for_neighbours():
    with pytest.raises(ValueError, match="4 samples; give 5 or more"):
        evaluation.precision_recall(normal(4, 2), normal(9, 2))
    with pytest.raises(ValueError, match="neighbours = 0"):
        evaluation.precision_recall(normal(9, 2), normal(9, 2), neighbours=0)


# --- features -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["digits", "scenes"])
def held_out(request):
    """(dataset, classifier, what its file claims, images that it was not trained on, their classes)."""
    network, said = classifiers.shipped(request.param)
    images, labels, _ = train_classifier.examples(request.param, train_classifier.split(request.param)[1][:600])
    return request.param, network, said, images, labels


def test_classifiers_are_as_good_as_they_claim(held_out):
    dataset, network, said, images, labels = held_out
    measured = train_classifier.accuracy(network, images, labels)
    assert measured >= 0.97
    assert measured == pytest.approx(said["accuracy"], abs=1e-6 if dataset == "digits" else 0.01)
    assert said["dataset"] == dataset


def test_features_are_standardized(held_out):
    _, network, _, images, _ = held_out
    h = network.features(images)
    assert h.shape == (len(images), classifiers.FEATURES)
    assert float(h.mean(0).square().mean().sqrt()) < 0.1
    assert float(h.var(0).mean()) == pytest.approx(1, abs=0.1)


def test_the_distance_grows_with_noise_and_is_small_between_true_samples(held_out):
    dataset, _, _, images, _ = held_out
    found = features.of_dataset(dataset, lambda: None)
    assert found.name == f"{dataset} classifier (64 features)"
    true = found.of(to_8_bits(images))
    noise = torch.randn(images.shape, generator=torch.Generator().manual_seed(0))
    noised = [distance(found.of(to_8_bits(images + sigma * noise)), true) for sigma in (0.05, 0.1, 0.2, 0.4, 0.8)]
    assert noised == sorted(noised)
    assert noised[-1] > 4 * distance(true[::2], true[1::2])


@pytest.mark.parametrize("held_out", ["scenes"], indirect=True)
def test_the_distance_sees_every_factor_of_a_scene(held_out):
    """Scenes with little of a factor are further from those with much of it than two random halves are."""
    numbers = train_classifier.split("scenes")[1][:600]
    rows = features.of_dataset("scenes", lambda: None).of(to_8_bits(held_out[3]))
    apart = distance(rows[::2], rows[1::2])
    factors = scenes.factors(numbers)
    for name in ("label", "hue", "palette", "light", "position", "size"):
        for values in factors[name].reshape(600, -1).T:
            little = values < np.median(values)
            assert distance(rows[little], rows[~little]) > 2.5 * apart, name


def test_shipped_files_are_small_and_a_damaged_one_is_refused(tmp_path, monkeypatch):
    assert sum(path.stat().st_size for path in classifiers.FOLDER.iterdir()) < 1.5e6
    (tmp_path / "digits.safetensors").write_bytes((classifiers.FOLDER / "digits.safetensors").read_bytes()[:-9])
    (tmp_path / "scenes.safetensors").write_bytes((classifiers.FOLDER / "digits.safetensors").read_bytes())
    monkeypatch.setattr(classifiers, "FOLDER", tmp_path)
    for dataset in ("digits", "scenes"):
        with pytest.raises(ValueError, match=f"not the classifier of {dataset}"):
            classifiers.read(dataset)
    (tmp_path / "digits.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match="train_classifier digits"):
        classifiers.read("digits")
    with pytest.raises(ValueError, match="no classifier of 'cats'"):
        classifiers.shipped("cats")


def test_training_a_classifier_is_deterministic(monkeypatch):
    plan = train_classifier.Plan(epochs=2, lr=2e-3, noise=0.1, decay=0.01, erased=0.1, batch=50)
    monkeypatch.setattr(train_classifier, "split", lambda dataset: (np.arange(300), np.arange(300, 400)))
    one, two = (train_classifier.train("digits", plan) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), two.state_dict().values(), strict=True))
    assert 0.2 < train_classifier.measure("digits", one)["accuracy"] < 1


def test_without_inception_the_features_say_why():
    images = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (90, 3, 40, 40)).astype(np.uint8))
    found = features.of_dataset("cifar10", lambda: images)
    assert found.name == "64 principal components of the pixels; no Inception, as no file of its weights is given"
    rows = found.of(images)
    assert rows.shape == (90, 64)
    assert float(rows.var(0).mean()) == pytest.approx(1)
    assert distance(found.of(images // 2), rows) > 10 * distance(rows[::2], rows[1::2]) / 64
