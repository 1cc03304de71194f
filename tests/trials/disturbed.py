"""What is not as it should be while a run goes on: the disk is full, files are torn, clocks jump."""

from __future__ import annotations

import os
import signal
import subprocess
import time

from edm import runs
from edm.training import recording
from tests.edm.runs import points
from tests.trials.waiting import DEATH, in_state, left_running, reached, tensors, undisturbed, until

RUBBISH = (
    b"\xff\xfe\x00{[[[\n",
    b'{"images": "many"}\n',
    b"[1, 2]\n",
    b"\n",
    b'{"images": 5, "loss": NaN}\n',
    b"x" * 9999,
)
CLOCK = """import os, time
_real, _file = time.time, os.environ["TRIAL_CLOCK"]
def _jumping():
    with open(_file) as offset:
        return _real() + float(offset.read() or 0)
time.time = _jumping
"""


def disk(folder, dice, size=3):
    """A disk that fills: the run fails with a sentence, its last checkpoint is whole, and it goes on with more room."""
    if os.geteuid() != 0:
        yield "a full disk: not tried, mounting a tmpfs takes root"
        return
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}m", "tmpfs", folder], check=True)
    try:
        settings = points(images=64_000, batch=64, checkpoint=640, tick=6400)
        path = runs.start(settings, folder, "cpu", "full", keep=400)
        runs.advance(folder)
        _, found = until(in_state(path, "failed"), "the disk to be full")
        assert found.reason == "disk", found
        assert "disk is full" in found.sentence
        saved = reached(path)
        assert saved > 0
        subprocess.run(["mount", "-o", f"remount,size={40 * size}m", folder], check=True)
        runs.resume(path)
        runs.advance(folder)
        until(in_state(path, "finished"), "its end")
        assert tensors(recording.checkpoints(path)[-1]) == undisturbed(settings, folder.with_name("whole-disk"))
        yield f"a full disk ({size} MB): a sentence at {saved:,} images, and with more room the same end"
    finally:
        subprocess.run(["umount", folder], check=True)


def metrics(folder, dice, count=40):
    """Lines of metrics that are none, written while the run goes on and is watched."""
    path = runs.start(points(images=640 * 4000, batch=64, checkpoint=64_000, tick=6400), folder, "cpu", "torn")
    runs.advance(folder)
    until(in_state(path, "running"), "the run")
    until(lambda: (path / "metrics.jsonl").exists(), "its first tick")
    cursor, good, skipped = "", [], 0
    for _ in range(count):
        with open(path / "metrics.jsonl", "ab") as file:
            file.write(dice.choice(RUBBISH))
        found = runs.metrics_since(path, cursor)
        assert not found.anew
        cursor, good, skipped = found.cursor, [*good, *found.lines], skipped + found.skipped
        time.sleep(0.05)
    os.kill(runs.read(path).pid, signal.SIGKILL)
    until(in_state(path, "interrupted"), "its death to be seen", DEATH)
    with open(path / "metrics.jsonl", "ab") as file:
        file.write(b'{"images": 99, "lo')  # torn in the middle
    runs.resume(path, images=str(reached(path) + 64_000))
    runs.advance(folder)
    until(in_state(path, "finished"), "its end")
    found = runs.metrics_since(path)
    seen = [line["images"] for line in found.lines if line["images"] % 6400 == 0]
    assert seen == sorted(set(seen)), "a tick is missing its place"
    assert seen == list(range(6400, seen[-1] + 1, 6400))
    yield f"{count} corrupted lines of metrics: {skipped} skipped, nobody stopped; {len(seen)} ticks in order"


def clocks(folder, dice, count=12):
    """The time of day jumps by hours for the worker, and for those who watch it."""
    home, offset = folder.with_name("clock"), folder.with_name("offset")
    home.mkdir()
    (home / "sitecustomize.py").write_text(CLOCK)
    offset.write_text("0")
    os.environ |= {"TRIAL_CLOCK": str(offset), "PYTHONPATH": str(home)}
    real = time.time
    try:
        path = runs.start(points(images=10**8, batch=64, checkpoint=6400, tick=64_000), folder, "cpu", "jumping")
        runs.advance(folder)
        until(lambda: runs.read(path).images, "its first step")
        for number in range(count):
            jump = dice.choice([-7200.0, -3600.0, -61.0, 61.0, 3600.0, 86400.0])
            if number % 2:
                temporary = offset.with_suffix(".new")
                temporary.write_text(str(jump))
                temporary.rename(offset)
            else:
                time.time = lambda jump=jump: real() + jump
            seen, end = runs.read(path).images, time.monotonic() + 2.5
            while time.monotonic() < end:
                assert runs.read(path).state == "running", (jump, runs.read(path).sentence)
                runs.advance(folder)
                time.sleep(0.05)
            assert runs.read(path).images > seen
        runs.stop(path)
        until(in_state(path, "stopped", folder=folder), "it to stop")
    finally:
        time.time = real
        os.environ.pop("TRIAL_CLOCK"), os.environ.pop("PYTHONPATH")
    yield f"{count} jumps of the clock by up to a day, of the worker's and of its watcher's: running in every look"


FAILS = """import os
if os.environ.get("RANK") == {rank!r} and os.environ.get("TORCHELASTIC_RESTART_COUNT") == "0":
    import torch
    plain, calls = torch.Tensor.backward, []
    def backward(tensor, *more, **named):
        calls.append(1)
        if len(calls) > 4:
            raise torch.OutOfMemoryError({words!r})
        return plain(tensor, *more, **named)
    torch.Tensor.backward = backward
"""


def fellows(folder, dice):
    """One of two processes ends in a step: without memory all begin anew with half as many images at once; else the
    run says what has ended it. torchrun and gloo are real, the error is made."""
    site = folder.with_name("site")
    site.mkdir()
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(site), before]))
    try:
        for rank in ("0", "1"):
            (site / "sitecustomize.py").write_text(FAILS.format(rank=rank, words="CUDA out of memory."))
            path = runs.start(points(checkpoint=64), folder, "cpu*2", f"memory-{rank}")
            runs.advance(folder)
            took, found = until(in_state(path, "finished"), "its end")
            assert (found.number, found.images) == (2, 640), "it began twice"
            assert "goes on from" in found.sentence and "micro_batch = 16" in found.sentence, found.sentence
            assert "Traceback" not in (path / "log.txt").read_text()
            yield f"out of memory in process {rank} of 2: {found.sentence}, and finished after {took:.0f} s"
        (site / "sitecustomize.py").write_text(FAILS.format(rank="1", words="CUDA error: uncorrectable ECC error"))
        path = runs.start(points(checkpoint=64), folder, "cpu*2", "broken")
        runs.advance(folder)
        _, found = until(in_state(path, "failed"), "its end")
        assert found.reason == "device" and found.images, (found.reason, found.sentence)
        until(lambda: not left_running(folder), "all its processes to end")
        yield f"broken memory in process 1 of 2: {found.sentence}"
    finally:
        os.environ.pop("PYTHONPATH") if before is None else os.environ.update(PYTHONPATH=before)
