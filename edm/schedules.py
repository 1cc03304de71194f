"""Noise schedules σ(t) and scalings s(t): two rows of Table 1, with derivatives and inverses.

    x = s(t)·(y + σ(t)·n)
    dx/dt = (σ̇/σ + ṡ/s)·x − (σ̇·s/σ)·D(x/s; σ)              (the probability-flow ODE, eq. 81)

Every function takes a float, a NumPy array or a torch tensor, and returns the same kind, so that one
definition serves the sampler (float64 scalars), plots (arrays) and training (tensors on any device).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from edm.base.choices import Alias, Choice, spelled

if TYPE_CHECKING:
    from edm.base.protocols import SamplingLike

BETA_D, BETA_MIN = 19.9, 0.1  # VP's own β_d and β_min
EPSILON_S = 1e-3  # VP sampling ends at t = ε_s
RECTIFIED = Alias("rectified_flow", "rectified flow", help="arXiv 2209.03003: the path is (1 − t)·y + t·n")
MAX_CHURN = math.sqrt(2)  # Algorithm 2 raises σ at most by this factor


def _apply(name, x):
    """The elementary function `name` in the library that x belongs to, without loading torch for it."""
    if isinstance(x, (int, float)):
        return getattr(math, name)(x)
    if isinstance(x, np.ndarray | np.generic):
        return getattr(np, name)(x)
    return getattr(x, name)()


@dataclass(frozen=True)
class Schedule:
    """One row "schedule σ(t)" of Table 1: `sigma(t)`, its derivative `sigma_dot(t)`, and `inverse(sigma)`."""

    name: str
    sigma: Callable
    sigma_dot: Callable
    inverse: Callable


@dataclass(frozen=True)
class Scaling:
    """One row "scaling s(t)" of Table 1: `s(t)` and its derivative `s_dot(t)`."""

    name: str
    s: Callable
    s_dot: Callable


def vp(beta_d: float = BETA_D, beta_min: float = BETA_MIN) -> Schedule:
    """VP: σ(t) = √(exp(½β_d t² + β_min t) − 1), and 0 where a refit with β_min < 0 has not risen yet.

    The inverse is written in the one of its two forms that does not cancel, so that it is exact for small σ.
    """

    given = beta_d, beta_min  # bound to functions of the module, so that what holds a schedule can be pickled
    return Schedule("vp", partial(_vp_sigma, *given), partial(_vp_sigma_dot, *given), partial(_vp_inverse, *given))


def _vp_sigma(beta_d, beta_min, t):
    square = _apply("expm1", 0.5 * beta_d * t * t + beta_min * t)
    return (0.5 * (square + abs(square))) ** 0.5


def _vp_sigma_dot(beta_d, beta_min, t):
    value = _vp_sigma(beta_d, beta_min, t)
    return 0.5 * (beta_d * t + beta_min) * (value + 1 / value)


def _vp_inverse(beta_d, beta_min, sigma):
    log = _apply("log1p", sigma * sigma)
    root = (beta_min * beta_min + 2 * beta_d * log) ** 0.5
    return 2 * log / (beta_min + root) if beta_min > 0 else (root - beta_min) / beta_d


def vp_parameters(sigma_min: float, sigma_max: float) -> tuple[float, float]:
    """β_d and β_min of the VP schedule for which σ(1) = σ_max and σ(ε_s) = σ_min.

    With a large σ_min the exact fit bends back below t = 1 and σ(t) would not be invertible. There, β_d
    stops at the value that still reaches √2·σ_max, the highest level that churn can ask for; σ(1) = σ_max
    holds always.
    """
    low, high = math.log1p(sigma_min**2), math.log1p(sigma_max**2)
    beta_d = 2 * (low / EPSILON_S - high) / (EPSILON_S - 1)
    bend = 2 * math.log1p((MAX_CHURN * sigma_max) ** 2) - high
    beta_d = max(beta_d, -2 * (bend - math.sqrt(max(bend * bend - high * high, 0.0))))
    return beta_d, high - 0.5 * beta_d


VE = Schedule("ve", lambda t: t**0.5, lambda t: 0.5 / t**0.5, lambda sigma: sigma * sigma)
FLOW = Schedule("flow", lambda t: t / (1 - t), lambda t: (1 - t) ** -2, lambda sigma: sigma / (1 + sigma))
LINEAR = Schedule("linear", lambda t: t, lambda t: t * 0 + 1, lambda sigma: sigma)

# Each entry: (σ_min, σ_max) -> Schedule. Only VP depends on the range.
SCHEDULES: dict[str, Callable[[float, float], Schedule]] = {
    choice.name: choice
    for choice in (
        Choice(
            "vp", "VP", lambda sigma_min, sigma_max: vp(*vp_parameters(sigma_min, sigma_max)),
            "√(e^(½β_d·t² + β_min·t) − 1)", "variance preserving, β_d and β_min fitted to the range",
            ("sigma_min",), spelled("variance_preserving"),
        ),
        Choice(
            "ve", "√t", lambda sigma_min, sigma_max: VE, "√t", "variance exploding",
            aliases=spelled("variance_exploding", "sqrt"),
        ),
        Choice(
            "linear", "t", lambda sigma_min, sigma_max: LINEAR, "t", "time is the noise level: the paper's choice",
            aliases=spelled("edm", "iddpm", "ddim", "karras", "identity", "t"),
        ),
        Choice(
            "flow", "flow", lambda sigma_min, sigma_max: FLOW, "t/(1−t)", "flow matching's: t = 1 is noise alone",
            aliases=(RECTIFIED, *spelled("flow_matching", "rf")),
        ),
    )
}  # fmt: skip


def _vp_scaling(schedule: Schedule) -> Scaling:
    """s = 1/√(1 + σ²): with the VP schedule this is Table 1's 1/√exp(½β_d t² + β_min t)."""

    def s(t: Any) -> Any:
        return (1 + schedule.sigma(t) ** 2) ** -0.5

    return Scaling("vp", s, lambda t: -schedule.sigma(t) * schedule.sigma_dot(t) * s(t) ** 3)


