"""Metrics for the page: what is new since a cursor, and long curves in a few points."""

import json

import numpy as np

from app.training import history as histories
from app.training.history import History
from edm import runs
from edm.training.thinned import MOST


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


def test_what_is_not_finite_costs_itself_and_no_more(tmp_path):
    """20,000 ticks, of which each 7th has no loss: the mean of the others, and how many these are."""
    count = 10 * MOST
    loss = np.where(np.arange(count) % 7 == 3, np.nan, 2.0)
    with open(tmp_path / "metrics.jsonl", "w") as file:
        for k, value in enumerate(loss.tolist()):  # json writes NaN
            file.write(json.dumps({"images": k + 1, "loss": value, "nonfinite": k // 100}) + "\n")
    history = History(tmp_path)
    while history.read():
        pass
    sent = history.since("")
    assert set(sent["points"]["loss"]) == set(sent["points"]["low"]) == set(sent["points"]["high"]) == {2.0}
    assert (sent["ticks"], sent["gaps"], sent["nonfinite"]) == (count, np.isnan(loss).sum(), (count - 1) // 100)


def test_a_number_beyond_all_floats_costs_itself_and_no_tick(tmp_path):
    odd = ("1e999", "-1e400", "9" * 400, "1e308", "Infinity")
    lines = [f'{{"images": {k}, "loss": {value}, "seconds": {value}}}\n' for k, value in enumerate(odd)]
    lines += [f'{{"images": {k}, "loss": 1.5, "sigmas": [1], "validation": [{odd[k % 5]}]}}\n' for k in range(5, 30)]
    (tmp_path / "metrics.jsonl").write_text("".join(lines))
    history = History(tmp_path)
    history.read()
    sent = history.since("")
    assert sent["points"]["images"] == [*range(30)]
    assert sent["points"]["loss"] == [None] * 5 + [1.5] * 25
    assert (sent["gaps"], len(sent["frames"])) == (5, 30)
    json.dumps(sent, allow_nan=False)


def test_a_long_history_that_nobody_has_thinned_is_shown_before_it_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(histories, "LONG", 1 << 16)
    write(tmp_path, 3000)
    history = History(tmp_path)
    assert history.read()
    outline = history.since("")
    assert outline["points"]["images"][0] == 10
    assert outline["points"]["images"][-1] == history.last == 30_000
    assert 400 < len(outline["points"]["images"]) == len(set(outline["points"]["images"])) < 600
    assert history.since(outline["cursor"])["points"]["images"] == []
    assert not history.read()
    whole = history.since(outline["cursor"])
    assert whole["anew"]
    assert whole["ticks"] == 3000


def test_a_page_that_has_not_asked_for_long_gets_all_anew(tmp_path):
    write(tmp_path, 5)
    history = History(tmp_path)
    history.read()
    early = history.since("")["cursor"]
    write(tmp_path, 2 * MOST, start=5, mode="a")
    history.read()
    assert history.since(early)["anew"]


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
