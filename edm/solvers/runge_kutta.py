"""One-step methods: Euler, and the second-order family with parameter α (Algorithms 1 and 3).

    x' = x + αh·d,   x ← x + h·((1 − 1/(2α))·d + 1/(2α)·d'),   h = t_next − t,   d' at t + αh

α = 1 is Heun's method, ½ the midpoint method, ⅔ Ralston's. They remember nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from edm.solvers.solver import Draw, Now, Step

if TYPE_CHECKING:
    from edm.base.protocols import OdeLike, PathLike, SamplingLike


def euler(path: PathLike, sampling: SamplingLike) -> Step:
    """x + h·d. At t_next = 0 with σ(t) = t, s = 1 this is D(x; σ) exactly."""
    return _euler


def heun(path: PathLike, sampling: SamplingLike) -> Step:
    """The α family; Euler on the step to σ = 0, where the slope is undefined."""
    alpha = sampling.alpha
    weight = 1 / (2 * alpha)

    def step(ode: OdeLike, now: Now, draw: Draw) -> torch.Tensor:
        if now.sigma_next == 0:
            return _euler(ode, now, draw)
        h = now.t_next - now.t
        # t + αh can round to 0 where t_next is tiny beside t
        second, _ = ode.slope(now.x.add(now.slope, alpha=alpha * h), (1 - alpha) * now.t + alpha * now.t_next)
        return now.x.add(now.slope, alpha=h * (1 - weight)).add_(second, alpha=h * weight)

    return step


def _euler(ode: OdeLike, now: Now, draw: Draw) -> torch.Tensor:
    return now.x.add(now.slope, alpha=now.t_next - now.t)
