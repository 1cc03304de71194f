"""This tree beside the one it began with: two processes that compute the same in turns.

How much quicker a network should be is judged by what was there before, float32, beside what there is now: bf16, where
the device multiplies in it by itself (`edm.base.precisions.fast_bf16`), with the same weights, inputs and noise. What
the two compute may be `HALF` of the largest number apart. In float32 it must not have become slower, and computes the
same up to `SAME`; where a processor has no bf16, float32 itself is asked to be quicker.
"""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from edm.base import precisions
from tests.benchmarks.table import REPEATS, Row
from tests.browser.conftest import ROOT

SHORTEST = 0.1  # seconds that one timing takes at least
SAME, HALF = 1e-4, 0.02  # of the largest number: how far both sides may be apart in float32, and in bf16 beside it
SIDE = Path(__file__).with_name("side.py")


@dataclass(frozen=True)
class Compared:
    """Milliseconds, and before / now of each repeat; None, and no ratios, where there is no before."""

    now: float
    before: float | None
    ratios: tuple[float, ...]

    def row(self, what: str, asked: float | None = None) -> Row:
        return Row(what, self.now, "ms", asked, self.before, more=True, ratios=self.ratios)


class Side:
    """A process with the code of a tree (see `side`). It stands still while it is not asked: what it would draw ahead
    meanwhile would cost the other side, and spare itself."""

    def __init__(self, tree: Path):
        command, environment = [sys.executable, "-P", str(SIDE)], {**os.environ, "PYTHONPATH": str(tree)}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self._process = subprocess.Popen(command, cwd=tree, env=environment, **pipes)

    def ask(self, **question) -> dict:
        self._process.send_signal(signal.SIGCONT)
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        if not (line := self._process.stdout.readline()):
            raise RuntimeError(f"{question}: the process ended with {self._process.wait()}")
        self._process.send_signal(signal.SIGSTOP)
        return json.loads(line)

    def close(self) -> None:
        self._process.send_signal(signal.SIGCONT)
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()


class Sides:
    """now and before: None where that is not there."""

    def __init__(self, now: Side, before: Side | None):
        self.now, self.before = now, before

    def compare(self, figure: str, now: dict, before: dict | None = None, tolerance: float = SAME) -> Compared:
        """A figure of `side`, in turns. now, before: its arguments on each side (before: the same).

        Raises AssertionError where both do not compute the same, up to `tolerance` of the largest number.
        """
        there = [(self.now, now)] + ([(self.before, before or now)] if self.before else [])
        checks = [np.array(side.ask(prepare=figure, **{"with": arguments})["check"]) for side, arguments in there]
        apart = max(abs(checks[0] - check).max() for check in checks)
        assert apart <= tolerance * abs(checks[0]).max(), f"{figure}, {now}: {apart} apart"
        sides = [side for side, _ in there]
        for side in sides:
            side.ask(times=1)
        times = max(1, round(SHORTEST / min(side.ask(times=1)["seconds"] for side in sides)))
        taken = []
        for _ in range(REPEATS):
            turns = [side.ask(times=times)["seconds"] for side in (*sides, *reversed(sides))]
            taken.append([turns[k] + turns[-1 - k] for k in range(len(sides))])
        halves = np.array(taken) / 2
        ratios = tuple(halves[:, 1] / halves[:, 0]) if self.before else ()
        medians = [1000 * statistics.median(column) for column in halves.T]
        return Compared(medians[0], medians[1] if self.before else None, ratios)

    def rows(self, figure: str, what: str, arguments: dict, device: str, asked: float) -> Iterator[Row]:
        """A figure of a network on a device: in float32, and where it has bf16 in that. asked: before / now, of what is
        judged."""
        halved = precisions.fast_bf16(torch.device(device))
        same = {**arguments, "device": device, "precision": "fp32"}
        yield self.compare(figure, same).row(f"{what}, {device}, fp32: before / now", 1 if halved else asked)
        if halved:
            found = self.compare(figure, {**same, "precision": "bf16"}, same, HALF)
            yield found.row(f"{what}, {device}: fp32 before / bf16 now (± {100 * HALF:g} %)", asked)


@contextmanager
def sides(tree: Path | None) -> Iterator[Sides]:
    """tree: of `tree_before`."""
    with ExitStack() as stack:
        opened = [Side(path) for path in (ROOT, tree) if path]
        for side in opened:
            stack.callback(side.close)
        yield Sides(opened[0], opened[1] if tree else None)
