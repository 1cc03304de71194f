"""Where lanes of a race change places."""

import math

import pytest

from edm.diagnostics import Crossing, RacePoint, crossings, interval

NFE = (2, 4, 8, 16, 32, 64)


def lane(name, error, seeds=1, places=NFE):
    points = []
    for nfe in places:
        values = tuple(error(nfe, seed) for seed in range(seeds))
        points.append(RacePoint(name, nfe, nfe, *interval(values), values))
    return points


def test_power_laws_cross_where_they_are_equal():
    """1/n and 20/n² are equal at n = 20, and straight on log axes between any points."""
    first, second = lane("euler", lambda n, _: 1 / n), lane("heun", lambda n, _: 20 / n**2, places=(1, 3, 9, 27, 81))
    assert crossings(first, second) == [Crossing(pytest.approx(20), "heun")]
    assert crossings(second, first) == [Crossing(pytest.approx(20), "heun")]


def test_lines_that_touch_or_never_meet_do_not_cross():
    first = lane("a", lambda n, _: 1 / n)
    assert crossings(first, lane("b", lambda n, _: 2 / n)) == []
    assert crossings(first, lane("b", lambda n, _: (1.02 if n < 10 else 0.98) / n)) == []
    assert crossings(first, []) == [] and crossings(first, lane("b", lambda n, _: math.nan)) == []
    assert crossings(first, lane("b", lambda n, _: 1e3 / n**4, places=(100, 200))) == []


def test_with_seeds_only_what_is_more_than_chance_counts():
    plain = lane("a", lambda n, seed: 1.0, seeds=4)
    clear = lane("b", lambda n, seed: (2.0 if n < 10 else 0.5) * (1 + 0.01 * seed), seeds=4)
    noisy = lane("b", lambda n, seed: (2.0 if n < 10 else 0.5) ** (1 if seed < 2 else -1), seeds=4)
    assert [crossing.lower for crossing in crossings(plain, clear)] == ["b"]
    assert crossings(plain, noisy) == []
