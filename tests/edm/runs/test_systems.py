"""Runs on systems that are not POSIX: which process is meant, how it is ended, and what only one may write."""

import json
import os
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import psutil
import pytest

from edm.runs import clocks, launchers, places, processes, worker
from tests import systems

PARENT = """import subprocess, sys, time
print(subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(60)"]).pid, flush=True)
time.sleep(60)
"""


@pytest.fixture
def family():
    """A process, and one that it has started: their numbers."""
    parent = subprocess.Popen([sys.executable, "-S", "-c", PARENT], stdout=subprocess.PIPE, text=True)
    child = int(parent.stdout.readline())
    yield parent, child
    for process in (parent.pid, child):
        if psutil.pid_exists(process):
            os.kill(process, 9)
    parent.wait()
    parent.stdout.close()


def test_a_process_is_known_by_its_beginning_and_ended_with_those_it_has_started(monkeypatch, family):
    parent, child = family
    systems.windows(monkeypatch)
    known = processes.this(parent.pid)
    assert known.began and known.began == processes.began(parent.pid) != processes.began(os.getpid())
    assert known.alive() and not processes.leads(parent.pid)
    other = processes.Process(known.host, known.machine, known.pid, "at another moment")
    assert not other.alive() and not other.signal(processes.KILL, group=True)
    assert known.signal(processes.KILL, group=True)
    end = time.monotonic() + 20
    while processes.began(child) is not None and time.monotonic() < end:
        time.sleep(0.02)
    assert processes.began(child) is None
    assert parent.wait(20) and not known.alive()
    assert processes.began(parent.pid) is None and not known.signal(processes.TERMINATE, group=False)


def test_without_groups_one_process_is_ended_alone(monkeypatch, family):
    parent, child = family
    systems.windows(monkeypatch)
    assert processes.this(parent.pid).signal(processes.TERMINATE, group=False)
    parent.wait(20)
    assert processes.began(child) is not None


def test_clocks_and_the_use_of_memory_are_told(monkeypatch):
    before = clocks.uptime(), clocks.lasting()
    systems.windows(monkeypatch)
    assert 0 <= clocks.uptime() - before[0] < 60 and clocks.lasting() == pytest.approx(clocks.uptime(), abs=1)
    most = SimpleNamespace(memory_info=lambda: SimpleNamespace(peak_wset=123))
    monkeypatch.setattr(psutil, "Process", lambda: most)
    monkeypatch.setitem(sys.modules, "torch", None)
    assert worker.memory() == 123


def test_only_one_can_create_a_file(monkeypatch, tmp_path):
    systems.windows(monkeypatch)
    assert places.create(tmp_path / "a.json", {"by": 1}) and not places.create(tmp_path / "a.json", {"by": 2})
    assert json.loads((tmp_path / "a.json").read_text()) == {"by": 1} and len(list(tmp_path.iterdir())) == 1


def test_a_worker_is_started_apart_from_the_terminal(monkeypatch, tmp_path):
    flags = {"CREATE_NEW_PROCESS_GROUP": 0x200, "CREATE_NO_WINDOW": 0x8000000, "BELOW_NORMAL_PRIORITY_CLASS": 0x4000}
    started = []

    def start(words, **given):
        started.append(given)
        return SimpleNamespace(pid=os.getpid(), wait=lambda: 0)

    for name, value in flags.items():
        monkeypatch.setattr(subprocess, name, value, raising=False)
    monkeypatch.setattr(subprocess, "Popen", start)
    systems.windows(monkeypatch)
    monkeypatch.setattr(sys, "platform", "win32")
    handle = launchers.Processes().submit(tmp_path, "cpu")
    assert handle["pid"] == os.getpid()
    assert started[0]["creationflags"] == sum(flags.values()) and "start_new_session" not in started[0]
    assert signal.SIGTERM == processes.TERMINATE
