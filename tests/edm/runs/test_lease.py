"""No second worker may write while the first may, though machines see files late and their clocks disagree.

The file server is a folder with a clock of its own; what another machine sees of it is a copy, up to 60 s old.
"""

import errno
import os
import random
import time

import pytest

from edm import runs
from edm.runs import keeping, lease, places, processes, reading, signs
from edm.runs.failures import Superseded
from edm.runs.lease import Lease
from edm.runs.worker import Worker
from edm.training import loop, recording
from tests.edm.runs import points
from tests.edm.runs.stubs import until

THERE = processes.Process("elsewhere", "another boot:1", 4711, "1")


class Server:
    """truth: the run's folder. view: what the other machine sees of it. now: its clock, which starts anywhere."""

    def __init__(self, place, monkeypatch):
        self.truth, self.view = place / "truth" / "run", place / "view" / "run"
        self.now, self._past = 1e9, []
        for folder in (self.truth, self.view):
            (folder / "requests").mkdir(parents=True)
        create = places.create
        monkeypatch.setattr(places, "create", lambda path, document: self.stamped(create(self.real(path), document)))
        monkeypatch.setattr(places, "moment", lambda run: self.now)
        monkeypatch.setattr(lease, "machine", lambda: "here:1")
        monkeypatch.setattr(signs, "EAR", signs.Ear())

    def real(self, path):
        return self.truth / path.relative_to(self.view) if path.is_relative_to(self.view) else path

    def stamped(self, answer=None):
        """Give what has just been written the server's time, and remember how all looks now."""
        seen = self._past[-1][1] if self._past else {}
        files = {}
        for path in (*self.truth.glob("*.json"), *self.truth.glob("requests/*.json")):
            name, data = path.relative_to(self.truth), path.read_bytes()
            files[name] = seen[name] if name in seen and seen[name][0] == data else (data, self.now)
        self._past.append((self.now, files))
        return answer

    def show(self, moment):
        """Let the other machine see the files as they were at that moment."""
        files = next((files for when, files in reversed(self._past) if when <= moment), {})
        for path in (*self.view.glob("*.json"), *self.view.glob("requests/*.json")):
            path.unlink()
        for name, (data, when) in files.items():
            (self.view / name).write_bytes(data)
            os.utime(self.view / name, (when, when))


class First:
    """A worker on another machine, which may freeze, or be cut off from the files."""

    def __init__(self, server, offset):
        self.server, self.ended = server, []
        places.create(places.request(server.truth, 1, "start"), {"host": "elsewhere"})
        places.create(places.request(server.truth, 1, "taken"), {"machine": THERE.machine, "time": 0.0})
        places.create(places.request(server.truth, 1, "worker"), {**vars(THERE), "time": server.now + offset})
        self.lease = Lease(server.truth, 1, clock=lambda: server.now + offset)

    def beat(self):
        def sign():
            status = {"number": 1, "state": "running", "process": vars(THERE), "heartbeat": self.server.now}
            places.write(self.server.truth / "status.json", {**status, "lapses": self.lease.lapses}, durable=False)
            self.server.stamped()

        return self.lease.renew(sign)

    def write(self, lasting):
        """Begin to write, if that is allowed now; remembers when it will have ended."""
        if self.lease.holds():
            self.ended.append(self.server.now + lasting)


@pytest.fixture
def server(tmp_path, monkeypatch):
    return Server(tmp_path, monkeypatch)


def taken_over(server):
    """Whether the other machine, as it sees the run now, can take it over; its worker may write from then on."""
    found = reading.read(server.view, details=False)
    if not found.over:
        return False
    try:
        lease.seize(found)
    except ValueError:
        return False
    return True


