"""Runs as files: who reads them, who may write them, and what can go wrong with them. No training here."""

import json
import os
import signal
import subprocess
import time

import pytest

from edm import runs
from edm.__main__ import main
from edm.runs import clocks, keeping, launchers, places, processes, reading, signs
from edm.runs.launchers import Processes
from tests.edm.runs import points
from tests.edm.runs.stubs import Scripts, say, state, until

HOSTILE = [
    "../x",
    "",
    ".",
    "..",
    "a/b",
    "a\\b",
    "x" * 300,
    "naïve",
    "a b",
    "-rf",
    "x\n",
    "x\0",
    "$(id)",
    ".queue",
    None,
    7,
]


def begin(folder, name, number=1, **status):
    """A run whose worker says that."""
    path = folder / name
    if not path.exists():
        runs.start(points(), folder, "cpu", name)
    places.create(places.request(path, number, "taken"), {})
    say(path, number, **status)
    return path


@pytest.mark.parametrize("name", HOSTILE, ids=repr)
def test_a_name_stays_inside_the_runs_folder(folder, name):
    folder.mkdir()
    for act in (lambda: runs.start(points(), folder, "cpu", name), lambda: runs.find(folder, name)):
        if name is None and act() is None:
            continue
        if name is not None:
            with pytest.raises(ValueError, match="letters, digits, - and _"):
                act()
            assert not any(folder.iterdir())
        break
    assert not (folder.parent / "x").exists()


def test_a_name_is_given_once_and_links_are_not_runs(folder, tmp_path):
    runs.start(points(), folder, "cpu", "one")
    with pytest.raises(ValueError, match="already"):
        runs.start(points(), folder, "cpu", "one")
    assert [runs.start(points(), folder, "cpu").name for _ in range(2)] == ["two_moons-1", "two_moons-2"]
    (folder / "link").symlink_to(tmp_path)
    with pytest.raises(ValueError, match="no run 'link'"):
        runs.find(folder, "link")
    assert "link" not in {run.name for run in runs.all_runs(folder)}


def test_a_dead_worker_is_seen_at_once_and_a_stranger_with_its_number_is_left_alone(folder):
    stranger = subprocess.Popen(["sleep", "60"], start_new_session=True)
    try:
        me = vars(processes.this(stranger.pid))
        path = begin(folder, "a", process=processes.Process(**{**me, "began": "1"}), alone=True)
        found = runs.read(path)
        assert found.state == "interrupted"
        assert found.resumable
        assert "without a word" in found.sentence
        runs.stop(path)
        places.create(places.request(path, 1, "stop"), {"machine": clocks.machine(), "uptime": 0, "grace": 0})
        runs.advance(folder)
        time.sleep(0.1)
        assert stranger.poll() is None
        say(path, process=processes.Process(**me), alone=True)
        assert state(path) == "stopping"
        runs.advance(folder)
        assert stranger.wait(10) == -signal.SIGKILL
    finally:
        stranger.kill()
        stranger.wait()


def test_a_worker_that_does_not_listen_is_ended_with_its_whole_group(folder, monkeypatch, tmp_path):
    code = "import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); os.fork(); open({!r}, 'a').write("
    launcher = Scripts(code.format(str(tmp_path / "ids")) + "f'{os.getpid()} '); time.sleep(60)")
    monkeypatch.setitem(launchers.LAUNCHERS, launchers.LOCAL, launcher)
    path = runs.start(points(), folder, "cpu", "deaf")
    runs.advance(folder)
    ids = until(lambda: (tmp_path / "ids").exists() and len(i := (tmp_path / "ids").read_text().split()) == 2 and i)
    runs.stop(path, grace=1.5)
    assert state(path) == "stopping"
    runs.advance(folder)
    assert state(path) == "stopping", "it has time to end by itself"
    until(lambda: runs.advance(folder) or runs.read(path).over)
    until(lambda: not any(processes.began(int(pid)) for pid in ids))
    launcher.clear()


@pytest.mark.parametrize("jump", [-1e9, -3600, 3600, 1e9])
def test_a_jump_of_the_clock_neither_kills_nor_hides_a_living_run(folder, monkeypatch, jump):
    path, now = begin(folder, "a"), time.time()
    monkeypatch.setattr(time, "time", lambda: now + jump)
    assert state(path) == "running"
    runs.stop(path)
    monkeypatch.setattr(time, "time", lambda: now - jump)
    sent = []
    monkeypatch.setattr(processes.Process, "signal", lambda *arguments, **named: sent.append(arguments))
    runs.advance(folder)
    assert (state(path), sent) == ("stopping", [])


def test_a_worker_on_another_machine_is_known_by_its_heartbeat(folder):
    there = processes.Process("elsewhere", "another boot:1", os.getpid(), "1")
    path = begin(folder, "a", process=there)
    assert state(path) == "running"
    assert not there.signal(0, group=False)
    assert Processes().alive(vars(there)) is None, "which is nothing that could be known here"
    dead = processes.Process("elsewhere", "another boot:1", os.getpid(), "2")
    say(path, process=dead, heartbeat=time.time() - signs.SILENCE - 1)
    assert state(path) == "interrupted"
    say(path, process=dead, heartbeat=time.time() - 7200)
    assert state(path) == "running", "its clock may be wrong, but it says something new"


