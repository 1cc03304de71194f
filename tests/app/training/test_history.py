"""Metrics for the page: what is new since a cursor, and long curves in a few points."""

import json

import numpy as np

from app.training.history import MOST, History
from edm import runs


def write(folder, count, start=0, mode="w"):
    folder.mkdir(exist_ok=True)
    loss = np.sin(np.arange(start, start + count)) + 2
    with open(folder / "metrics.jsonl", mode) as file:
        for k, value in enumerate(loss, start):
            tick = {"images": 10 * (k + 1), "seconds": 0.1 * k, "loss": value, "sigmas": [0.1, 1], "validation": [1, 2]}
            file.write(json.dumps(tick) + "\n")
    return loss


def test_a_long_curve_is_thinned_to_the_mean_and_the_ends_of_its_buckets(tmp_path):
    loss = write(tmp_path, 4 * MOST)
    history = History(tmp_path)
    assert not history.read()
    sent = history.since("")
    buckets = loss.reshape(MOST, 4)
    assert sent["anew"]
    np.testing.assert_allclose(sent["points"]["loss"], buckets.mean(1), rtol=1e-6)
    np.testing.assert_allclose(sent["points"]["low"], buckets.min(1), rtol=1e-6)
    np.testing.assert_allclose(sent["points"]["high"], buckets.max(1), rtol=1e-6)
    assert sent["points"]["images"][-1] == 40 * MOST
    assert len(sent["frames"]) <= 201
    assert sent["frames"][-1]["images"] == 40 * MOST


def test_a_cursor_gets_what_is_new_and_nothing_twice(tmp_path):
    write(tmp_path, 5)
    history = History(tmp_path)
    history.read()
    first = history.since("")
    write(tmp_path, 3, start=5, mode="a")
    history.read()
    news = history.since(first["cursor"])
    assert not news["anew"]
    assert news["points"]["images"] == [60, 70, 80]
    assert [frame["index"] for frame in news["frames"]] == [5, 6, 7]
    assert history.since(news["cursor"])["points"]["images"] == []
    assert history.since("of another server:3")["anew"]


def test_metrics_that_were_written_anew_are_sent_anew(tmp_path):
    write(tmp_path, 6)
    history = History(tmp_path)
    history.read()
    cursor = history.since("")["cursor"]
    write(tmp_path, 3)
    history.read()
    assert history.since(cursor)["anew"]
    assert history.since("")["points"]["images"] == [10, 20, 30]


def test_a_torn_or_foreign_line_costs_that_line(tmp_path):
    write(tmp_path, 2)
    with open(tmp_path / "metrics.jsonl", "a") as file:
        file.write('{"images": 25, "loss": "much"}\n{"images": 26, "loss": NaN, "sigmas": 3}\n')
        file.write('{"images": 27, "loss": 1.5, "sigmas": [1], "validation": [1, 2]}\nhello\n{"images": 28, "lo')
    history = History(tmp_path)
    history.read()
    sent = history.since("")
    assert sent["points"]["images"] == [10, 20, 25, 26, 27]
    assert sent["points"]["loss"][2:] == [None, None, 1.5]
    assert sent["frames"][-1]["errors"] == []


def test_the_best_checkpoint_is_the_tick_with_the_least_score_on_the_page(tmp_path):
    """A level that training hardly draws counts as little for the one as for the other."""
    ticks = [(100, [1e-4, 0.9]), (200, [9e-4, 0.3]), (300, [1e-4, None]), (400, [1e-4, 0.5])]
    with open(tmp_path / "metrics.jsonl", "w") as file:
        for images, errors in ticks:
            file.write(json.dumps({"images": images, "sigmas": [0.01, 0.5], "validation": errors}) + "\n")
    history = History(tmp_path)
    history.read()
    points = history.since("")["points"]
    scores = zip(points["images"], points["score"], strict=True)
    shown = {images: score for images, score in scores if score is not None}
    assert runs.best(tmp_path) == min(shown, key=shown.get) == 200
    assert set(shown) == {100, 200, 400}
