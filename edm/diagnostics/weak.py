"""Weak order: how fast the mean and the variance of what a sampler makes become the data's, fresh noise and all.

A path with fresh noise has no exact solution of its own, but its distribution has: of Gaussian data N(μ, c²) it is
N(μ, c² + σ²) at every σ, from there on. For those the ideal denoiser is linear, and so is every step: x⁺ is a·x + b
plus the draws times numbers. They are found by the sampler itself, from x = 0, x = 1 and one draw after the other being
1, so that there are no samples and no chance: mean a·μ + b, variance a²·(c² + σ_0²) + Σ c_k². The error is the
Wasserstein distance W₂ = √((Δ mean)² + (Δ std)²).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import torch

from edm.base.errors import Refused
from edm.diagnostics.convergence import Point
from edm.exact import GaussianMixture
from edm.sampling.loop import Ode, Run
from edm.sampling.path import path_of
from edm.sampling.settings import Sampling

FLOOR = 1e-13  # of the largest level: rounding


def weak_convergence(
    sampling: Sampling, steps: Iterable[int], deviation: float = 1.0, mean: float = 1.0
) -> Iterator[Point]:
    """W₂ to N(mean, deviation² + σ²) with each of the numbers of steps N ≥ 2, one `Point` each: `error` at the last
    level above 0, `end_error` at 0, where the last step is the same for every N.

    For any settings: fresh noise may be the solver's, churn's or both, or none. Deviation and mean in data units.
    Raises Refused at once for levels given by hand, which fix N, and for fewer than 2 steps.
    """
    if sampling.sigmas is not None:
        raise Refused("levels given by hand fix the number of steps; choose a discretization instead")
    runs = []
    for count in steps:
        if count < 2:
            raise Refused(f"steps = {count}: one step goes straight to 0 and shows no order; give 2 or more")
        runs.append(sampling.changed(steps=count))
    if not runs:
        raise Refused("steps is empty; give the numbers of steps to try, each 2 or more")
    denoiser = GaussianMixture(torch.full((1, 1), mean, dtype=torch.float64), deviation)
    return (_point(denoiser, settings, deviation, mean) for settings in runs)


@torch.no_grad()
def _point(denoiser, settings, deviation, mean) -> Point:
    path = path_of(settings, denoiser)
    rows = 2 + path.steps * path.draws

    def one(k: int, x: torch.Tensor) -> torch.Tensor:
        """The k-th draw is 1 in a row of its own, and 0 in all others."""
        drawn = torch.zeros_like(x)
        drawn[2 + k] = 1
        return drawn

    ode = Ode(denoiser, path)
    run, x = Run(ode, path, one), torch.zeros(rows, 1, dtype=torch.float64)
    x[1] = path.scale(0)
    errors, start = [], (mean, deviation**2 + path.sigmas[0] ** 2)
    for i in range(path.steps):
        x = run.step(run.begin(i, x))
        if i >= path.steps - 2:
            errors.append(_distance(x / path.scale(i + 1), start, (mean, math.hypot(deviation, path.sigmas[i + 1]))))
    return Point(settings.steps, ode.evaluations, errors[0], errors[-1], FLOOR * path.sigmas[0])


def _distance(x, start, exact) -> float:
    offset, *moved = x.flatten().tolist()
    gain, *draws = (value - offset for value in moved)
    middle = gain * start[0] + offset
    std = math.sqrt(gain * gain * start[1] + sum(value * value for value in draws))
    return math.hypot(middle - exact[0], std - exact[1])
