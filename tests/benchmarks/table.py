"""Rows of the table: a figure, its budget, whether it is met, and what it was before.

A ratio is the median over repeats in which both sides take turns, with an interval that holds the true median 95 times
in 100, whatever the times are distributed like: from one order statistic to the one opposite (of nine, the second to
the eighth). Only a ratio can fail, and only where its whole interval is on the wrong side of what is asked: times are
those of this machine and of this moment.
"""

from __future__ import annotations

import math
import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

REPEATS = 9  # at least, of a ratio that may fail
COVERED = 0.95
WIDTH = 74  # of the column of figures


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Bounds of the median of whatever the values are drawn from. Of fewer than six: all of them."""
    ordered, n = sorted(values), len(values)
    outside, rank = 0.0, 0
    while rank + 1 <= (n - 1) // 2 and outside + 2 * math.comb(n, rank) / 2**n <= 1 - COVERED:
        outside += 2 * math.comb(n, rank) / 2**n
        rank += 1
    rank = max(rank, 1)
    return ordered[rank - 1], ordered[n - rank]


@dataclass(frozen=True)
class Row:
    """One line. now, before: in `unit`; None where there is none. asked: the budget; None where nothing is asked.

    more: whether more is better. ratios: of repeats in turns; where there are any, their median is what is judged.
    """

    what: str
    now: float | None = None
    unit: str = "ms"
    asked: float | None = None
    before: float | None = None
    more: bool = False
    ratios: tuple[float, ...] = ()

    @property
    def judged(self) -> float:
        return statistics.median(self.ratios) if self.ratios else self.now

    @property
    def met(self) -> bool | None:
        if self.asked is None or math.isinf(self.asked):
            return None
        return self.judged >= self.asked if self.more else self.judged <= self.asked

    @property
    def failed(self) -> bool:
        """Whether it is a ratio that is surely not what is asked."""
        if self.asked is None or len(self.ratios) < REPEATS:
            return False
        low, high = interval(self.ratios)
        return high < self.asked if self.more else low > self.asked

    def line(self) -> str:
        budget = "" if self.met is None else f"{'≥' if self.more else '≤'} {self.asked:g}"
        if budget:
            budget += " ×" if self.ratios else f" {self.unit}".rstrip()
        met = {None: "", True: "met", False: "missed"}[self.met]
        return f"{self.what:{WIDTH}} {budget:>10}  {met:6}  {', '.join(self._found())}".rstrip()

    def _found(self):
        if self.now is not None:
            unit = f" {self.unit}".rstrip()
            yield (
                f"{_short(self.now)}{unit}"
                if self.before is None
                else f"{_short(self.before)} → {_short(self.now)}{unit}"
            )
        if self.ratios:
            low, high = interval(self.ratios)
            yield f"{self.judged:.3g} × [{low:.3g}, {high:.3g}]"


def heading(before: str, there: bool) -> str:
    """What stands above the table. before: the commit that figures are compared with; there: whether it is here."""
    first = f"{'figure':{WIDTH}} {'budget':>10}  {'met':6}  {f'{before} → now' if there else 'now'}"
    missing = (
        "" if there else f"\nThe commit {before} is not here (a clone without its history?): nothing to compare with."
    )
    return f"{machine()}{missing}\n{first}"


def machine() -> str:
    """What computes here, as far as figures depend on it."""
    import torch

    found = [f"{_processor()}, {os.cpu_count()} cores", _abilities(), f"torch {torch.__version__}"]
    if torch.cuda.is_available():
        found.append(torch.cuda.get_device_name())
    return "; ".join(found)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())


def _abilities() -> str:
    """What of half precision the processor multiplies by itself."""
    try:
        flags = set(Path("/proc/cpuinfo").read_text().split())
    except OSError:
        return "bf16: not known"
    names = {"avx512_bf16": "AVX512-BF16", "amx_bf16": "AMX-BF16", "amx_tile": "AMX", "bf16": "BF16"}
    return ", ".join(title for flag, title in names.items() if flag in flags) or "no bf16"


def _short(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
