"""Time-step discretizations: the row "time steps t_i" of Table 1, as noise levels σ_0 > … > σ_{N−1}, then 0.

With N = 1 every discretization is the single step from σ_max to 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import torch

from edm import schedules
from edm.base.errors import Refused

if TYPE_CHECKING:
    from edm.base.protocols import SamplingLike

IDDPM_LEVELS = 1000  # M
IDDPM_C1, IDDPM_C2 = 1e-3, 8e-3


@dataclass(frozen=True)
class Discretization:
    """`levels(steps, sigma_min, sigma_max, rho)` -> float64 array of N levels; `range` is its own (σ_min, σ_max).

    title, formula, help, knobs: as of `edm.base.choices.Choice`. most(σ_min, σ_max): the largest N that there is; None:
    any.
    """

    name: str
    levels: Callable[[int, float, float, float], np.ndarray]
    range: tuple[float, float]
    title: str = ""
    formula: str = ""
    help: str = ""
    knobs: tuple[str, ...] = ()
    most: Callable[[float, float], int] | None = None


def _fractions(steps: int) -> np.ndarray:
    """i/(N−1) for i = 0 … N−1; just 0 for N = 1."""
    return np.arange(steps) / max(steps - 1, 1)


def vp_levels(steps: int, sigma_min: float, sigma_max: float, rho: float | None = None) -> np.ndarray:
    """t linear from 1 to ε_s (where σ = σ_min), on the VP schedule fitted to the range."""
    schedule = schedules.vp(*schedules.vp_parameters(sigma_min, sigma_max))
    return schedule.sigma(1 + _fractions(steps) * (schedule.inverse(sigma_min) - 1))


def ve_levels(steps: int, sigma_min: float, sigma_max: float, rho: float | None = None) -> np.ndarray:
    """σ² geometric from σ_max² to σ_min²."""
    return sigma_max * (sigma_min / sigma_max) ** _fractions(steps)


def edm_levels(steps: int, sigma_min: float, sigma_max: float, rho: float) -> np.ndarray:
    """σ^(1/ρ) linear from σ_max to σ_min (eq. 5)."""
    high, low = sigma_max ** (1 / rho), sigma_min ** (1 / rho)
    fractions = _fractions(steps)
    return ((1 - fractions) * high + fractions * low) ** rho  # so that the last one is σ_min at any ρ


@lru_cache(maxsize=1)
def iddpm_u() -> np.ndarray:
    """iDDPM's discrete noise levels u_0 > … > u_M = 0 (float64, M + 1 values, read-only).

    ᾱ_j is rounded to float32, as in the levels that published models and figures use: the ratios of
    neighbours near 1 amplify it, and u_999 is 4.6e-4 below its unrounded value.
    """
    m = IDDPM_LEVELS
    angle = 0.5 * np.pi * torch.arange(m + 1, dtype=torch.float32) / m / (IDDPM_C2 + 1)
    alpha_bar = (angle.sin() ** 2).numpy()
    u = np.zeros(m + 1)
    for j in range(m, 0, -1):
        ratio = max(float(alpha_bar[j - 1] / alpha_bar[j]), IDDPM_C1)
        u[j - 1] = math.sqrt((u[j] ** 2 + 1) / ratio - 1)
    u.setflags(write=False)
    return u


def iddpm_available(sigma_min: float, sigma_max: float) -> np.ndarray:
    """Those u_j that lie in [σ_min, σ_max], decreasing."""
    u = iddpm_u()
    return u[(u >= sigma_min) & (u <= sigma_max)]


def iddpm_levels(steps: int, sigma_min: float, sigma_max: float, rho: float | None = None) -> np.ndarray:
    """N of the available u_j, evenly spaced in j.

    Raises ValueError if fewer than N are available: the levels would repeat.
    """
    available = iddpm_available(sigma_min, sigma_max)
    if len(available) < steps:
        raise Refused(
            f"iDDPM has {len(available)} noise levels between sigma_min = {sigma_min:g} and "
            f"sigma_max = {sigma_max:g}, but steps = {steps}; use fewer steps or a wider range"
        )
    return available[np.floor((len(available) - 1) * _fractions(steps) + 0.5).astype(int)]


_VP = schedules.vp()
DISCRETIZATIONS = {
    d.name: d
    for d in (
        Discretization(
            "vp", vp_levels, (_VP.sigma(schedules.EPSILON_S), _VP.sigma(1.0)),
            "VP", "1 + i/(N−1)·(ε_s − 1)", "even in VP's time",
        ),
        Discretization("ve", ve_levels, (0.02, 100.0), "VE", "σ_max²·(σ_min²/σ_max²)^(i/(N−1))", "even in ln σ"),
        Discretization(
            "iddpm", iddpm_levels, (0.002, 81.0),
            "iDDPM", "u_j, j = ⌊j₀ + (M−1−j₀)/(N−1)·i + ½⌋", "some of the levels that iDDPM's networks know",
            most=lambda sigma_min, sigma_max: len(iddpm_available(sigma_min, sigma_max)),
        ),
        Discretization(
            "edm", edm_levels, (0.002, 80.0),
            "EDM ρ", "(σ_max^(1/ρ) + i/(N−1)·(σ_min^(1/ρ) − σ_max^(1/ρ)))^ρ", "even in σ^(1/ρ)", ("rho",),
        ),
    )
}  # fmt: skip


def sigmas(sampling: SamplingLike) -> torch.Tensor:
    """The N + 1 noise levels that an `edm.Sampling` asks for, decreasing, the last one 0; float64 [N + 1].

    What a denoiser makes of them, which may know a range or discrete levels only, is `edm.path.path_of`.
    """
    if sampling.sigmas is not None:
        levels = torch.tensor(sampling.sigmas, dtype=torch.float64)
    else:
        discretization = DISCRETIZATIONS[sampling.discretization]
        levels = torch.from_numpy(discretization.levels(sampling.steps, *sampling.range, sampling.rho))
    return torch.cat([levels, levels.new_zeros(1)])
