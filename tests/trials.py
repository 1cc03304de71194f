"""python -m tests.trials [workers] [servers] [disk] [metrics] [rivals] [clocks] [visits] [fuzz]: survived, counted.

Everything is real: workers and servers in processes of their own, killed with SIGKILL at random moments; a disk that
is full (a tmpfs, for which one has to be root); clocks that jump. `fuzz` gives inputs of any making to everything that
reads some, the same for the same --seed. A line that ends in FAILED is a defect.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from safetensors import safe_open

from edm import checkpoints, runs
from edm.runs import places, reading
from edm.runs.launchers import PROMPT, launcher_of
from edm.training import recording
from edm.training.loop import train
from tests.browser.conftest import start_server
from tests.edm.runs import points
from tests.visiting import visits

PATIENCE = 90  # seconds for anything that has to happen
DEATH = 10  # seconds in which a death has to be seen
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


def workers(folder, dice, count=30):
    """SIGKILLs of a worker at random moments, each followed by Resume."""
    settings = points(images=640 * 30_000, batch=64, checkpoint=6400, tick=64_000)
    path, known, slowest, lost = runs.start(settings, folder, "cpu", "victim"), 0, 0.0, 0
    for number in range(count):
        runs.advance(folder)
        _, living = until(lambda: (run := runs.read(path)).pid and run, "a worker")
        time.sleep(dice.uniform(0.0, 12.0))  # a part of them before torch is loaded
        seen = runs.read(path).images
        os.kill(living.pid, signal.SIGKILL)
        took, dead = until(in_state(path, "interrupted"), "its death to be seen", DEATH)
        assert dead.resumable
        assert dead.sentence
        saved = reached(path)
        assert saved >= known, "a checkpoint was lost"
        slowest, lost, known = max(slowest, took), max(lost, seen - saved), saved
        if number < count - 1:
            runs.resume(path)
    runs.resume(path, images=str(known + 6400))
    runs.advance(folder)
    until(in_state(path, "finished"), "its end")
    same = tensors(recording.checkpoints(path)[-1]) == undisturbed(
        settings.changed(images=known + 6400), folder.with_name("whole")
    )
    assert same, "the run that was killed ended otherwise than one that was not"
    yield f"{count} SIGKILLs of a worker: each seen within {slowest:.2f} s, at most {lost:,} of {known:,} images lost"
    yield f"the run ends bit for bit as an undisturbed one of {known + 6400:,} images"


def servers(folder, dice, count=10):
    """SIGKILLs of the server, while its runs go on; the next server takes the queue over."""
    slow = points(images=10**8, batch=64, checkpoint=64_000, tick=640_000)
    first = runs.start(slow, folder, "cpu", "long")
    second = runs.start(points(), folder, "cpu", "next")
    log, pid = [], None
    for _ in range(count):
        with server(folder, log) as (process, _):
            _, found = until(lambda: (run := runs.read(first)).pid and run, "the run")
            assert pid in (None, found.pid), "the run was started twice"
            pid, before = found.pid, found.images
            time.sleep(dice.uniform(0.0, 2.0))
            process.kill()
            process.wait()
        until(lambda before=before: runs.read(first).images > before, "the run to go on without a server")
        assert runs.read(second).state == "queued"
    runs.stop(first)
    until(in_state(first, "stopped"), "the run to stop without a server")
    until(in_state(second, "finished"), "the next run, which the worker before it has started")
    assert not any("Traceback" in text for text in log)
    yield f"{count} SIGKILLs of the server: its run went on as process {pid} each time, and the queue after it"


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


def rivals(folder, dice, count=6):
    """Two servers, and this process, on one runs folder: every run begins once, one after the other."""
    log, most = [], 0
    with server(folder, log), server(folder, log):
        paths = [runs.start(points(), folder, "cpu", f"r{i}") for i in range(count)]
        end = time.monotonic() + count * PATIENCE
        while not all(runs.read(path).state == "finished" for path in paths):
            assert time.monotonic() < end, [runs.read(path).state for path in paths]
            runs.advance(folder)
            most = max(most, sum(runs.read(path).state in runs.LIVE for path in paths))
    for path in paths:
        begun = (path / "log.txt").read_text().count(f"{PROMPT}python -m edm train")
        assert (begun, places.newest(path)) == (1, 1), f"{path.name} was begun {begun} times"
    assert most <= 1, f"{most} runs at once on one device"
    assert not any("Traceback" in text for text in log)
    yield f"two servers and a third launcher on one folder: {count} runs, each begun once, never two at once"


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


def fuzz(folder, dice, count=10_000):
    """Inputs of any making: each ends in an answer or in a sentence, and none takes long."""
    from tests import fuzz

    found = fuzz.fuzz(dice, count, folder)
    for kind in fuzz.KINDS:
        answers, refusals = found.answers[kind], found.refusals[kind]
        yield f"{kind}: {answers:,} answers, {refusals:,} sentences, the slowest after {found.slowest[kind]:.2f} s"
    kinds = [f"{kind}: {said:.300}, of {shown!r:.300}" for kind, shown, said in found.failures[:10]]
    assert not kinds, f"{len(found.failures)} of {count:,} inputs ended otherwise:\n" + "\n".join(kinds)


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


TRIALS = {trial.__name__: trial for trial in (workers, servers, disk, metrics, rivals, clocks, visits, fuzz)}


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.trials", description=__doc__)
    parser.add_argument("trials", nargs="*", choices=[*TRIALS, []], help="which (default: all)")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    failed = 0
    for name in options.trials or TRIALS:
        with tempfile.TemporaryDirectory() as place:
            began, folder = time.monotonic(), Path(place, "runs")
            try:
                for line in TRIALS[name](folder, random.Random(f"{name} {options.seed}")):
                    print(f"{name:10}{line}", flush=True)
                until(lambda folder=folder: not left_running(folder), "everything to end", 40)
            except AssertionError as error:
                failed += 1
                print(f"{name:10}FAILED: {error}; left running: {left_running(folder)}", flush=True)
            finally:
                for run in runs.all_runs(folder):
                    launcher_of(run.folder).end(reading.workers(run.folder)[0], force=True)
            print(f"{name:10}{time.monotonic() - began:.0f} s", flush=True)
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
