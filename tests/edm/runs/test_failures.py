"""However a run ends: a sentence, a word for programs, what to change, and a last checkpoint that is whole."""

import errno
import json
import os
import signal

import numpy as np
import pytest
from PIL import Image

from edm import checkpoints, runs
from edm.__main__ import main
from edm.base.errors import Refused
from edm.runs import clocks, failures, places
from edm.runs.worker import PATIENCE, Worker
from edm.training import loop, recording
from edm.training.loop import Checkpoint, Paused, Step
from edm.training.settings import trained_as
from tests.edm.runs import points
from tests.edm.runs.stubs import until


def work(folder, settings, change=lambda events: events, number=None):
    """A run in this process, its events changed on their way."""
    with Worker(folder, number, settings) as worker:
        events = change(loop.train(settings, None, None, worker.asked, worker.held))
        for _ in recording.record(worker.watch(events), folder, keep=3, keep_best=True):
            pass


def failing(error, after=3):
    def change(events):
        for number, event in enumerate(events):
            if number > after:
                raise error
            yield event

    return change


def newest(path):
    return checkpoints.read_header(runs.read(path).checkpoint).images


@pytest.mark.parametrize(
    ("error", "reason", "words", "changes"),
    [
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), "memory", "micro_batch", {"micro_batch": "32"}),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "memory", "smaller", {"micro_batch": "32"}),
        (MemoryError(), "memory", "fewer images at once", {"micro_batch": "32"}),
        (OSError(errno.ENOSPC, "No space left on device"), "disk", "make room", {}),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "disk", "make room", {}),
        (OSError("x cannot be written (I/O error: No space left on device (os error 28))"), "disk", "gc", {}),
        (RuntimeError("CUDA error: an illegal memory access"), "unexpected", "illegal", None),
        (RuntimeError("[../gloo/pair.cc] Connection closed by peer"), "lost", "processes was lost", None),
        (Refused("lr = 7: must be less"), "settings", "lr = 7", None),
        (ValueError("of the program's own making"), "unexpected", "ValueError", None),
        (ZeroDivisionError("division by zero"), "unexpected", "ZeroDivisionError", None),
    ],
    ids=lambda value: str(value)[:24],
)
def test_a_run_that_fails_says_why_and_what_to_change(tmp_path, error, reason, words, changes):
    path = tmp_path / "runs" / "a"
    with pytest.raises(type(error)):
        work(path, points(), failing(error, after=5))
    found = runs.read(path)
    assert (found.state, found.reason, found.resumable) == ("failed", reason, True)
    assert words in found.sentence
    assert "\n" not in found.sentence
    assert [change for _, change in found.remedies] == ([] if changes is None else [changes])
    assert newest(path) == 128
    assert [p.name for p in path.iterdir() if p.name.startswith(".")] == []


def diverging(events, from_image=300):
    for event in events:
        if isinstance(event, Step) and event.images > from_image:
            event = Step(event.images, float("nan"), event.lr, event.rate, event.left)
        yield event


def test_losses_that_are_no_numbers_end_a_run_and_its_weights_are_not_saved(tmp_path):
    path = tmp_path / "runs" / "a"
    with pytest.raises(failures.Diverged):
        work(path, points(images=64 * (PATIENCE + 10)), diverging)
    found = runs.read(path)
    assert (found.state, found.reason) == ("failed", "diverged")
    assert found.remedies == (("Lower the learning rate to 0.00025", {"lr": "0.00025"}),)
    assert newest(path) == 256


def test_a_few_such_losses_do_not_end_it_but_the_last_weights_must_be_good(tmp_path):
    work(tmp_path / "a", points(), lambda events: (e for e in diverging(events, 10**9)))
    assert newest(tmp_path / "a") == 640
    with pytest.raises(failures.Diverged):
        work(tmp_path / "b", points(), diverging)
    assert newest(tmp_path / "b") == 256


def test_weights_that_are_no_numbers_are_not_saved_though_the_loss_before_them_was_one(tmp_path):
    def poisoned(events):
        for event in events:
            if isinstance(event, Checkpoint) and event.images == 384:
                next(event.state.network.parameters()).data.fill_(float("nan"))
            yield event

    with pytest.raises(failures.Diverged):
        work(tmp_path / "a", points(), poisoned)
    assert newest(tmp_path / "a") == 256
    lines = (tmp_path / "a" / "metrics.jsonl").read_text().splitlines()
    assert json.loads(lines[-1], parse_constant=None)["loss"] is None, "every line is strict JSON"
    assert "NaN" not in lines[-1]


def test_data_that_goes_away_is_told_and_the_run_goes_on_when_it_is_back(tmp_path):
    data, aside = tmp_path / "images", tmp_path / "aside"
    data.mkdir()
    for k in range(64):
        Image.fromarray(np.full((8, 8, 3), 3 * k, np.uint8)).save(data / f"{k}.png")
    settings = points(
        data={"dataset": "folder", "path": str(data), "holdout": 8},
        architecture={"channels": 8, "channel_mult": [1], "blocks": 1, "attention": []},
        batch=16, images=96, tick=96, checkpoint=16,
    )  # fmt: skip
    path = runs.start(settings, tmp_path / "runs", "cpu", "a")
    options = begun(path)

    def vanish(events):
        for event in events:
            if isinstance(event, Checkpoint) and event.images == 32:
                data.rename(aside)
            yield event

    with pytest.raises(ValueError, match="cannot be read"):
        work(path, settings, vanish, number=1)
    found = runs.read(path)
    assert (found.state, found.reason) == ("failed", "data")
    assert "images" in found.sentence
    saved = newest(path)
    assert saved >= 32
    runs.resume(path)
    options = begun(path)
    assert main(options) == 2
    assert runs.read(path).reason == "data"
    aside.rename(data)
    runs.resume(path)
    assert main(begun(path)) == 0
    assert runs.read(path).state == "finished"


