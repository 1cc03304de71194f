"""The variational bound of models that learn the variance of their ancestral steps (Nichol & Dhariwal 2021): L_vlb, and
L_hybrid = L_simple + L_vlb/T, in which the bound teaches the variance alone.

    σ → τ, the next lower level:   L = KL(N(y + r²(x − y), lower) ‖ N(D + r²(x − D), variance)),   r = τ/σ
    σ_0 → 0:                       L = −ln p(y), p = N(D, variance), of images that of the cell of 8 bits around y
    ln variance = ½(1 + v)·ln upper + ½(1 − v)·ln lower

as `edm.solvers.stochastic.bounds` has the two, in bits for each coordinate. The lower bound of the last step, which has
none, is that of the step before, in the network's variables.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch

from edm import timesteps
from edm.preconditioning import Discrete

if TYPE_CHECKING:
    from edm.wrapped import Preconditioning

STEPS = timesteps.IDDPM_LEVELS  # T
_LEAST = 1e-12  # probability of a cell
_HALF = 1 / 255  # of its width, of images in [−1, 1]
_EDGE = 0.999


def drawn(preconditioning: Preconditioning | None, sigma: torch.Tensor) -> dict[str, torch.Tensor]:
    """What the bound needs to know of steps from σ [B], float64: `below`, τ, the level that follows among those of the
    model, or iDDPM's of one that knows all; and the logarithms of the variance's bounds, `lower` and `upper`."""
    levels = preconditioning.levels if isinstance(preconditioning, Discrete) else timesteps.iddpm_u()[-2::-1]
    first, second = levels[:2]
    at = np.maximum(sigma.numpy(), first)
    place = np.searchsorted(levels, at * (1 - 1e-9))
    below = np.where(place > 0, levels[np.maximum(place - 1, 0)], 0.0)
    gap = at**2 - below**2
    last = first**2 * (second**2 - first**2) / second**2 / (1 + first**2)
    lower = np.where(place > 0, below**2 * gap / at**2, last)
    upper = gap * (1 + below**2) / (1 + at**2)
    return {"below": torch.from_numpy(below), **_logs(lower=lower, upper=upper)}


def _logs(**values):
    return {name: torch.from_numpy(np.log(value)) for name, value in values.items()}


def bound(
    denoised: torch.Tensor, v: torch.Tensor | None, y: torch.Tensor, sigma: torch.Tensor,
    told: dict[str, torch.Tensor],
) -> torch.Tensor:  # fmt: skip
    """L of each sample [B], bits for each coordinate. told: of `drawn`. v: None: the variance is the lower bound."""
    below, lower, upper = (told[name].to(y).view(-1, *[1] * (y.ndim - 1)) for name in ("below", "lower", "upper"))
    share = 1 - (below / sigma.to(y).view_as(below)) ** 2
    log = lower.expand_as(y) if v is None else 0.5 * ((1 + v) * upper + (1 - v) * lower)
    error = denoised - y
    apart = 0.5 * (log - lower + (lower - log).exp() - 1 + (share * error).square() * (-log).exp())
    nats = torch.where(below > 0, apart, _last(error, log, y))
    return nats.flatten(1).mean(1) / math.log(2)


def _last(error, log, y) -> torch.Tensor:
    """−ln p(y) of the step to σ = 0."""
    scale = (-0.5 * log).exp()
    if y.ndim != 4:
        return 0.5 * (math.log(2 * math.pi) + log + (error * scale).square())
    above, under = (torch.special.ndtr((side - error) * scale) for side in (_HALF, -_HALF))
    cell = torch.where(y > _EDGE, 1 - under, torch.where(y < -_EDGE, above, above - under))
    return -cell.clamp(min=_LEAST).log()
