"""Methods in λ = −ln σ that evaluate twice: in the middle of the step, at √(σ·σ⁺), and remember nothing.

They work on x/s and σ, which are the same curve under every schedule and scaling. The step to σ = 0 gives D.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from edm.solvers.solver import Draw, Now, Step

if TYPE_CHECKING:
    from edm.base.protocols import OdeLike, PathLike, SamplingLike


class Plain:
    """x/s of a run: from the state and back, and D(u; σ) of any u [B, …] in the data's units."""

    def __init__(self, path: PathLike):
        self.path = path

    def here(self, now: Now) -> torch.Tensor:
        """x/s where the step begins; the run's own tensor where s = 1."""
        scale = self.path.scale_at(now.t)
        return now.x if scale == 1 else now.x / scale

    def denoised(self, ode: OdeLike, u: torch.Tensor, sigma: float) -> torch.Tensor:
        """One evaluation."""
        t = self.path.time(sigma)
        scale = self.path.scale_at(t)
        return ode.slope(u if scale == 1 else u * scale, t)[1]

    def state(self, now: Now, u: torch.Tensor) -> torch.Tensor:
        """u at the next level as the ODE's state; u is overwritten."""
        scale = self.path.scale_at(now.t_next)
        return u if scale == 1 else u.mul_(scale)


def dpm_2(path: PathLike, sampling: SamplingLike) -> Step:
    """DPM-Solver-2: Euler in σ to the middle, and the slope there for the whole step."""
    plain = Plain(path)

    def step(ode: OdeLike, now: Now, draw: Draw) -> torch.Tensor:
        if now.sigma_next == 0:
            return now.denoised
        x, middle = plain.here(now), math.sqrt(now.sigma * now.sigma_next)
        u = mixed(x, now.denoised, now.sigma, middle)
        slope = u.sub(plain.denoised(ode, u, middle))
        return plain.state(now, x.add(slope, alpha=(now.sigma_next - now.sigma) / middle))

    return step


def dpmpp_2s(path: PathLike, sampling: SamplingLike) -> Step:
    """DPM-Solver++(2S): D in the middle in the place of D."""
    plain = Plain(path)

    def step(ode: OdeLike, now: Now, draw: Draw) -> torch.Tensor:
        if now.sigma_next == 0:
            return now.denoised
        return plain.state(now, two_s(plain, ode, now, now.sigma_next))

    return step


def two_s(plain: Plain, ode: OdeLike, now: Now, sigma_next: float) -> torch.Tensor:
    """x/s at `sigma_next` by DPM-Solver++(2S), a tensor of its own."""
    x, middle = plain.here(now), math.sqrt(now.sigma * sigma_next)
    between = plain.denoised(ode, mixed(x, now.denoised, now.sigma, middle), middle)
    return mixed(x, between, now.sigma, sigma_next)


def mixed(x: torch.Tensor, denoised: torch.Tensor, sigma: float, lower: float) -> torch.Tensor:
    """From σ to a lower one on the straight line to D, which is Euler's step; a tensor of its own."""
    return (x * (lower / sigma)).add_(denoised, alpha=(sigma - lower) / sigma)