def begun(path):
    """The options with which a launcher would start a worker, whose beginning this process takes."""
    number = places.newest(path)
    assert places.create(places.request(path, number, "taken"), {})
    return ["train", f"--run={path}", f"--beginning={number}"]


def test_a_failed_run_goes_on_with_changes_which_are_not_forgotten_before_they_have_counted(tmp_path):
    path = runs.start(points(), tmp_path / "runs", "cpu", "a")
    begun(path)
    with pytest.raises(failures.Diverged):
        work(path, points(), diverging, number=1)
    with pytest.raises(ValueError, match="lr = 'x'"):
        runs.resume(path, lr="x")
    with pytest.raises(ValueError, match="no such field"):
        runs.resume(path, lrr="1")
    assert places.newest(path) == 1, "what is refused leaves nothing behind"
    runs.resume(path, **dict(runs.read(path).remedies[0][1]))
    runs.stop(path)  # before it has begun
    runs.resume(path)
    assert main(begun(path)) == 0
    found = runs.read(path)
    assert (found.state, found.images) == ("finished", 640)
    assert trained_as(checkpoints.read_header(found.checkpoint)).lr == 0.00025
    with pytest.raises(ValueError, match="has seen 640"):
        runs.resume(path, images="640")
    runs.resume(path, images="768")
    assert runs.read(path).total == 768
    assert main(begun(path)) == 0
    assert runs.read(path).images == 768


def test_a_disk_that_is_full_before_the_first_step_is_told(tmp_path, monkeypatch):
    def full(size):
        raise OSError(errno.ENOSPC, "No space left on device")

    path = runs.start(points(), tmp_path / "runs", "cpu", "a")
    begun(path)
    monkeypatch.setattr(os, "urandom", full)
    with pytest.raises(OSError, match="No space"):
        work(path, points(), number=1)
    assert (runs.read(path).state, runs.read(path).reason) == ("failed", "disk")


@pytest.mark.parametrize(
    ("log", "state", "sentence"),
    [
        ("", "interrupted", "without a word"),
        ("loading\n", "interrupted", "without a word"),
        ("python -m edm train: device 'cuda:3' is not here\n", "failed", "device 'cuda:3' is not here"),
        ("Traceback (most recent call last):\n  x\nImportError: no torch\n", "failed", "ImportError: no torch"),
    ],
)
def test_a_worker_that_ends_before_its_first_status_is_told_by_its_log(tmp_path, log, state, sentence):
    path = runs.start(points(), tmp_path / "runs", "cpu", "a")
    begun(path)
    places.create(places.request(path, 1, "worker"), {"host": "h", "machine": clocks.machine(), "pid": 1, "began": "0"})
    (path / "log.txt").write_text(f"$ earlier\npython -m edm train: an older error\n$ python -m edm train\n{log}")
    found = runs.read(path)
    assert found.state == state
    assert sentence in found.sentence


def test_a_worker_whose_run_was_resumed_elsewhere_or_deleted_ends_without_a_word(tmp_path):
    path = runs.start(points(), tmp_path / "runs", "cpu", "a")
    begun(path)
    places.create(places.request(path, 2, "taken"), {})
    with pytest.raises(failures.Superseded):
        work(path, points(), number=1)
    assert not (path / "status.json").exists()
    with pytest.raises(failures.Superseded):
        work(tmp_path / "runs" / "gone", points(), number=1)
    assert not (tmp_path / "runs" / "gone").exists(), "nor does it bring back what was deleted"


def test_a_signal_ends_a_run_with_a_checkpoint_and_pausing_comes_before_it(tmp_path, monkeypatch):
    monkeypatch.setattr("edm.runs.worker.BEAT", 0.01)
    seen = []

    def change(events):
        for event in events:
            seen.append(type(event))
            if isinstance(event, Step) and event.images == 192:
                places.create(places.request(tmp_path / "a", 1, "pause"), {})
                until(worker.held)
            if isinstance(event, Paused) and seen.count(Paused) == 3:
                os.kill(os.getpid(), signal.SIGTERM)
            yield event

    with Worker(tmp_path / "a", None, points()) as worker:
        events = change(loop.train(points(), None, None, worker.asked, worker.held))
        for _ in recording.record(worker.watch(events), tmp_path / "a"):
            pass
    found = runs.read(tmp_path / "a")
    assert (found.state, newest(tmp_path / "a")) == ("stopped", 256)
    assert seen.count(Paused) == 3, "it was waiting when it was asked to end"


def test_a_corrupted_line_of_metrics_does_not_keep_a_run_from_going_on(tmp_path):
    work(tmp_path / "a", points())
    file = tmp_path / "a" / "metrics.jsonl"
    whole = file.read_bytes()
    file.write_bytes(b"\xff\xfe\0{[[[\n" + whole + b'{"images": 640, "lo')
    state = loop.train(points(images=960), resume=recording.checkpoints(tmp_path / "a")[-1])
    for _ in recording.record(state, tmp_path / "a"):
        pass
    assert [json.loads(line)["images"] for line in file.read_text().splitlines()] == [320, 640, 960]
    assert file.read_bytes().startswith(whole)
