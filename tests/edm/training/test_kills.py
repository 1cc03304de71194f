"""Killed at any moment (SIGKILL), again and again: every checkpoint is whole, and the run ends as if undisturbed."""

import json
import multiprocessing
import os
import random
import signal
import stat
import time

import pytest
import torch
from safetensors import safe_open

from edm import checkpoints
from edm.training import recording
from edm.training.loop import train
from tests.edm.runs import points

KILLS = 14
SETTINGS = {"images": 16_000, "batch": 64, "checkpoint": 640, "tick": 3200}
PATIENCE = 240  # seconds for anything, on a machine that is busy with other things


def work(folder):
    torch.set_num_threads(1)
    found = recording.checkpoints(folder)
    for _ in recording.record(train(points(**SETTINGS), resume=found[-1] if found else None), folder):
        pass


def work_and_die(folder, syncs):
    """The same, killed at the moment at which its n-th file is written, but neither synced nor in its place."""
    fsync, left = os.fsync, [syncs]

    def last(number):
        if stat.S_ISREG(os.fstat(number).st_mode):
            left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)
        fsync(number)

    os.fsync = last
    work(folder)


@pytest.fixture(scope="module")
def context():
    """Processes that start in milliseconds, from a server that has torch loaded but has never computed."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.edm.training.test_kills"])
    return context


@pytest.fixture(scope="module")
def whole(context, tmp_path_factory):
    """The folder of a run that nothing has disturbed."""
    folder = tmp_path_factory.mktemp("whole")
    finish(context, folder)
    return folder


def finish(context, folder):
    process = context.Process(target=work, args=(folder,))
    process.start()
    process.join(PATIENCE)
    assert process.exitcode == 0


def test_killed_at_random_moments_nothing_is_lost_but_since_the_last_checkpoint(context, whole, tmp_path):
    dice, known = random.Random(7), 0
    for _ in range(KILLS):
        process = context.Process(target=work, args=(tmp_path,))
        process.start()
        saved = [0, 1, 1, 2][dice.randrange(4)]  # of its own checkpoints: by what it has done, not by the clock
        _until(lambda at=known + saved * 640: _newest(tmp_path) >= at, process)
        process.join(dice.uniform(0, 0.05))
        process.kill()
        process.join(PATIENCE)
        known = _seen_whole(tmp_path, known)
    assert known >= 3200
    _ends_as(whole, context, tmp_path)


def test_killed_while_it_writes_a_file_nothing_is_lost_but_that_file(context, whole, tmp_path):
    known, torn = 0, []
    for syncs in (1, 3, 6, 2, 7, 1, 4):
        process = context.Process(target=work_and_die, args=(tmp_path, syncs))
        process.start()
        process.join(PATIENCE)
        assert process.exitcode == -signal.SIGKILL
        known = _seen_whole(tmp_path, known)
        torn += _half_written(tmp_path)
    assert {path.parent.name for path in torn} == {"checkpoints", "samples", tmp_path.name}, "each kind was hit"
    _ends_as(whole, context, tmp_path)


def _until(condition, process):
    end = time.monotonic() + PATIENCE
    while not condition() and process.is_alive():
        assert time.monotonic() < end
        time.sleep(0.001)


def _newest(folder) -> int:
    found = recording.checkpoints(folder)
    return int(found[-1].stem) if found else 0


def _seen_whole(folder, known) -> int:
    """Images of the last checkpoint, all of which are whole, as are the lines of metrics but for the last one."""
    found = recording.checkpoints(folder)
    for path in found:
        checkpoints.load(path)
    reached = checkpoints.read_header(found[-1]).images if found else 0
    assert reached >= known
    for line in _lines(folder / "metrics.jsonl")[:-1]:
        json.loads(line)
    return reached


def _half_written(folder):
    return [path for path in folder.rglob(".*") if path.is_file()]


def _ends_as(whole, context, folder):
    finish(context, folder)
    assert _half_written(folder) == [], "half-written files are swept up"
    last = [recording.checkpoints(folder)[-1] for folder in (whole, folder)]
    assert last[0].name == last[1].name
    assert _tensors(last[0]) == _tensors(last[1])
    ticks = [[json.loads(line)["validation"] for line in _lines(f / "metrics.jsonl")] for f in (whole, folder)]
    assert ticks[0] == ticks[1]
    names = [sorted(path.name for path in (f / "samples").iterdir()) for f in (whole, folder)]
    assert names[0] == names[1]


def _lines(path):
    return path.read_text().splitlines() if path.exists() else []


def _tensors(path):
    with safe_open(path, framework="pt") as file:
        return {name: file.get_tensor(name).numpy().tobytes() for name in list(file.keys())}