def test_a_process_that_nobody_collected_is_dead():
    zombie = subprocess.Popen(["true"])
    until(lambda: processes.began(zombie.pid) is None)
    zombie.wait()


def test_metrics_are_read_from_a_cursor_and_bad_lines_are_counted(folder):
    path = begin(folder, "a")
    file = path / "metrics.jsonl"
    assert runs.metrics_since(path).lines == ()
    file.write_text('{"images": 1, "loss": NaN}\n{"images": 2')
    first = runs.metrics_since(path)
    assert (first.lines, first.skipped, first.anew) == (({"images": 1, "loss": None},), 0, False)
    with open(file, "ab") as stream:
        stream.write(b'}\n\xff\xfe\0garbage\n[1]\n{"images": "x"}\n{"ima\n' + b"[" * 100_000 + b'\n{"images": 3}\n')
    second = runs.metrics_since(path, first.cursor)
    assert ([line["images"] for line in second.lines], second.skipped) == ([2, 3], 5)
    assert runs.metrics_since(path, second.cursor).lines == ()
    file.write_text('{"images": 1, "loss": NaN}\n{"images": 9}\n')  # as a resumed run does
    third = runs.metrics_since(path, second.cursor)
    assert ([line["images"] for line in third.lines], third.anew) == ([1, 9], True)
    for cursor in ("nonsense", "-5:x", "9" * 40, "1:zz", "٣:x"):
        assert len(runs.metrics_since(path, cursor).lines) == 2


def test_a_long_history_comes_in_pieces(folder):
    path = begin(folder, "a")
    (path / "metrics.jsonl").write_text("".join(f'{{"images": {i}}}\n' for i in range(1000)))
    seen, part = [], runs.metrics_since(path, "", 500)
    while part.more:
        seen += part.lines
        part = runs.metrics_since(path, part.cursor, 500)
    assert [line["images"] for line in [*seen, *part.lines]] == list(range(1000))


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b'{"number": 1}', b'{"number": 1, "state": "running"}'])
def test_a_broken_status_is_no_accident(folder, content):
    path = begin(folder, "a")
    (path / "status.json").write_bytes(content)
    assert runs.read(path).state in ("running", "interrupted")


def test_fifty_runs_are_listed_without_reading_their_histories(folder, monkeypatch):
    for i in range(50):
        begin(folder, f"r{i}", state="finished")
    monkeypatch.setattr(places, "disk_use", None)
    monkeypatch.setattr(reading, "tail", None)
    listed = runs.all_runs(folder)
    assert len(listed) == 50
    assert {run.state for run in listed} == {"finished"}


def test_the_newest_and_the_best_checkpoints_are_kept(folder):
    path = begin(folder, "a", state="stopped")
    losses = {100: 3.0, 200: 1.0, 300: 2.0, 400: float("nan"), 500: 2.5}
    with open(path / "metrics.jsonl", "w") as file:
        for images, loss in losses.items():
            (path / "checkpoints" / f"{images:011}.safetensors").write_bytes(b"x" * 100)
            file.write(json.dumps({"images": images, "sigmas": [0.5], "validation": [loss]}) + "\n")
        file.write("{torn")
    (path / "checkpoints" / ".00000000600.safetensors.abc").write_bytes(b"half")
    assert keeping.best(path) == 200
    assert runs.gc(folder, keep=1) == 304
    assert [p.stem[-3:] for p in sorted((path / "checkpoints").iterdir())] == ["200", "500"]
    living = begin(folder, "b")
    (living / "checkpoints" / ".00000000600.safetensors.abc").write_bytes(b"half")
    assert runs.gc(folder) == 0, "what a living worker writes is its own"


def test_the_command_line_says_what_is_there(folder, stubs, capsys):
    given = ["--runs", str(folder)]
    assert main(["runs", "start", *given, "--name=a", "--device=cpu", "--dataset=spiral", "--images=2e4"]) == 0
    assert main(["runs", "start", *given, "--name=b", "--device=cpu"]) == 0
    assert [line.split(": ")[1] for line in capsys.readouterr().out.splitlines()] == ["running", "queued"]
    assert main(["runs", "list", *given]) == 0
    listed = {line.split()[0]: line.split()[1] for line in capsys.readouterr().out.splitlines()}
    assert listed == {"a": "running", "b": "queued"}
    assert main(["runs", "stop", *given, "--grace=0.1", "a", "b"]) == 0
    assert main(["runs", "show", *given, "a"]) == 0
    said = capsys.readouterr().out
    assert "python -m edm train --images=20000 --dataset=spiral" in said
    assert main(["runs", "delete", *given, "a", "b"]) == 0
    assert runs.all_runs(folder) == []
    for bad in (["show", "../a"], ["show", "a"], ["start", "--name=.."], ["gc", "--keep=0"], ["list", "--at-once=0"]):
        assert main(["runs", bad[0], *given, *bad[1:]]) == 2
        assert "Traceback" not in capsys.readouterr().err