def _no_scaling(schedule: Schedule) -> Scaling:
    """0·t + 1 keeps the kind and shape of t."""
    return Scaling("none", lambda t: t * 0 + 1, lambda t: t * 0)


def _flow_scaling(schedule: Schedule) -> Scaling:
    """s = 1/(1 + σ): with flow's schedule 1 − t, and the state is (1 − t)·y + t·n."""

    def s(t: Any) -> Any:
        return 1 / (1 + schedule.sigma(t))

    return Scaling("flow", s, lambda t: -schedule.sigma_dot(t) * s(t) ** 2)


# Each entry: Schedule -> Scaling.
SCALINGS: dict[str, Callable[[Schedule], Scaling]] = {
    choice.name: choice
    for choice in (
        Choice(
            "vp", "VP", _vp_scaling, "1/√(1 + σ²)", "the state keeps its size", aliases=spelled("variance_preserving")
        ),
        Choice(
            "none", "1", _no_scaling, "1", "the state grows with the noise",
            aliases=spelled("edm", "ve", "iddpm", "ddim", "karras", "variance_exploding", "identity", "1"),
        ),
        Choice(
            "flow",
            "flow",
            _flow_scaling,
            "1/(1 + σ)",
            "from the data to the noise on straight lines, under flow's σ(t)",
            aliases=(RECTIFIED, *spelled("flow_matching", "rf")),
        ),
    )
}  # fmt: skip


def of(sampling: SamplingLike) -> tuple[Schedule, Scaling]:
    """The schedule and scaling that an `edm.Sampling` describes, fitted to its range of σ."""
    schedule = SCHEDULES[sampling.schedule](*sampling.range)
    return schedule, SCALINGS[sampling.scaling](schedule)
