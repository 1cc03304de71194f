"""Tasks on a run's checkpoint, killed at random moments: they end as if nobody had disturbed them."""

from __future__ import annotations

import os
import shutil
import signal
import time

from edm import runs
from edm.base.errors import Refused
from edm.runs import places, tasks
from edm.training.loop import train
from edm.training.recording import record
from tests.edm.runs import tiny
from tests.trials.waiting import DEATH, in_state, until

LONG = 300  # seconds for all that a task draws
SAMPLE = {"count": 3200, "sampling": {"steps": 4}}
EVALUATE = {"count": 600, "reference": 200, "sampling": {"steps": 4}, "computing": {"batch": 25}}


def tasked(folder, dice, count=3):
    """SIGKILLs of many images and of an evaluation, alone and on two processes, each followed by Resume."""
    run = folder / "digits"
    for _ in record(train(tiny(images=32, tick=32, checkpoint=32)), run):
        pass
    places.write(run / "config.json", tiny().document(complete=True))
    for kind, settings in (("sample", SAMPLE), ("evaluate", EVALUATE)):
        whole = _finished(folder, tasks.start(run, kind, settings, "cpu"))
        for device in ("cpu", "cpu*2"):
            path, done = tasks.start(run, kind, settings, device), []
            while len(done) < count and _killed(folder, path, dice):
                done.append(tasks.read(path).done)
                until(lambda path=path: _resumed(path), "the last of its processes to end", DEATH)
            assert _made(_finished(folder, path)) == _made(whole), f"{kind} on {device} ended otherwise"
            total = tasks.read(path).total
            yield f"{kind} on {device}: {len(done)} SIGKILLs at {done} of {total}, and no bit is another"
        shutil.rmtree(whole)


def _killed(folder, path, dice):
    """Kill the task's worker a while after it has begun to draw. False if it has finished before it was dead."""
    runs.advance(folder)
    until(lambda: (seen := runs.read(path)).heartbeat and seen.images, "a worker that draws")
    time.sleep(dice.uniform(0.0, 1.0))
    living = runs.read(path)
    if living.state == "running":
        os.kill(living.pid, signal.SIGKILL)
    _, dead = until(in_state(path, "interrupted", "finished"), "its death to be seen", DEATH)
    return dead.state == "interrupted"


def _resumed(path):
    """Whether it goes on, or its last processes have done the rest while they ended."""
    try:
        return bool(tasks.resume(path))
    except Refused:
        return tasks.read(path).state == "finished"


def _finished(folder, path):
    runs.advance(folder)
    until(in_state(path, "finished"), "the end of a task", LONG)
    return path


def _made(path) -> dict:
    """What a task has left: the bytes of its images, or its report but for the time that it took."""
    images = path / "images"
    if images.is_dir():
        return {str(file.relative_to(images)): file.read_bytes() for file in images.rglob("*") if file.is_file()}
    return {name: value for name, value in tasks.read(path).result.items() if name != "seconds"}
