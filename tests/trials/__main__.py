"""python -m tests.trials [NAME …], names as `--help` lists them: what is survived, tried.

Everything is real: workers and servers in processes of their own, killed with SIGKILL at random moments; a disk that
is full (a tmpfs, for which one has to be root); clocks that jump; one process of two that fails. `fuzz` gives inputs
of any making to everything that reads some, the same for the same --seed. `pretended` tries every combination on a
pretended GPU, and `gpu` what matters on one, where there is one. `brought` reads 200 files as people have them.
`everywhere` looks at the whole page with axe-core; `moves` weighs a server before and after 20,000 moves of knobs.
`advice` trains with what data say, and without; `solvers` measures every solver at equal numbers of evaluations, and
`guidance` what guidance gains and costs over its weights. A line that ends in FAILED is a defect.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from edm.runs import reading
from edm.runs.launchers import launcher_of
from tests.trials.advised import advice
from tests.trials.bringing import brought
from tests.trials.disturbed import clocks, disk, fellows, metrics
from tests.trials.gpu import gpu
from tests.trials.guided import guidance
from tests.trials.imagined import pretended
from tests.trials.killed import rivals, servers, workers
from tests.trials.looked import everywhere
from tests.trials.moved import moves
from tests.trials.solved import solvers
from tests.trials.tasked import tasked
from tests.trials.waiting import left_running, until
from tests.visiting import visits


def fuzz(folder, dice, count=10_000):
    """Inputs of any making: each ends in an answer or in a sentence, and none takes long."""
    from tests import fuzz

    found = fuzz.fuzz(dice, count, folder)
    for kind in fuzz.KINDS:
        answers, refusals = found.answers[kind], found.refusals[kind]
        yield f"{kind}: {answers:,} answers, {refusals:,} sentences, the slowest after {found.slowest[kind]:.2f} s"
    kinds = [f"{kind}: {said:.300}, of {shown!r:.300}" for kind, shown, said in found.failures[:10]]
    assert not kinds, f"{len(found.failures)} of {count:,} inputs ended otherwise:\n" + "\n".join(kinds)


TRIALED = (
    workers,
    servers,
    tasked,
    disk,
    metrics,
    rivals,
    clocks,
    fellows,
    visits,
    fuzz,
    brought,
    pretended,
    gpu,
    everywhere,
)
TRIALS = {trial.__name__: trial for trial in (*TRIALED, everywhere, moves, advice, solvers, guidance)}


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.trials", description=__doc__)
    parser.add_argument("trials", nargs="*", choices=[*TRIALS, []], help="which (default: all)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cuda", help="of the trial of a GPU; cpu tries the trial itself")
    options = parser.parse_args()
    trials = {**TRIALS, "gpu": partial(gpu, device=options.device)}
    failed = 0
    for name in options.trials or TRIALS:
        with tempfile.TemporaryDirectory() as place:
            began, folder = time.monotonic(), Path(place, "runs")
            try:
                for line in trials[name](folder, random.Random(f"{name} {options.seed}")):
                    print(f"{name:10}{line}", flush=True)
                until(lambda folder=folder: not left_running(folder), "everything to end", 40)
            except AssertionError as error:
                failed += 1
                print(f"{name:10}FAILED: {error}; left running: {left_running(folder)}", flush=True)
            finally:
                for run in reading.all_work(folder):
                    launcher_of(run.folder).end(reading.workers(run.folder)[0], force=True)
            print(f"{name:10}{time.monotonic() - began:.0f} s", flush=True)
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
