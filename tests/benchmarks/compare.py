"""A sweep whose cells share their first steps, beside the same cells one by one."""

from __future__ import annotations

import time
from pathlib import Path

import torch

import edm
from edm import runner
from edm.diagnostics import Axis, Shared, Sweep, plan_sweep, run_sweep
from tests.benchmarks.table import Row

REPEATS = 3
SAMPLING = edm.Sampling(steps=9, S_churn=15)  # as strong a churn in each step as 30 in 18 steps


def sweep(count: int, sampling: edm.Sampling) -> Sweep:
    experiment = edm.Experiment(model="digits_edm", count=count, sampling=sampling)
    return Sweep(experiment, Axis.parse("S_tmin", "0, 0.02-10 [9]"), Axis.parse("S_noise", "1-1.009 (+0.001)"))


def shared_speed(count: int, sampling: edm.Sampling):
    """(naive / shared of each repeat, the plan, seconds of planning). The two take turns at each cell.

    Planning belongs to the shared sweep. The images are the same, bit for bit.
    """
    planned, ratios = sweep(count, sampling), []
    for _ in range(REPEATS):
        plan, planning = timed(lambda: plan_sweep(planned))
        cells, together = timed(lambda: run_sweep(planned))  # plans again
        alone = 0.0
        for _ in plan.cells:
            cell, taken = timed(lambda cells=cells: next(cells))
            together += taken
            last, taken = timed(lambda cell=cell: edm.last(runner.states(cell.experiment)))
            alone += taken
            assert torch.equal(cell.samples, last.x)
        ratios.append(alone / together)
    return ratios, plan, planning


def timed(run):
    """(what it gives, seconds)."""
    start = time.perf_counter()
    return run(), time.perf_counter() - start


def overhead(shape, calls: int = 300) -> float:
    """µs that `Shared` adds to a call of the denoiser with x of this shape, at its best."""
    x, shared, times = torch.randn(shape), Shared(lambda x, sigma: x), []
    for part in range(10):
        start = time.perf_counter()
        for k in range(calls):
            shared(x, 1.0 + part * calls + k)
        times.append((time.perf_counter() - start) / calls)
    return 1e6 * min(times)


def rows(options, tree: Path | None):
    """A whole sweep, planning included, comes close to what it shares."""
    torch.set_num_threads(1)
    ratios, plan, planning = shared_speed(16, SAMPLING)
    predicted = plan.naive / plan.shared
    text = f"sweep of 10 × 10 digits, {plan.naive} evaluations, {plan.shared} shared (predicts {predicted:.3g} ×)"
    yield Row(text, None, "", round(0.95 * predicted, 2), more=True, ratios=tuple(ratios))
    yield Row(f"the same: planning, of {plan.naive} evaluations", 1000 * planning, "ms", 300)
    for shape in ((400, 2), (16, 1, 8, 8)):
        yield Row(f"memory of results, a call with x {list(shape)}", overhead(shape), "µs", 60)
