"""The one number by which ticks of a run, and runs, compare: E[λ(σ)·error(σ)] over EDM's p_train; of a classifier
E[−log p(c | x; σ)] over the same.

It is the loss of the paper's own training, whatever a run's design is: λ of EDM at σ_data = ½, σ as EDM draws it, the
error as it was measured on images held out. A plain sum over the levels would count those at which a network learns
nothing, or has nothing to learn, as much as those that make a picture; which tick is the least would be their chance.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

SIGMA_DATA = 0.5  # the same for every run, so that runs compare


@lru_cache(maxsize=64)
def weights(sigmas: tuple[float, ...], classifies: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """(λ, shares that make E[λ·error] over p_train) on a grid of rising σ, by the trapezoid rule in ln σ; a
    classifier's λ is 1."""
    from edm.noises import NOISES
    from edm.objective import WEIGHTS, Design

    levels = np.array(sigmas, dtype=np.float64)
    with np.errstate(all="ignore"):  # levels of any making
        steps = np.gradient(np.log(levels)) if len(levels) > 1 else np.ones(1)
        share = NOISES["edm"].density(levels, Design()) * steps
        weight = np.ones_like(levels) if classifies else WEIGHTS["edm"](levels, SIGMA_DATA)
        return weight, share / share.sum()


def measured(tick: dict) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """(sigmas, errors) of a line of metrics, NaN for what is no number; ((), ()) for a line of another making."""
    sigmas, errors = (_numbers(tick.get(name)) for name in ("sigmas", "validation"))
    whole = len(sigmas) == len(errors) and all(0 < sigma < math.inf for sigma in sigmas)
    return (sigmas, errors) if whole else ((), ())


def score(tick: dict) -> float:
    """Of a line of metrics; NaN if it is of another making, or has no number at some σ."""
    sigmas, errors = measured(tick)
    if not sigmas:
        return math.nan
    weight, share = weights(sigmas, bool(tick.get("accuracy")))
    with np.errstate(over="ignore", invalid="ignore"):
        return float(np.dot(np.asarray(errors) * weight, share))


def _numbers(values) -> tuple[float, ...]:
    return tuple(map(number, values)) if isinstance(values, list | tuple) else ()


def number(value: Any) -> float:
    """NaN for what is none, or beyond all floats."""
    try:
        return float(value) if isinstance(value, int | float) else math.nan
    except OverflowError:
        return math.nan
