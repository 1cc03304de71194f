"""Restart: Heun's method that goes back up, once it has reached the interval's lower end, and comes down again.

At the level σ_j nearest to σ_lo (j ≥ 1), each round adds noise from σ_j up to σ_hi and returns by steps of Heun's
method, even in σ^(1/7) as EDM's are (arXiv 2306.14878). It is a part of the step that arrives at σ_j.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

import torch

from edm.solvers.runge_kutta import heun
from edm.solvers.solver import Draw, Now, Step

if TYPE_CHECKING:
    from edm.base.protocols import OdeLike, PathLike, SamplingLike

LOW, HIGH, ROUNDS, STEPS = 0.06, 0.3, 2, 2  # CIFAR-10's with EDM: 43 evaluations with N = 18
RHO = 7.0


def evaluations(steps: int) -> int:
    """Of N steps with the knobs as they come."""
    return 2 * steps - 1 + (steps > 1) * ROUNDS * 2 * STEPS


def counted(steps: int, sampling: SamplingLike) -> int:
    """Of N steps with these knobs."""
    return 2 * steps - 1 + (steps > 1) * sampling.restart_rounds * 2 * sampling.restart_steps


def shared(path: PathLike, sampling: SamplingLike, index: int) -> int:
    """Of step `index`."""
    rounds = sampling.restart_rounds * (index == place(path, sampling))
    return 1 + (index < path.steps - 1) + rounds * 2 * sampling.restart_steps


def draws(sampling: SamplingLike) -> int:
    return sampling.restart_rounds


def place(path: PathLike, sampling: SamplingLike) -> int:
    """The step that arrives at the level where it restarts; −1: none, since only σ_max is above 0."""
    low = math.log(sampling.restart_min)
    levels = range(1, path.steps)
    return min(levels, key=lambda j: abs(math.log(path.sigmas[j]) - low)) - 1 if levels else -1


def begin(path: PathLike, sampling: SamplingLike) -> Step:
    """Heun's steps, and the restarts within one of them."""
    usual, at = heun(path, sampling), place(path, sampling)
    down = _descent(path, sampling, path.sigmas[at + 1])

    def step(ode: OdeLike, now: Now, draw: Draw) -> torch.Tensor:
        x = usual(ode, now, draw)
        if now.index == at:
            for _ in range(sampling.restart_rounds):
                x = _round(path, ode, usual, down, x, draw)
        return x

    return step


def _descent(path, sampling, low) -> list[float]:
    """The levels from σ_hi back to σ_j; where σ_j is not below σ_hi, the interval goes up with it."""
    high = sampling.restart_max
    if high <= low:
        high = low * sampling.restart_max / sampling.restart_min
    ends = [max(min(high, path.sigmas[0]), low) ** (1 / RHO), low ** (1 / RHO)]
    inner = [(ends[0] + k / sampling.restart_steps * (ends[1] - ends[0])) ** RHO for k in range(sampling.restart_steps)]
    return [*inner, low]


def _round(path, ode, usual, levels, x, draw) -> torch.Tensor:
    """Up to levels[0] with fresh noise, and down again."""
    low, high = levels[-1], levels[0]
    times = [path.time(sigma) for sigma in levels]
    scale = path.scale_at(times[0])
    x = x * (scale / path.scale_at(times[-1]))
    x.add_(draw(x), alpha=scale * math.sqrt(max(high * high - low * low, 0.0)))
    for k, (sigma, sigma_next) in enumerate(pairwise(levels)):
        slope, denoised = ode.slope(x, times[k])
        x = usual(ode, Now(-1, times[k], times[k + 1], sigma, sigma_next, x, slope, denoised), draw)
    return x


def draws_at(path: PathLike, sampling: SamplingLike, index: int) -> bool:
    return index == place(path, sampling)
