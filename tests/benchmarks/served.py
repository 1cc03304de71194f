"""Servers as a user starts them, for as long as something is measured, and what they take."""

from __future__ import annotations

import subprocess
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from edm import runs
from tests.browser.conftest import ROOT, start_server


def family(process: subprocess.Popen) -> list[psutil.Process]:
    """A server and the processes that it has."""
    server = psutil.Process(process.pid)
    return [server, *server.children(recursive=True)]


def computed(process: subprocess.Popen) -> float:
    """Seconds that a server and its processes have computed."""
    total = 0.0
    for one in family(process):
        with suppress(psutil.NoSuchProcess):
            times = one.cpu_times()
            total += times.user + times.system
    return total


@contextmanager
def served(tree: Path = ROOT, more: tuple[str, ...] = ()):
    """(process, address) of a server as a user starts it, with a runs folder of its own. tree: whose code it is.
    more: options of its command."""
    with tempfile.TemporaryDirectory() as place:
        process, address = start_server("--runs", str(Path(place, "runs")), *more, tree=tree)
        try:
            yield process, address
        finally:
            output = _ended(process)
    if "Traceback" in output:
        raise RuntimeError(output)


@contextmanager
def training_served(folder, tree: Path = ROOT):
    """The address of a server of a runs folder; at the end, nothing there goes on."""
    process, address = start_server("--runs", str(folder), tree=tree)
    try:
        yield address
    finally:
        output = _ended(process)
        for run in runs.all_runs(folder):
            if not run.over:
                runs.stop(run.folder, grace=1)
        while not all(run.over for run in runs.all_runs(folder)):
            runs.advance(folder)
            time.sleep(0.2)
        assert "Traceback" not in output, output


def _ended(process) -> str:
    """What a server has said, once it is gone: by force, where a busy machine keeps it, or it would stay."""
    process.terminate()
    try:
        output, _ = process.communicate(timeout=30)
    except subprocess.TimeoutExpired:
        process.kill()
        output, _ = process.communicate()
    return output
