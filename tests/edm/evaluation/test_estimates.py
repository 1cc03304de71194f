"""How sure measures of samples are, and the score of their variety, against what is known."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

import edm
from edm import evaluation
from edm.evaluation import estimates, features, manifolds
from tests.edm.evaluation.reports import run
from tests.edm.evaluation.test_distances import normal

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "inception_score.json").read_text())


def without(rows, group):
    return torch.cat([rows[: group.start], rows[group.stop :]])


def test_the_inception_score_is_that_of_the_definition():
    logits = torch.tensor(GOLDEN["logits"], dtype=torch.float64)
    assert evaluation.inception_score(logits) == pytest.approx(GOLDEN["score"], rel=1e-10)
    assert evaluation.inception_score(logits, 2) == pytest.approx(GOLDEN["mean_of_two_halves"], rel=1e-10)


def test_the_inception_score_is_1_without_variety_and_k_with_all_of_it():
    sure = 900 * torch.eye(7).repeat(3, 1)
    assert evaluation.inception_score(sure) == pytest.approx(7)
    assert evaluation.inception_score(sure[:1].repeat(5, 1)) == pytest.approx(1)
    assert evaluation.inception_score(torch.zeros(4, 7)) == pytest.approx(1)
    with pytest.raises(ValueError, match="splits = 9"):
        evaluation.inception_score(sure[:8], 9)


def test_a_ball_reaches_to_its_third_neighbour_and_holds_its_surface():
    """Of −11, −10, −9, −8 and the same at the right the outermost third neighbours are 3 away."""
    side = torch.tensor([[8.0], [9.0], [10.0], [11.0]])
    data, model = torch.cat([-side, side]), torch.tensor([[-14.0], [-14.001], [14.0], [14.001], [0.0]])
    assert evaluation.precision_recall(model, data)[0] == 2 / 5


def test_precision_and_recall_without_a_group_are_those_of_the_other_rows(monkeypatch):
    model, data = normal(83, 4), 1.3 * normal(60, 4, seed=1)
    groups = estimates.groups_of(83)
    assert [len(group) for group in groups] == [10, 11, 10, 11, 10, 10, 11, 10] and groups[-1].stop == 83
    for chunk in (manifolds.CHUNK, 300):
        monkeypatch.setattr(manifolds, "CHUNK", chunk)
        found = manifolds.precision_recall_without(model, data, groups)
        assert list(zip(*found, strict=True)) == [
            manifolds.precision_recall(without(model, group), data) for group in groups
        ]


def test_intervals_hold_what_other_samples_of_the_same_model_read():
    """Of N(0, 1.2²·I) against N(0, I), whose distance of ever so many samples is 0.2²·d."""
    data, held = normal(600, 6), {"frechet": 0, "precision": 0}
    known = features.Features("themselves", lambda x: x, 6)
    truth, sets = evaluation.moments(data), [1.2 * normal(200, 6, seed=k) for k in range(1, 21)]
    numbers = [evaluation.frechet_distance(rows, truth) for rows in sets]
    shares = [evaluation.precision_recall(rows, data[:200])[0] for rows in sets]
    for rows, number, share in zip(sets, numbers, shares, strict=True):
        found = estimates.intervals({"frechet": number, "precision": share}, known, rows, data[:200], truth)
        for name, middle in (("frechet", np.mean(numbers)), ("precision", np.mean(shares))):
            held[name] += found[name].low <= middle <= found[name].high
    assert held["frechet"] >= 17 and held["precision"] >= 17  # of 20, where 19 are expected


def test_an_evaluation_with_intervals_says_how_sure_it_is_and_what_differs():
    exact, few = edm.data.load("digits").denoiser, edm.Sampling(steps=6)
    sure, early = (
        run(exact, "digits", sampling, count=120, reference=200, intervals=True)
        for sampling in (few, edm.Sampling(sigmas=[80, 20, 10]))
    )
    assert set(sure.intervals) == {"frechet", "precision", "recall", "inception_score"}
    for name, interval in sure.intervals.items():
        assert interval.low <= getattr(sure, name) <= interval.high and len(interval.without) == 12
    assert sure.loss == () and json.loads(json.dumps(sure.document()))["intervals"]["recall"]["low"] > 0.5
    less, low, high = evaluation.difference(sure, early)
    assert less == sure.frechet - early.frechet and low <= less <= high < 0
    assert evaluation.difference(sure, sure, "recall") == (0, 0, 0)
    plain = run(exact, "digits", few, count=30, reference=200)
    assert plain.intervals is None and 5 < plain.inception_score < 10
    with pytest.raises(ValueError, match="intervals=True"):
        evaluation.difference(plain, sure)


@pytest.mark.parametrize(
    ("data", "count", "words"), [("digits", 19, "too few for an interval; take 20"), ("circles", 99, "of images")]
)
def test_intervals_of_what_has_none_are_refused_at_once(data, count, words):
    with pytest.raises(ValueError, match=words):
        evaluation.evaluate(edm.data.load(data).denoiser, data, count=count, intervals=True)
