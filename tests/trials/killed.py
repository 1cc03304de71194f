"""Workers and servers that are killed at random moments, and several of them on one folder."""

from __future__ import annotations

import os
import signal
import time

from edm import runs
from edm.runs import places
from edm.runs.launchers import PROMPT
from edm.training import recording
from tests.edm.runs import points
from tests.trials.waiting import DEATH, PATIENCE, in_state, reached, server, tensors, undisturbed, until


def workers(folder, dice, count=30):
    """SIGKILLs of a worker at random moments, each followed by Resume."""
    settings = points(images=640 * 30_000, batch=64, checkpoint=6400, tick=64_000)
    path, known, slowest, lost = runs.start(settings, folder, "cpu", "victim"), 0, 0.0, 0
    for number in range(count):
        runs.advance(folder)
        _, living = until(lambda: (run := runs.read(path)).pid and run, "a worker")
        time.sleep(dice.uniform(0.0, 12.0))  # a part of them before torch is loaded
        seen = runs.read(path).images
        os.kill(living.pid, signal.SIGKILL)
        took, dead = until(in_state(path, "interrupted"), "its death to be seen", DEATH)
        assert dead.resumable
        assert dead.sentence
        saved = reached(path)
        assert saved >= known, "a checkpoint was lost"
        slowest, lost, known = max(slowest, took), max(lost, seen - saved), saved
        if number < count - 1:
            runs.resume(path)
    runs.resume(path, images=str(known + 6400))
    runs.advance(folder)
    until(in_state(path, "finished"), "its end")
    same = tensors(recording.checkpoints(path)[-1]) == undisturbed(
        settings.changed(images=known + 6400), folder.with_name("whole")
    )
    assert same, "the run that was killed ended otherwise than one that was not"
    yield f"{count} SIGKILLs of a worker: each seen within {slowest:.2f} s, at most {lost:,} of {known:,} images lost"
    yield f"the run ends bit for bit as an undisturbed one of {known + 6400:,} images"


def servers(folder, dice, count=10):
    """SIGKILLs of the server, while its runs go on; the next server takes the queue over."""
    slow = points(images=10**8, batch=64, checkpoint=64_000, tick=640_000)
    first = runs.start(slow, folder, "cpu", "long")
    second = runs.start(points(), folder, "cpu", "next")
    log, pid = [], None
    for _ in range(count):
        with server(folder, log) as (process, _):
            _, found = until(lambda: (run := runs.read(first)).pid and run, "the run")
            assert pid in (None, found.pid), "the run was started twice"
            pid, before = found.pid, found.images
            time.sleep(dice.uniform(0.0, 2.0))
            process.kill()
            process.wait()
        until(lambda before=before: runs.read(first).images > before, "the run to go on without a server")
        assert runs.read(second).state == "queued"
    runs.stop(first)
    until(in_state(first, "stopped"), "the run to stop without a server")
    until(in_state(second, "finished"), "the next run, which the worker before it has started")
    assert not any("Traceback" in text for text in log)
    yield f"{count} SIGKILLs of the server: its run went on as process {pid} each time, and the queue after it"


def rivals(folder, dice, count=6):
    """Two servers, and this process, on one runs folder: every run begins once, one after the other."""
    log, most = [], 0
    with server(folder, log), server(folder, log):
        paths = [runs.start(points(), folder, "cpu", f"r{i}") for i in range(count)]
        end = time.monotonic() + count * PATIENCE
        while not all(runs.read(path).state == "finished" for path in paths):
            assert time.monotonic() < end, [runs.read(path).state for path in paths]
            runs.advance(folder)
            most = max(most, sum(runs.read(path).state in runs.LIVE for path in paths))
    for path in paths:
        begun = (path / "log.txt").read_text().count(f"{PROMPT}python -m edm train")
        assert (begun, places.newest(path)) == (1, 1), f"{path.name} was begun {begun} times"
    assert most <= 1, f"{most} runs at once on one device"
    assert not any("Traceback" in text for text in log)
    yield f"two servers and a third launcher on one folder: {count} runs, each begun once, never two at once"
