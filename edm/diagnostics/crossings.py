"""Where one curve of a race falls below another: budgets decide which sampler is better."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from edm.diagnostics.race import RacePoint
from edm.diagnostics.statistics import LEAST, compare

CLEAR = math.log(1.05)  # of two numbers that are this far apart one is less; closer ones are alike


class Crossing(NamedTuple):
    """evaluations: where the lines meet, straight between points on two log axes. lower: the lane below from there."""

    evaluations: float
    lower: str


def crossings(first: Sequence[RacePoint], second: Sequence[RacePoint]) -> list[Crossing]:
    """Where two lanes of `race` change places, from cheap to dear, over the evaluations that both have.

    Lines that only touch do not count: before and after, one is lower by 5 % or more; with three seeds or more, by
    what the paired t-test calls significant. Points that are not finite and above 0 are left out.
    """
    curves = [_logs(points) for points in (first, second)]
    if any(not len(x) for x, _ in curves):
        return []
    low, high = (pick(x[end] for x, _ in curves) for pick, end in ((max, 0), (min, -1)))
    places = sorted({x for xs, _ in curves for x in xs if low <= x <= high})
    gaps = np.subtract(*(_through(curve, places) for curve in curves))  # [places, seeds], first − second
    named, found, before = (first[0].lane, second[0].lane), [], None
    for at, sign in enumerate(map(_sign, gaps)):
        if sign and before is not None and sign != before[1]:
            found.append(Crossing(_root(places, gaps.mean(1), before[0], at), named[int(sign > 0)]))
        if sign:
            before = at, sign
    return found


def _logs(points):
    """(ln evaluations [n], ln values [n, seeds]) in the order of evaluations."""
    usable = sorted((p for p in points if all(0 < v < math.inf for v in p.values)), key=lambda p: p.evaluations)
    return [math.log(p.evaluations) for p in usable], np.log([p.values for p in usable])


def _through(curve, places):
    x, values = curve
    return np.stack([np.interp(places, x, column) for column in values.T], axis=1)


def _sign(gap) -> int:
    """−1 or 1 where one of both is clearly lower, else 0."""
    many = len(gap) >= LEAST
    clear = compare(gap.tolist(), [0.0] * len(gap)).significant if many else abs(gap.mean()) > CLEAR
    return int(np.sign(gap.mean())) * bool(clear)


def _root(places, gaps, start, end) -> float:
    """The last place between two, by index, where the straight line between neighbours is 0."""
    for k, after in reversed(list(pairwise(range(start, end + 1)))):
        if gaps[k] * gaps[after] <= 0 and gaps[k] != gaps[after]:
            share = gaps[k] / (gaps[k] - gaps[after])
            return math.exp(places[k] + share * (places[after] - places[k]))
    raise AssertionError("the ends have different signs")
