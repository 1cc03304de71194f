"""Is a difference more than chance? Intervals by Student's t, over seeds.

    mean ± t_{n−1}(97.5 %)·s/√n        over the values of n seeds, or over their differences between two settings

The same seeds draw the same latents and noise under both settings, so differences are taken seed by seed: what the
seeds have in common drops out. Intervals hold 95 % of the time where values are about normal.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edm.base.errors import Refused
from edm.base.intervals import jackknife

LEAST = 3  # seeds, to say whether a difference is chance


@dataclass(frozen=True)
class Comparison:
    """difference: mean of a − b over `seeds` common seeds; low, high: its 95 % interval, NaN with fewer than 3 seeds.

    significant: whether 0 lies outside of the interval. text: all of it as half a sentence.
    """

    difference: float
    low: float
    high: float
    significant: bool
    seeds: int
    text: str


def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """(mean, low, high) of the 95 % interval of the mean; low and high are NaN for a single value.

    Raises ValueError if there are no values. Values that are not finite make all three NaN.
    """
    values = [float(value) for value in values]
    if not values:
        raise Refused("there are no values; an interval needs the values of two seeds or more")
    if not all(map(math.isfinite, values)):
        return math.nan, math.nan, math.nan
    count = len(values)
    mean = math.fsum(values) / count
    if count == 1:
        return mean, math.nan, math.nan
    if min(values) == max(values):  # no rounding may make a width of it
        return values[0], values[0], values[0]
    total = math.fsum(values)
    return jackknife(mean, [(total - value) / (count - 1) for value in values])


def compare(a: Mapping[int, float] | Sequence[float], b: Mapping[int, float] | Sequence[float]) -> Comparison:
    """The paired t-test of two settings: is a − b more than chance at the 5 % level?

    a, b: seed -> value, of which the common seeds count; or values of the same seeds in the same order. Raises
    ValueError for lists of different length, no common seed, or values that are not finite.
    Of twenty comparisons without any difference one is called significant, so do not pick the best of many.
    """
    differences = [first - second for first, second in _pairs(a, b)]
    mean, low, high = interval(differences)
    count = len(differences)
    if not math.isfinite(mean):
        raise Refused("some values are not finite, so they cannot be compared; change those settings")
    seeds = f"{count} seed{'s' if count > 1 else ''}"
    if count < LEAST:
        text = f"{_text(mean, abs(mean))} with {seeds}; to tell it from chance takes {LEAST} seeds or more"
        return Comparison(mean, math.nan, math.nan, False, count, text)
    if low == high == 0:
        return Comparison(0.0, 0.0, 0.0, False, count, f"no difference (equal for each of {seeds})")
    if low == high:
        verdict, detail = _verdict(low, high), f"{_text(mean, abs(mean))} for each of {seeds}"
    else:
        numbers = [_text(value, (high - low) / 2) for value in (mean, low, high)]
        verdict, detail = _verdict(low, high), f"{numbers[0]}, 95 % interval {numbers[1]} … {numbers[2]}, {seeds}"
    return Comparison(mean, low, high, not low <= 0 <= high, count, f"{verdict} ({detail})")


def _pairs(a, b):
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        common = [seed for seed in a if seed in b]
        if not common:
            raise Refused("the two have no seed in common; give them the same seeds")
        return [(float(a[seed]), float(b[seed])) for seed in common]
    if len(a) != len(b) or not len(a):
        raise Refused(f"there are {len(a)} and {len(b)} values; give one for each seed, of the same seeds")
    return [(float(first), float(second)) for first, second in zip(a, b, strict=True)]


def _verdict(low, high) -> str:
    if low <= 0 <= high:
        return "no significant difference"
    return "significantly lower" if high < 0 else "significantly higher"


def _text(value: float, scale: float) -> str:
    """`value` to the second digit of `scale`, with a true minus sign."""
    decimals = 1 - math.floor(math.log10(scale)) if scale > 0 else 0
    text = f"{value:.2g}" if decimals > 6 else f"{value:.{max(decimals, 0)}f}"
    return text.replace("-", "−")
