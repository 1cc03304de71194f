"""What a server weighs after many moves of knobs."""

from __future__ import annotations

import re
import time
from contextlib import suppress
from pathlib import Path

import psutil

from tests.asking import Visitor
from tests.browser.conftest import start_server

MODELS = {"eight_gaussians": 9, "spiral": 9, "digits": 2, "digits_edm": 1}  # and how often each is moved
FULL = 160e6  # bytes of answers, of which a server keeps fewer
FIRST, MOVES, LOOKS = 1_000, 20_000, 10
GROWTH = 1.05  # of what it weighed after the first moves


def moves(folder, dice, count=MOVES, first=FIRST, full=FULL):
    """After so many moves, a server weighs what it did after the first of them, when all that it keeps was full."""
    process, address = start_server("--port", "0", "--runs", str(folder))
    begun = time.monotonic()
    try:
        visitor, family = Visitor(address), psutil.Process(process.pid)
        visitor.open()
        filled = 0
        while full > 0:
            full -= _move(visitor, dice)
            filled += 1
        yield f"{filled:6,} moves fill what is kept; {_said(family, begun)}"
        for _ in range(first):
            _move(visitor, dice)
        before = _weight(family)
        yield f"{first:6,} moves; {_said(family, begun)}"
        for part in range(1, LOOKS + 1):
            for _ in range((count - first) // LOOKS):
                _move(visitor, dice)
            yield f"{first + part * (count - first) // LOOKS:6,} moves; {_said(family, begun)}"
        grown = _weight(family) / before
    finally:
        process.terminate()
        process.wait()
    assert grown <= GROWTH, f"it weighs {grown:.3f} × what it did after {first:,} moves"


def _move(visitor, dice) -> int:
    """One knob's move, and sometimes what is measured when the hand rests. Returns the bytes of its answer, about."""
    (model,) = dice.choices([*MODELS], [*MODELS.values()])
    steps = dice.randint(12, 40) if "digits" not in model else dice.randint(4, 8)
    settings = {"rho": dice.uniform(1, 13), "S_churn": dice.choice((0, 0, 0, dice.uniform(0, 40)))}
    values = {"model": model, "steps": str(steps), **{name: f"{value:.6f}" for name, value in settings.items()}}
    run = visitor.ask("ask", values=values, moving=True)["run"]
    if dice.random() < 0.02:
        visitor.ask("measure", values=values)
    return len(run["x"]) + len(run.get("denoised") or "")


def _processes(family) -> dict[str, float]:
    """Megabytes of each process of the server, what several share divided between them; without what lies in files,
    which others on the machine may share, too."""
    found = {}
    for one in (family, *family.children(recursive=True)):
        with suppress(psutil.Error, OSError):
            rolled = Path(f"/proc/{one.pid}/smaps_rollup").read_text()
            found[one.pid] = int(re.search(r"Pss_Anon:\s*(\d+)", rolled)[1]) * 1024 / 1e6
    return found


def _weight(family) -> float:
    return sum(_processes(family).values())


def _said(family, begun) -> str:
    each = _processes(family)
    shown = " + ".join(f"{weight:.0f}" for weight in each.values())
    return f"{sum(each.values()):,.0f} MB ({shown}), {time.monotonic() - begun:.0f} s"
