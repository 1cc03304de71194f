"""Intervals that hold 95 % of the time, by Student's t."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

from edm.base.errors import Refused


def jackknife(value: float, without: Sequence[float]) -> tuple[float, float, float]:
    """(value, low, high) of the 95 % interval of a number of n samples. without: the same number without each of them,
    or without each of n groups that are equally large.

    The error is √((n − 1)/n · Σ (v_k − v̄)²), which for a mean is s/√n. Raises ValueError for fewer than 2 samples.
    """
    count = len(without)
    if count < 2:
        raise Refused(f"{count} samples; an interval needs two or more")
    middle = math.fsum(without) / count
    error = math.sqrt((count - 1) / count * math.fsum((one - middle) ** 2 for one in without))
    half = _quantile(count - 1) * error
    return value, value - half, value + half


@lru_cache(maxsize=256)
def _quantile(freedom: int) -> float:
    """t with a probability of 97.5 % below it."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 0.975))
