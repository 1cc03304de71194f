"""python -m tests.benchmarks [PART …] [options]: what is asked of this code, and what is so, beside what was before.

Prints one table: a figure, its budget, whether that is met, and what it was at the commit that this is compared with,
of which a worktree is made for as long as it takes. It exits with 1 where a ratio of nine or more repeats in turns is
surely not what is asked; no time makes it fail. A network and its training are judged in bf16 beside the float32 of
before, where the processor has bf16 (`tests.benchmarks.sides`). All of it takes some ten minutes, in which nothing else
should run; how long each part took goes to stderr.

The parts: `network` and `training` (this tree beside the one before, and beside plain code), `sampler` (the arithmetic
of a picture, and the loop around it), `page` (a knob, in a real Chromium), `start`, `visitors` (thirty at once),
`compare`, `instruments`, `runs`.

`python -m tests.benchmarks visitors --count 30 --seconds 60` alone prints one line, of this tree: how many answers
came, how soon, and how many were lost. What else is to be known of them goes to stderr. With `--lesson steps` they are
thirty learners of a classroom in that lesson, who open steps, answer, and have their own pictures measured.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from importlib import import_module

from edm.base.errors import Refused
from tests.benchmarks.before import BEFORE, tree_before
from tests.benchmarks.table import heading

PARTS = ("network", "training", "sampler", "page", "start", "visitors", "compare", "instruments", "runs")


def parsed(arguments=None) -> argparse.Namespace:
    about, _, more = __doc__.partition("\n\n")
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks", description=about, epilog=more, formatter_class=raw
    )
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="which part (default: all)")
    parser.add_argument("--moves", type=int, default=24, help="moves of a knob for each median (default: %(default)s)")
    parser.add_argument("--memory-moves", type=int, default=300, help="moves for the memory (default: %(default)s)")
    group = parser.add_argument_group("visitors")
    group.add_argument("--count", type=int, default=30, help="how many there are (default: %(default)s)")
    group.add_argument("--seconds", type=float, help="how long they move (default: 60; 20 in the table)")
    group.add_argument("--model", default="eight_gaussians", help="a distribution in the plane (default: %(default)s)")
    group.add_argument("--lesson", help="let them go through a lesson, such as steps, in a classroom; prints one line")
    options = parser.parse_args(arguments)
    for name in ("moves", "memory_moves", "count", "seconds"):
        value = getattr(options, name)
        if value is not None and not 0 < value < float("inf"):
            parser.error(f"--{name.replace('_', '-')} must be more than 0, and finite")
    return options


def part(name: str):
    """A part's module, with its `rows`: imported when it is wanted, since some import all that there is."""
    return import_module(f"tests.benchmarks.{name}")


def table(parts, options) -> int:
    """Print it. Returns the exit code: 1 where a ratio has failed."""
    failed = 0
    with tree_before() as tree:
        print(heading(BEFORE, tree is not None), flush=True)
        for name in parts:
            begun = time.monotonic()
            for row in part(name).rows(options, tree):
                failed += row.failed
                print(row.line(), flush=True)
            print(f"{name} took {time.monotonic() - begun:.0f} s", file=sys.stderr)
    return 1 if failed else 0


def main(arguments=None) -> int:
    options = parsed(arguments)
    if options.parts == ["visitors"]:
        try:
            part("learners" if options.lesson else "visitors").one_line(options)
        except Refused as error:
            print(f"python -m tests.benchmarks: {error}", file=sys.stderr)
            return 2
        return 0
    return table(options.parts or PARTS, options)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that servers end, and the worktree goes
    sys.exit(main())
