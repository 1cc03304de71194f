"""Runs know their workers by a launcher only: with a made-up one they live, end, are lost and go on all the same."""

import ast
import os
import shlex
import time
from pathlib import Path

import pytest
from torch.distributed.run import get_args_parser

import app
import edm
from app.training import form
from edm import runs
from edm.__main__ import parser
from edm.runs import launchers, places, reading, signs
from edm.runs.launchers import LAUNCHERS, Processes
from tests.edm.runs import Memory, points

KNOWS = {"edm/runs/launchers.py", "edm/runs/processes.py"}  # how processes are started, looked for and ended
ASKS = {"app/work/forks.py"}  # processes that compute for the page, which end with it; no worker is among them
TOURS = {"app/tours/pictures.py"}  # a server of its own and a browser, for as long as a lesson is written
HEARS = {"edm/runs/signals.py", "edm/commands/train.py", "app/work/worker.py"}  # signals, and sends none


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "runs"


@pytest.fixture
def memory(monkeypatch):
    launcher = Memory()
    monkeypatch.setitem(LAUNCHERS, "memory", launcher)
    return launcher


def asked(folder, name="a"):
    return runs.start(points(), folder, "auto", name, launcher="memory")


def state(path):
    return runs.read(path, details=False).state


def say(path, **status):
    """Write a status as the worker of the newest beginning would."""
    number = places.newest(path)
    handle, _ = reading.workers(path)
    told = {"number": number, "state": "running", "process": handle, "heartbeat": time.time()}
    places.write(path / "status.json", {**told, **status})


def test_a_whole_life(folder, memory):
    path, other = asked(folder), asked(folder, "b")
    assert state(path) == "queued"
    assert runs.advance(folder) == [path]
    assert memory.submitted == [("a", "cpu")]
    assert (state(path), state(other)) == ("running", "queued")
    say(path, images=128)
    assert runs.read(path).images == 128
    say(path, state="finished", images=640)
    assert state(path) == "finished"
    assert runs.advance(folder) == [other], "its place is free again"
    assert memory.submitted == [("a", "cpu"), ("b", "cpu")]


def test_one_that_is_lost_is_seen_and_goes_on(folder, memory):
    path = asked(folder)
    runs.advance(folder)
    for known in (False, True):  # whether it has said anything
        if known:
            say(path)
        memory.living[-1] = False
        assert state(path) == "interrupted"
        runs.resume(path)
        assert state(path) == "queued"
        assert runs.advance(folder) == [path]
        assert state(path) == "running"
    assert len(memory.submitted) == 3


@pytest.mark.parametrize(("listens", "ended"), [(True, [(0, False)]), (False, [(0, False), (0, True)])])
def test_one_that_is_asked_to_end_does_or_is_ended(folder, memory, listens, ended):
    memory.listens = listens
    path = asked(folder)
    runs.advance(folder)
    say(path)
    runs.stop(path, grace=0)
    assert state(path) == "stopping"
    request = places.request(path, 1, "stop")
    places.write(request, {**places.read(request), "grace": 1e6})
    runs.advance(folder)
    assert memory.ended == [], "it has time to end by itself"
    waited = time.time() - places.read(request)["time"]
    places.write(request, {"machine": "another", "time": time.time() - 1000, "grace": 999 if waited < 1 else 0})
    runs.advance(folder)
    assert memory.ended == [(0, False)]
    places.write(request, {"machine": "another", "time": 0.0, "grace": 1})
    runs.advance(folder)
    assert memory.ended == ended
    assert state(path) == "stopped"


def test_what_its_launcher_cannot_know_is_told_by_its_signs_of_life(folder, memory):
    path = asked(folder)
    runs.advance(folder)
    memory.living[0] = None
    say(path)
    assert state(path) == "running"
    say(path, heartbeat=time.time() - signs.SILENCE - 1, process={"job": 0, "of": "another"})
    assert state(path) == "interrupted"
    with pytest.raises(ValueError, match="may still live"):
        runs.resume(path)


def test_a_run_whose_launcher_is_not_known_here_is_left_to_those_who_know_it(folder, memory, monkeypatch):
    path = asked(folder)
    runs.advance(folder)
    say(path)
    waiting = asked(folder, "b")
    monkeypatch.delitem(LAUNCHERS, "memory")
    assert state(path) == "running"
    with pytest.raises(OSError, match="the launcher 'memory' is not known here"):
        runs.advance(folder, at_once=2)
    assert state(waiting) == "queued"


def test_a_worker_is_told_its_folder_and_nothing_else(folder, monkeypatch):
    started = []

    class Child:
        pid = 1 << 22  # of nobody

        def wait(self):
            return 0

    monkeypatch.setattr(launchers.subprocess, "Popen", lambda command, **_: started.append(command) or Child())
    path = runs.start(points(), folder, "cpu*2", "a")
    assert runs.advance(folder) == [path]
    (command,) = started
    assert command[command.index("train") :] == ["train", f"--run={path.absolute()}", "--beginning=1"]
    assert "--nproc_per_node=2" in command


def test_the_places_of_this_machine_are_its_processor_and_its_gpus(monkeypatch):
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    assert Processes().places() == ["cpu", "cuda:0", "cuda:1"]


