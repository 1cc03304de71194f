"""What all trials wait for, and how they see that something is as it was."""

from __future__ import annotations

import os
import signal
import time
from contextlib import contextmanager
from pathlib import Path

from safetensors import safe_open

from edm import checkpoints, runs
from edm.training import recording
from edm.training.loop import train
from tests.browser.conftest import start_server

PATIENCE = 90  # seconds for anything that has to happen
DEATH = 10  # seconds in which a death has to be seen


def until(condition, what, seconds=PATIENCE):
    """How long it took, and what came of it. Raises AssertionError if it never was so."""
    began = time.monotonic()
    while not (found := condition()):
        assert time.monotonic() - began < seconds, f"waited {seconds} s for {what}"
        time.sleep(0.05)
    return time.monotonic() - began, found


def in_state(path, *wanted, folder=None):
    def look():
        if folder is not None:
            runs.advance(folder)
        found = runs.read(path)
        assert found.state in (*wanted, *runs.LIVE, "queued"), (found.state, found.sentence, found.log[-3:])
        return found if found.state in wanted else None

    return look


def tensors(path):
    with safe_open(path, framework="pt") as file:
        return {name: file.get_tensor(name).numpy().tobytes() for name in list(file.keys())}


def undisturbed(settings, folder):
    for _ in recording.record(train(settings), folder):
        pass
    return tensors(recording.checkpoints(folder)[-1])


def reached(path) -> int:
    """Images of the newest checkpoint; every checkpoint that is there has to be whole."""
    found = recording.checkpoints(path)
    for checkpoint in found:
        checkpoints.load(checkpoint)
    return checkpoints.read_header(found[-1]).images if found else 0


@contextmanager
def server(folder, log):
    process, address = start_server("--runs", str(folder))
    try:
        yield process, address
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=30)
        log.append(output)


def left_running(folder) -> list[str]:
    """Commands of processes that have to do with the folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(folder) in command and int(entry.name) != os.getpid():
            found.append(command)
    return found
