"""Runs whose worker is a stub, for tests."""

import subprocess
import sys
import time

from edm import runs
from edm.runs import places, processes
from edm.runs.launchers import Processes


class Scripts(Processes):
    """A launcher of processes that do something else than to train."""

    def __init__(self, code):
        self._code, self._children = code, []

    def submit(self, folder, place):
        code = f"NAME = {folder.name!r}\n{self._code}"
        self._children.append(subprocess.Popen([sys.executable, "-S", "-c", code], start_new_session=True))
        return {**vars(processes.this(self._children[-1].pid)), "alone": True}

    def clear(self):
        for child in self._children:
            child.kill()
            child.wait()


def until(condition, seconds=20):
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)
    return found


def state(path):
    return runs.read(path, details=False).state


def say(path, number=1, process=None, **status):
    """Write a status as a worker would."""
    handle = process if isinstance(process, dict) else vars(process or processes.this())
    told = {"number": number, "state": "running", "process": handle, "alone": False}
    places.write(path / "status.json", {**told, "heartbeat": time.time(), **status})