def trial(server, dice, monkeypatch):
    """One interleaving: (when the second began or None, when writes of the first ended, when it had come back)."""
    first, hour = First(server, dice.uniform(-1e6, 1e6)), dice.uniform(-7200, 7200)
    monkeypatch.setattr(signs, "uptime", lambda: server.now + hour)
    monkeypatch.setattr(time, "time", lambda: server.now + hour)
    end, seen, away = server.now + 600, server.now, server.now + dice.uniform(0, 120)
    back = away + dice.choice([31, 119, 150, 200, 300, float("inf")])
    while server.now < end:
        server.now += dice.choice([0.3, 4.0, 9.0])
        if not away <= server.now < back:
            first.beat()
            first.write(dice.uniform(0, signs.SLACK))
        elif (
            back < float("inf") and dice.random() < 0.1
        ):  # a step that was under way, on a machine that is frozen now and then
            first.write(dice.uniform(0, signs.SLACK))
        if dice.random() < 0.3:
            seen = max(seen, server.now - dice.uniform(0, signs.CACHE))
            server.show(seen)
            if taken_over(server):
                began = server.now
                for _ in range(100):
                    server.now += 1.5
                    first.write(0)
                    first.beat()
                return began, first.ended, back
    return None, first.ended, back


def test_in_no_interleaving_two_workers_may_write(tmp_path, monkeypatch):
    count = 0
    for seed in range(12):
        server = Server(tmp_path / str(seed), monkeypatch)
        began, ended, back = trial(server, random.Random(seed), monkeypatch)
        assert began is None or max(ended, default=0.0) <= began
        assert began is not None or back < float("inf"), "a worker that never comes back is followed by another"
        count += began is not None
    assert count > 1, "and it does come to that"


def test_the_trial_finds_what_a_shorter_silence_does(tmp_path, monkeypatch):
    monkeypatch.setattr(lease, "SILENCE", 10.0)
    monkeypatch.setattr(signs, "SILENCE", 10.0)
    found = 0
    for seed in range(6):
        server = Server(tmp_path / str(seed), monkeypatch)
        began, ended, _ = trial(server, random.Random(seed), monkeypatch)
        found += began is not None and max(ended, default=0.0) > began
    assert found > 0


def test_a_worker_that_was_only_asleep_goes_on_and_nobody_can_take_its_run_then(server):
    first = First(server, 0.0)
    assert first.beat()
    server.show(server.now)
    server.now += 10_000
    assert first.lease.holds()
    assert first.lease.lapses == 2
    assert not taken_over(server), "though it is seen as it was"
    assert first.beat()


def test_whoever_was_quicker_has_it_for_ever(server, monkeypatch):
    monkeypatch.setattr(time, "time", lambda: server.now)
    first = First(server, 0.0)
    assert first.beat()
    server.now += signs.SILENCE + 1
    server.show(server.now)
    assert taken_over(server)
    assert not first.lease.holds()
    assert not first.beat()
    server.now += 1
    assert not first.lease.holds()


def test_a_second_look_after_a_takeover_that_came_to_nothing_waits_again(server, monkeypatch):
    monkeypatch.setattr(time, "time", lambda: server.now)
    First(server, 0.0).beat()
    server.now += signs.SILENCE + 1
    server.show(server.now)
    assert taken_over(server)
    server.show(server.now)
    assert not taken_over(server), "its winner may be about to begin"
    server.now += signs.SILENCE + 1
    server.show(server.now)
    assert taken_over(server)


def test_without_its_files_a_worker_does_not_write_and_does_not_give_up(server, monkeypatch):
    first = First(server, 0.0)
    assert first.beat()
    server.now += signs.LEASE - 1
    assert first.lease.holds()
    server.now += 2

    def away(*_):
        raise OSError(116, "Stale file handle")

    with monkeypatch.context() as cut:
        cut.setattr(places, "create", away)
        with pytest.raises(OSError, match="Stale"):
            first.lease.holds()
    assert first.lease.holds()


