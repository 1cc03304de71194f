"""Measured order of convergence: error ≈ C·N^(−p) for a solver of order p on enough steps N.

The last step, from σ_min to 0, is the same at every N: what it misses stays. So the order is that of x/s at σ_min,
the last level above 0, and the error of the sample at 0 is given beside it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

from edm.base.devices import precisely
from edm.base.errors import Refused
from edm.diagnostics.curvature import solution
from edm.diagnostics.errors import check_deterministic, rms_error
from edm.sampling.loop import sample
from edm.sampling.path import path_of

if TYPE_CHECKING:
    from edm.base.types import Labels
    from edm.sampling.denoisers import Denoise
    from edm.sampling.settings import Sampling

RESOLUTION = 16  # of the exact solution, and half of it for the floor
ABOVE_FLOOR = 10  # an error this many floors high is that of the solver to a few per cent
STRAIGHT = 0.01  # rms deviation of ln(error) from a line that still counts as one
FEWEST = 3  # points that show a slope and its uncertainty
SPAN = 2.5  # factor of N over which a line is straight where the lowest order rules; over less any curve nearly is


@dataclass(frozen=True)
class Point:
    """N steps of a sampler against the exact solution; errors are rms over samples and coordinates, in data units.

    evaluations: calls of the denoiser for the sample. error: of x/s at the last level above 0. end_error: of the
    sample, which includes what the last step misses. floor: how well the exact solution at that level is known,
    from two resolutions; it bounds what an error can show, and is rounding where the denoiser computes in float32.
    """

    steps: int
    evaluations: int
    error: float
    end_error: float
    floor: float


class Order(NamedTuple):
    """error ≈ constant·N^(−order) for N from steps[0] to steps[1]; stderr: of the order, from the fit's residuals."""

    order: float
    stderr: float
    constant: float
    steps: tuple[int, int]

    @property
    def asymptotic(self) -> bool:
        """Whether the line is straight over a factor of 2.5 in N; else its slope is of these N, and no order yet."""
        return self.steps[1] >= SPAN * self.steps[0]


def convergence(
    denoiser: Denoise, latents: torch.Tensor, sampling: Sampling, steps: Iterable[int], labels: Labels = None
) -> Iterator[Point]:
    """The global error of `sampling` with each of the numbers of steps N ≥ 2, in float64, one `Point` each.

    Everything else is as `sampling` says. The exact solution is computed once, before the first point. Work stops
    where the generator is closed or the denoiser raises. Raises ValueError at once for bad arguments, for
    S_churn > 0 (a stochastic path has no exact solution of its own), and for levels given by hand, which fix N.
    """
    check_deterministic(sampling, "a stochastic path has no exact solution to converge to, but see weak_convergence")
    if sampling.sigmas is not None:
        raise Refused("levels given by hand fix the number of steps; choose a discretization instead")
    runs = []
    for count in steps:
        runs.append(sampling.changed(steps=count))
        if count < 2:
            raise Refused(f"steps = {count}: one step goes straight to 0 and shows no order; give 2 or more")
    if not runs:
        raise Refused("steps is empty; give the numbers of steps to try, each 2 or more")
    levels = path_of(runs[0], denoiser).sigmas
    sigmas = [levels[0], levels[-2], levels[-1]]
    exact = solution(denoiser, latents, sigmas, labels, resolution=RESOLUTION)
    rough = solution(denoiser, latents, sigmas[:2], labels, resolution=RESOLUTION // 2)
    return _points(denoiser, latents, runs, labels, exact, rough)


@torch.no_grad()
def _points(denoiser, latents, runs, labels, exact, rough):
    _, above, end = exact
    floor = rms_error(list(rough)[1], above)
    for settings in runs:
        lowest = path_of(settings, denoiser).steps - 1  # less than N − 1 where a model knows fewer levels
        for state in sample(denoiser, precisely(latents), settings, labels):
            if state.index == lowest:
                error = rms_error(state.x / state.scale, above)
        yield Point(settings.steps, state.evaluations, error, rms_error(state.x, end), floor)


def fitted_order(points: Iterable[Point]) -> Order:
    """The slope of −ln(error) against ln N over the asymptotic part of `points`, in any order, by least squares.

    Dropped are the points at the floor (error below 10 floors), and the coarse ones where higher orders still count:
    beginning with the three finest that are left, coarser ones join as long as the points stay on a line to 1 %.
    The standard error does not see a slope that still drifts to its limit: see `Order.asymptotic`.
    Raises ValueError if fewer than three points are above the floor.
    """
    usable = {p.steps: p for p in points if math.isfinite(p.error) and p.error > ABOVE_FLOOR * p.floor}
    finest_first = [usable[n] for n in sorted(usable, reverse=True)]
    if len(finest_first) < FEWEST:
        raise Refused(f"{len(finest_first)} points lie above the floor; an order needs {FEWEST} or more")
    fit, _ = _line(finest_first[:FEWEST])
    for count in range(FEWEST + 1, len(finest_first) + 1):
        longer, deviation = _line(finest_first[:count])
        if deviation > STRAIGHT:
            break
        fit = longer
    return fit


def _line(points) -> tuple[Order, float]:
    """The least-squares line through (ln N, ln error), and its rms deviation."""
    from scipy.stats import linregress

    x, y = np.log([p.steps for p in points]), np.log([p.error for p in points])
    line: Any = linregress(x, y)
    slope, intercept = (
        line.slope,
        line.intercept,
    )  # its own error comes from 1 − r², in which little is left of so good a fit
    deviation = math.sqrt(np.square(y - intercept - slope * x).sum() / (len(x) - 2))
    stderr = deviation / math.sqrt(np.square(x - x.mean()).sum())
    steps = (min(p.steps for p in points), max(p.steps for p in points))
    return Order(-float(slope), stderr, math.exp(intercept), steps), deviation
