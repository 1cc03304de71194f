"""Runs in processes of their own: killed, paused, stopped and resumed, they end as if undisturbed."""

import json
import os
import signal
import time
from pathlib import Path

import pytest
from safetensors import safe_open

from edm import runs
from edm.runs import places, processes, reading
from edm.runs.launchers import launcher_of
from edm.training.loop import train
from edm.training.recording import checkpoints, record
from tests.edm.runs import points

FOLDERS = []  # that tests of this file have had
DEADLINE = 60  # seconds: a worker loads torch first, on a machine that others use, too


def until(condition, seconds=DEADLINE):
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)
    return found


def state(path, wanted):
    found = runs.read(path)
    assert found.state == wanted or found.state in (*runs.LIVE, "queued"), (found.state, found.sentence, found.log)
    return found.state == wanted and found


def hold(path):
    """Let the next worker of the run hold after its first step."""
    places.create(places.request(path, places.newest(path), "pause"), {})


def tensors(path):
    with safe_open(path, framework="pt") as file:
        return {name: file.get_tensor(name).numpy().tobytes() for name in list(file.keys())}


def undisturbed(settings, folder):
    """The last checkpoint of a run in this process."""
    for _ in record(train(settings), folder):
        pass
    return checkpoints(folder)[-1]


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "runs"
    FOLDERS.append(str(folder))
    yield folder
    for run in runs.all_runs(folder):
        launcher_of(run.folder).end(reading.workers(run.folder)[0], force=True)


def test_killed_paused_stopped_and_resumed_it_ends_as_if_undisturbed_and_the_next_one_begins(folder, tmp_path):
    path = runs.start(points(), folder, "cpu", "one")
    hold(path)
    assert runs.advance(folder) == [path]
    held = until(lambda: state(path, "paused"))
    assert held.images == 64, "it holds after its first step"
    assert int(held.checkpoint.stem) == 64, "with a checkpoint"
    assert held.command.startswith("python -m edm train --")
    beats = runs.read(path).heartbeat
    until(lambda: runs.read(path).heartbeat > beats)

    os.kill(held.pid, signal.SIGKILL)
    dead = until(lambda: state(path, "interrupted"))
    assert dead.resumable
    assert "without a word" in dead.sentence
    assert dead.log[0].startswith("$ python -m edm train"), "the last lines of its log are there"

    runs.resume(path)
    hold(path)
    assert runs.advance(folder) == [path]
    assert until(lambda: state(path, "paused")).images == 128, "it went on from its checkpoint"
    runs.stop(path)
    stopped = until(lambda: state(path, "stopped"))
    assert int(stopped.checkpoint.stem) == 128

    other = runs.start(points(images=128), folder, "cpu", "two")
    runs.resume(path)
    hold(path)
    assert runs.advance(folder) == [other], "the run that waited longer comes first"
    until(lambda: state(path, "paused"))  # nobody but the worker of the other can have started it
    assert runs.read(other).state == "finished"
    began = time.monotonic()
    runs.unpause(path)
    finished = until(lambda: state(path, "finished"))
    assert finished.seconds < time.monotonic() - began + 10, "time that it held is no time of training"
    assert tensors(finished.checkpoint) == tensors(undisturbed(points(), tmp_path / "whole"))
    lines = [[line["validation"] for line in runs.metrics_since(f).lines] for f in (path, tmp_path / "whole")]
    assert lines[0] == lines[1]


def test_a_run_on_several_devices_ends_with_all_its_processes(folder):
    path = runs.start(points(), folder, "cpu*2", "both")
    asked = json.loads((path / "requests" / "0001.start.json").read_text())
    assert "-m torch.distributed.run --standalone --nproc_per_node=2 -m edm train" in asked["command"]
    hold(path)
    assert runs.advance(folder) == [path]
    held = until(lambda: state(path, "paused"))
    assert held.device == "cpu*2"
    leader, others = reading.workers(path)
    assert (len({worker["pid"] for worker in (leader, *others)}), leader["alone"]) == (3, True)

    alive = launcher_of(path).alive
    os.kill(leader["pid"], signal.SIGKILL)  # torchrun itself, which alone would end the others
    until(lambda: state(path, "interrupted"))
    until(lambda: not any(map(alive, others)))

    runs.resume(path)
    hold(path)
    assert runs.advance(folder) == [path]
    until(lambda: state(path, "paused"))
    leader, others = reading.workers(path)
    runs.stop(path)
    assert int(until(lambda: state(path, "stopped")).checkpoint.stem) == 128
    until(lambda: not any(map(alive, [leader, *others])))


def test_what_cannot_be_shared_by_the_devices_is_refused_before_anything_is_made(folder):
    for settings, device, words in (
        (points(batch=63), "cpu*2", "batch = 63"),
        (points(micro_batch=64), "cpu*2", None),
        (points(batch=96, micro_batch=32), "cpu*2", "micro_batch = 32"),
        (points(), "cpu*0", "cpu"),
        (points(), "cpu*999", "cpu"),
        (points(), "cuda*99", "cuda"),
    ):
        if words is None:
            runs.delete(runs.start(settings, folder, device))
            continue
        with pytest.raises(ValueError, match=words.replace("*", r"\*")):
            runs.start(settings, folder, device)
    assert runs.all_runs(folder) == []


def test_where_there_is_no_gpu_several_of_them_are_refused_with_a_way_out(folder, monkeypatch):
    monkeypatch.setattr("torch.cuda.device_count", lambda: 0)
    with pytest.raises(ValueError, match="it has no GPU; use cpu"):
        runs.start(points(), folder, "cuda*2")


def test_nothing_of_this_file_is_left_running():
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        mine = any(folder in command for folder in FOLDERS)
        assert not (mine and processes.began(int(entry.name))), command
