"""A long history is kept in few numbers beside the metrics, and opened from there."""

import json

import numpy as np
import pytest

from edm.training import thinned
from edm.training.loop import train
from edm.training.recording import record
from edm.training.thinned import FILE, Thinned
from tests.edm.runs import points

MOST = 100
LOSS = np.random.default_rng(0).normal(size=3 * MOST) ** 2


def lines(start, end):
    for k in range(start, end):
        yield {"images": 8 * k, "seconds": k / 2, "loss": LOSS[k], "sigmas": [0.1, 1], "validation": [LOSS[k], 2.0]}


def append(run, start, end):
    with open(run / "metrics.jsonl", "a") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines(start, end))


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    monkeypatch.setattr(thinned, "MOST", MOST)
    monkeypatch.setattr(thinned, "EVERY", 1000)


def assert_same(one, other):
    assert one.points().keys() == other.points().keys()
    for name, column in one.points().items():
        if column is not None:
            np.testing.assert_allclose(column, other.points()[name], rtol=1e-12, err_msg=name)
    assert one.frames.keys() == other.frames.keys()
    for k, (images, errors) in one.frames.items():
        assert images == other.frames[k][0]
        np.testing.assert_allclose(errors, other.frames[k][1], rtol=1e-12)
    for name in ("total", "stride", "gaps", "nonfinite", "sigmas", "last"):
        assert getattr(one, name) == getattr(other, name), name


def test_it_is_the_same_however_its_ticks_came():
    at_once, one_by_one = Thinned(), Thinned()
    at_once.add(lines(0, len(LOSS)))
    for line in lines(0, len(LOSS)):
        one_by_one.add([line])
    assert at_once.stride == 4
    np.testing.assert_allclose(at_once.points()["loss"], one_by_one.points()["loss"], rtol=1e-12)
    np.testing.assert_allclose(at_once.points()["loss"], LOSS.reshape(-1, 4).mean(1), rtol=1e-12)
    np.testing.assert_array_equal(one_by_one.points()["high"], LOSS.reshape(-1, 4).max(1))
    assert at_once.frames.keys() == one_by_one.frames.keys()


def test_what_is_kept_beside_the_metrics_goes_on_where_it_was(tmp_path):
    append(tmp_path, 0, 250)
    Thinned().keep(tmp_path)
    append(tmp_path, 250, len(LOSS))
    kept, fresh = Thinned.of(tmp_path), Thinned()
    assert kept.total == 250
    assert 0 < kept.unread(tmp_path) < fresh.unread(tmp_path) / 5
    assert not kept.read(tmp_path)
    assert not fresh.read(tmp_path)
    assert_same(kept, fresh)


@pytest.mark.parametrize(
    "spoiled",
    [
        {"points": [[1, 2]]},
        {"points": "many"},
        {"total": 0},
        {"total": -1},
        {"stride": 0},
        {"stride": 1},
        {"stride": "2"},
        {"sigmas": None},
        {"frames": [[0, 1]]},
        {"frames": [[10**9, 1, [1.0, 2.0]]]},
        {"cursor": 7},
        {"cursor": "500:00000000"},
    ],
)
def test_what_is_not_of_the_metrics_as_they_are_is_not_believed(tmp_path, spoiled):
    append(tmp_path, 0, 125)
    Thinned().keep(tmp_path)
    file = tmp_path / FILE
    document = json.loads(file.read_bytes())
    file.write_text(json.dumps({**document, **spoiled}))
    assert Thinned.of(tmp_path).total == 0
    file.write_text(json.dumps(document)[:-9])
    assert Thinned.of(tmp_path).total == 0
    file.write_text(json.dumps(document))
    assert Thinned.of(tmp_path).total == 125
    (tmp_path / "metrics.jsonl").unlink()
    append(tmp_path, 1, 126)
    assert Thinned.of(tmp_path).total == 0


def test_a_worker_keeps_it_also_where_a_run_goes_back_to_a_checkpoint(tmp_path):
    for _ in record(train(points(images=512, tick=64)), tmp_path):
        pass
    kept = Thinned.of(tmp_path)
    assert 4 < kept.total <= 8
    earlier = min(tmp_path.glob("checkpoints/*"))
    for _ in record(train(points(images=768, tick=64), resume=earlier), tmp_path):
        pass
    again, whole = Thinned.of(tmp_path), Thinned()
    assert kept.total < again.total
    again.read(tmp_path)
    whole.read(tmp_path)
    assert_same(again, whole)
