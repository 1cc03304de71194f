"""The queue: one run at a time on a device, the others in order, whoever looks after it."""

import multiprocessing
import os
import signal

import pytest

from edm import runs
from edm.runs import launchers, queue
from edm.runs.launchers import Processes
from tests.edm.runs import points
from tests.edm.runs.stubs import say, state, until


def launched_by(monkeypatch, submit):
    """Let runs be submitted like that."""
    launcher = Processes()
    launcher.submit = submit
    monkeypatch.setitem(launchers.LAUNCHERS, launchers.LOCAL, launcher)


def test_devices_that_are_not_there_are_refused_before_anything_is_made(folder):
    with pytest.raises(ValueError, match="cuda:77"):
        runs.start(points(), folder, "cuda:77")
    assert runs.all_runs(folder) == []


def test_one_run_at_a_time_on_a_device_the_others_in_order(folder, stubs):
    paths = [runs.start(points(), folder, "cpu", name) for name in ("z", "m", "a")]
    assert runs.advance(folder) == [paths[0]]
    assert runs.advance(folder) == []
    assert [state(path) for path in paths] == ["running", "queued", "queued"]
    assert runs.advance(folder, at_once=2) == [paths[1]]
    say(paths[0], state="finished")
    assert runs.advance(folder) == [paths[2]]
    until(lambda: sorted(stubs.read_text().split()) == ["a", "m", "z"])


def test_many_launchers_at_once_start_each_run_once(folder, stubs):
    fork = multiprocessing.get_context("fork")
    for round in range(2):
        paths = [runs.start(points(), folder, "cpu", f"r{round}{i}") for i in range(3)]
        callers = [fork.Process(target=_advance_often, args=(folder,)) for _ in range(6)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join(30)
            assert caller.exitcode == 0
        assert sorted(map(state, paths)) == ["queued", "queued", "running"]
        for path in paths:
            runs.stop(path)
            if state(path) == "stopping":
                running = runs.read(path)
                os.killpg(running.pid, signal.SIGKILL)
                until(lambda p=path: state(p) == "stopped")
        assert until(stubs.read_text).split() == sorted(set(stubs.read_text().split()))
        assert len(stubs.read_text().split()) <= round + 1


def _advance_often(folder):
    for _ in range(5):
        queue.advance(folder)


def test_a_launcher_that_dies_between_its_steps_blocks_nothing(folder, stubs, monkeypatch):
    first, second = (runs.start(points(), folder, "cpu", name) for name in "ab")
    fork = multiprocessing.get_context("fork")
    with monkeypatch.context() as dying:
        dying.setattr(queue, "launchers", Dying(queue.launchers))
        killed = fork.Process(target=queue.advance, args=(folder,))
        killed.start()
        killed.join(20)
    assert runs.advance(folder) == [first]
    os.kill(runs.read(first).pid, signal.SIGKILL)
    until(lambda: state(first) == "interrupted")
    assert runs.advance(folder) == [second]


class Dying:
    """The module, in a process that is killed once it has a seat and before it takes the run upon itself."""

    def __init__(self, module):
        self._module, self._claims = module, 0

    def __getattr__(self, name):
        return getattr(self._module, name)

    def claim(self):
        self._claims += 1
        return self._module.claim() if self._claims == 1 else os.kill(os.getpid(), signal.SIGKILL)


def test_a_device_is_free_again_when_its_run_was_deleted_and_its_name_reused(folder, stubs):
    path = runs.start(points(), folder, "cpu", "a")
    runs.advance(folder)
    say(path, state="finished")
    runs.delete(path)
    assert not path.exists()
    assert list(folder.glob(".trash*")) == []
    path = runs.start(points(), folder, "cpu", "a")
    assert runs.advance(folder) == [path]


def test_a_run_that_cannot_be_started_waits(folder, stubs, monkeypatch):
    path = runs.start(points(), folder, "cpu", "a")

    def full(*arguments):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        launched_by(disk, full)
        with pytest.raises(OSError, match="cannot be started, and waits"):
            runs.advance(folder)
    assert state(path) == "queued"
    assert runs.advance(folder) == [path]
    assert state(path) == "running"


def test_a_queued_run_is_stopped_by_asking_and_can_be_resumed(folder, stubs):
    path = runs.start(points(), folder, "cpu", "a")
    runs.stop(path)
    assert state(path) == "stopped"
    assert runs.advance(folder) == []
    runs.resume(path)
    with pytest.raises(ValueError, match="is queued"):
        runs.resume(path)
    assert runs.advance(folder) == [path]
    assert "--config=" in runs.read(path).command