def called(file):
    """(names of modules that a file imports, names that it calls on modules)."""
    nodes = list(ast.walk(ast.parse(file.read_text())))
    imports = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    for node in (node for node in nodes if isinstance(node, ast.ImportFrom)):
        imports |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
    return imports, {ast.unparse(node.func) for node in nodes if isinstance(node, ast.Call)}


def test_nobody_else_starts_looks_for_or_ends_a_worker():
    home = Path(edm.__file__).parent.parent
    for package in (edm, app):
        for file in Path(package.__file__).parent.rglob("*.py"):
            name = file.relative_to(home).as_posix()
            imports, calls = called(file)
            if name in KNOWS | ASKS | TOURS:
                continue
            assert not imports & {"subprocess", "multiprocessing"}, name
            assert "psutil.pid_exists" not in calls or name == "edm/training/parallel.py", "torchrun's own end"
            assert not calls & {"os.kill", "os.killpg", "os.fork", "os.system", "signal.pthread_kill"}, name
            assert "signal" not in imports or name in HEARS, name
            assert "edm.runs.processes" not in imports, f"{name}: ask the launcher"


def test_a_run_has_the_surroundings_of_whoever_asked_for_it_and_not_of_who_starts_it(folder, monkeypatch, tmp_path):
    given = []
    child = type("Child", (), {"pid": 1 << 22, "wait": lambda self: 0})
    monkeypatch.setattr(launchers.subprocess, "Popen", lambda command, **more: given.append(more) or child())
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    asker, starter = tmp_path / "asker", tmp_path / "starter"
    asker.mkdir(), starter.mkdir()

    def become(place, **variables):
        monkeypatch.chdir(place)
        for name in ("CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS", "NCCL_DEBUG", "CUDA_DEVICE_ORDER"):
            monkeypatch.delenv(name, raising=False)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    become(asker, CUDA_VISIBLE_DEVICES="2,GPU-abc", OMP_NUM_THREADS="3", CUDA_API_KEY="secret", HOME="asker's")
    former = os.umask(0o027)
    one, two = (runs.start(points(), folder, device, name) for device, name in (("cuda:1", "one"), ("cuda*2", "two")))
    os.umask(former)
    become(starter, CUDA_VISIBLE_DEVICES="5", NCCL_DEBUG="INFO", RANK="1", EDM_PASSWORD="class", HOME="starter's")
    assert runs.advance(folder, at_once=2) == [one, two]
    for more, shown in zip(given, ("2,GPU-abc", "2,GPU-abc"), strict=True):
        variables = more["env"]
        assert (variables["CUDA_VISIBLE_DEVICES"], variables["OMP_NUM_THREADS"]) == (shown, "3")
        assert variables["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID", "cards are numbered as their driver tells of them"
        assert not {"NCCL_DEBUG", "RANK", "EDM_PASSWORD"} & set(variables)
        assert (more["cwd"], more["umask"], variables["HOME"]) == (str(asker), 0o027, "starter's")
    told = (one / "requests" / "0001.start.json").read_text()
    assert "secret" not in told and "CUDA_API_KEY" not in told, "anyone may read it"


@pytest.mark.parametrize(("shown", "seen"), [(None, None), ("", ""), ("0", "0")])
def test_that_nothing_or_all_was_shown_is_remembered_too(folder, monkeypatch, shown, seen):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if shown is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", shown)
    path = runs.start(points(), folder, "cpu", "a")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "7")
    request = places.read(places.request(path, 1, "start"))
    assert launchers.environment(["cpu"], request["environment"]).get("CUDA_VISIBLE_DEVICES") == seen
    assert launchers.environment(["cpu"]).get("CUDA_VISIBLE_DEVICES") == "7", "older requests do not say"


def read_again(command):
    """(processes, options) of a printed command, as the programs themselves read it."""
    program, *words = shlex.split(command)
    assert program == "python" and words.pop(0) == "-m"
    processes = 1
    if words[0] == "torch.distributed.run":
        torchrun = get_args_parser().parse_args(words[1:])
        processes, words = int(torchrun.nproc_per_node), [torchrun.training_script, *torchrun.training_script_args]
    assert words.pop(0) == "edm"
    return processes, parser().parse_args(words)


DEVICES = [("auto", 1, "auto"), ("cpu", 1, "cpu"), ("cuda:1", 1, "cuda:1"), ("cuda*2", 2, "cuda"), ("cpu*2", 2, "cpu")]


@pytest.mark.parametrize(("device", "processes", "named"), DEVICES)
def test_every_command_that_is_printed_can_be_given(folder, monkeypatch, device, processes, named):
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    path = runs.start(points(lr=2e-4), folder, device, f"a-{processes}-{named[:2]}")
    first = runs.read(path).command
    runs.stop(path)
    runs.resume(path, lr="1e-4")
    planned = form.described(form.Plan(points(lr=2e-4), device, None, None, {}))["command"]
    for command, lr in ((first, "0.0002"), (planned, "0.0002"), (runs.read(path).command, "1e-4")):
        found, options = read_again(command)
        assert (found, options.device, options.lr) == (processes, named, lr)
