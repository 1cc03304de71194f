"""Training in a terminal beside the same shown by a page on the same cores."""

from __future__ import annotations

import json
import os
import signal
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import median

from playwright.sync_api import sync_playwright

from edm import runs
from edm.training.settings import Training
from tests.benchmarks.served import training_served
from tests.browser.conftest import FLAGS, Explorer, chromium

DIGITS = {
    "data": {"dataset": "digits"},
    "architecture": {"channels": 32, "channel_mult": [1, 2], "blocks": 1, "attention": []},
    "images": 10**6,
    "batch": 32,
    "tick": 2400,
    "checkpoint": 4800,
}


def throughput(repeats=9, seconds=2):
    """(rate of a run alone over its rate while a page shows it, of each turn: page and server are stopped and go on;
    percent of this machine's cores that server and browser take of it)."""
    ratios, shares = [], []
    with tempfile.TemporaryDirectory() as place, sync_playwright() as playwright:
        mark = "EDM_BENCHMARK=watching"
        with marked(mark), training_served(Path(place)) as address:
            browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
            run = runs.start(Training.parse(DIGITS), place, "cpu", "watched")
            Explorer(browser, address, f"?tab=train&train.runs={run.name}").page.wait_for_selector(".reel[data-images]")
            time.sleep(5)
            try:
                for _ in range(repeats):
                    rates = {}
                    for number in (signal.SIGCONT, signal.SIGSTOP):
                        tell(mark, number)
                        before, began = spending(having(mark)), time.monotonic()
                        rates[number] = rate(run, seconds)
                        if number == signal.SIGCONT:
                            spent = spending(having(mark)) - before
                            shares.append(spent / (time.monotonic() - began) / os.cpu_count())
                    ratios.append(rates[signal.SIGSTOP] / rates[signal.SIGCONT])
            finally:
                tell(mark, signal.SIGCONT)
            browser.close()
    return tuple(ratios), 100 * median(shares)


def tell(mark, number) -> None:
    """A signal for all processes with the mark."""
    for process in having(mark):
        with suppress(ProcessLookupError):
            os.kill(process, number)


def spending(numbers) -> float:
    """Seconds that processes have computed."""
    ticks = 0
    for number in numbers:
        with suppress(OSError):
            fields = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def rate(run, seconds):
    """Images a second, by two of its signs of life; longer, where it gives none."""
    time.sleep(1.5)
    first = json.loads((run / "status.json").read_text())
    last = first
    while last["images"] == first["images"]:
        time.sleep(seconds)
        last = json.loads((run / "status.json").read_text())
    return (last["images"] - first["images"]) / (last["heartbeat"] - first["heartbeat"])


@contextmanager
def marked(mark):
    """What is started meanwhile carries a mark in its environment, but for workers."""
    name, _, value = mark.partition("=")
    os.environ[name] = value
    try:
        yield
    finally:
        del os.environ[name]


def having(mark):
    """Numbers of processes with the mark, but for this one and the workers of runs."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            environment, command = ((entry / part).read_bytes() for part in ("environ", "cmdline"))
            if mark.encode() in environment and b"--beginning" not in command and b"node" not in command:
                found.append(int(entry.name))
    return [number for number in found if number != os.getpid()]