def foreign(folder, age):
    """A run whose worker on another machine has given its last sign of life so many seconds ago."""
    path = runs.start(points(), folder, "cpu", "a")
    places.create(places.request(path, 1, "taken"), {"machine": THERE.machine, "time": 0.0})
    told = {"number": 1, "state": "running", "process": vars(THERE), "heartbeat": 0.0, "lapses": 1}
    places.write(path / "status.json", told)
    places.create(places.request(path, 1, "lapse0"), {})
    for file in (*path.glob("requests/*"), path / "status.json"):
        os.utime(file, (time.time() - age, time.time() - age))
    return path


@pytest.mark.parametrize("act", [runs.resume, runs.delete, lambda path: Worker(path, None, points()).__enter__()])
def test_what_may_live_elsewhere_is_neither_resumed_nor_deleted_nor_trained_here(tmp_path, act):
    path = foreign(tmp_path / "runs", age=61)
    assert runs.read(path).state == "interrupted", "by its clock it is long gone, but that is no proof"
    with pytest.raises(ValueError, match="on elsewhere may still live"):
        act(path)
    assert path.exists()
    assert places.newest(path) == 1


def test_after_a_silence_that_is_long_enough_it_is_resumed_once(tmp_path):
    path = foreign(tmp_path / "runs", age=signs.SILENCE + 1)
    assert runs.resume(path) == path
    assert places.newest(path) == 2
    assert not Lease(path, 1).holds(), "the first one, should it come back, finds a file that it does not win"
    with pytest.raises(ValueError, match="is queued"):
        runs.resume(path)


def test_halves_of_files_of_a_run_that_may_live_elsewhere_are_left_to_it(tmp_path):
    path = foreign(tmp_path / "runs", age=1)
    half = path / "checkpoints" / ".00000000640.safetensors.abc"
    half.write_bytes(b"half")
    keeping.gc(tmp_path / "runs")
    assert half.exists()


def test_a_worker_that_has_lost_its_run_writes_nothing_more(tmp_path, monkeypatch):
    path, now = tmp_path / "runs" / "a", [0.0]
    monkeypatch.setattr("edm.runs.worker.Lease", lambda *given: Lease(*given, clock=lambda: now[0]))
    monkeypatch.setattr("edm.runs.worker.BEAT", 60)

    def rival(events):
        for event in events:
            if isinstance(event, loop.Checkpoint) and event.images == 384:
                places.create(places.request(path, 1, "lapse1"), {})
                now[0] += signs.LEASE + 1
            yield event

    with pytest.raises(Superseded), Worker(path, None, points()) as worker:
        events = rival(worker.watch(loop.train(points(), stop=worker.asked)))
        for _ in recording.record(events, path, check=worker.check):
            pass
    assert [p.stem[-3:] for p in recording.checkpoints(path)] == ["128", "256"], "not even what it had begun to write"
    assert [p.name for p in (path / "checkpoints").glob(".*")] == []
    assert places.read(path / "status.json")["state"] == "running", "nor a last word"


def test_a_run_whose_followers_still_end_is_not_resumed_before(tmp_path):
    path = runs.start(points(), tmp_path / "runs", "cpu", "a")
    places.create(places.request(path, 1, "taken"), {})
    me = vars(processes.this())
    told = {"number": 1, "state": "running", "process": {**me, "began": "1"}, "others": [me]}
    places.write(path / "status.json", told)
    assert runs.read(path).state == "interrupted"
    with pytest.raises(ValueError, match="about to end"):
        runs.resume(path)
    places.write(path / "status.json", {**told, "others": [{**me, "began": "2"}]})
    assert runs.resume(path) == path


def test_a_full_disk_does_not_silence_a_worker(tmp_path, monkeypatch):
    monkeypatch.setattr("edm.runs.worker.BEAT", 0.01)
    with Worker(tmp_path / "a", None, points()):
        status = tmp_path / "a" / "status.json"

        def full(*_, **__):
            raise OSError(errno.ENOSPC, "No space left on device")

        with monkeypatch.context() as disk:
            disk.setattr(places, "write", full)
            before = status.read_bytes()
            os.utime(status, (0, 0))
            until(lambda: status.stat().st_mtime > 0)
            assert status.read_bytes() == before
