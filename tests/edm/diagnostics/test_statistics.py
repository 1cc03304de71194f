"""Intervals hold as often as they say, and differences are not found where there are none."""

import math

import numpy as np
import pytest

from edm.diagnostics import compare, interval


def test_the_interval_is_students():
    """n = 3, values 1, 2, 3: mean 2, s = 1, t₂(97.5 %) = 4.302653, half-width t/√3."""
    mean, low, high = interval([1.0, 2.0, 3.0])
    assert (mean, low, high) == pytest.approx((2, 2 - 4.302653 / 3**0.5, 2 + 4.302653 / 3**0.5), rel=1e-6)


@pytest.mark.parametrize("count", [2, 3, 8])
def test_intervals_hold_95_percent_of_the_time(count):
    """4000 repeats: the standard deviation of the share is 0.35 %, and 1.4 % are four of them."""
    draws = np.random.default_rng(count).normal(3.0, 2.0, (4000, count))
    held = [low <= 3.0 <= high for _, low, high in map(interval, draws.tolist())]
    assert np.mean(held) == pytest.approx(0.95, abs=0.014)


@pytest.mark.parametrize("count", [3, 8])
def test_one_in_twenty_differences_is_found_where_there_is_none(count):
    """Pairs that share what their seed does, without any difference between the settings."""
    random = np.random.default_rng(10 + count)
    common = 5 * random.normal(size=(4000, count))
    a, b = (common + random.normal(size=common.shape) for _ in range(2))
    found = [compare(x, y).significant for x, y in zip(a.tolist(), b.tolist(), strict=True)]
    assert np.mean(found) == pytest.approx(0.05, abs=0.014)


def test_pairing_finds_what_lies_beneath_the_variation_of_the_seeds():
    random = np.random.default_rng(2)
    common = 5 * random.normal(size=8)
    a, b = common + 0.1 + 0.01 * random.normal(size=8), common + 0.01 * random.normal(size=8)
    found = compare(a.tolist(), b.tolist())
    assert found.significant and found.low < 0.1 < found.high
    assert found.text.startswith("significantly higher (0.0984, 95 % interval 0.0924")
    assert compare(b.tolist(), a.tolist()).text.startswith("significantly lower (−0.0984, 95 % interval −0.1043")


def test_the_text_says_it_all():
    """Differences of mean −0.003 and s = √(6e-4/7), so a half-width of 2.3646·s/√8 = 0.00774."""
    a = [0.0, 0.010, -0.014, 0.004, -0.006, -0.012, 0.006, -0.012]
    found = compare(a, [0.0] * 8)
    assert found.text == "no significant difference (−0.0030, 95 % interval −0.0107 … 0.0047, 8 seeds)"
    assert not found.significant and found.seeds == 8


def test_seeds_are_paired_by_their_number():
    found = compare({3: 1.0, 4: 2.0, 5: 4.0, 9: 100.0}, {5: 3.0, 4: 1.0, 3: 0.5, 7: -100.0})
    assert found.seeds == 3 and found.difference == pytest.approx(2.5 / 3)


def test_few_seeds_are_too_few_to_say():
    for count in (1, 2):
        found = compare([1.0, 2.0][:count], [0.0, 5.0][:count])
        assert not found.significant and math.isnan(found.low) and "takes 3 seeds or more" in found.text
    assert math.isnan(interval([1.0])[1]) and interval([1.0])[0] == 1


def test_equal_and_constant_values_have_no_width():
    assert interval([0.1] * 7) == (0.1, 0.1, 0.1)
    same = compare([0.1, 0.2, 0.3], [0.1, 0.2, 0.3])
    assert not same.significant and same.text == "no difference (equal for each of 3 seeds)"
    shifted = compare([2.0, 3.0, 4.0], [1.0, 2.0, 3.0])
    assert shifted.significant and shifted.text == "significantly higher (1.0 for each of 3 seeds)"


def test_what_cannot_be_compared_gets_a_sentence():
    assert all(map(math.isnan, interval([1.0, math.nan])))
    for a, b, said in (
        ([1.0, math.inf], [1.0, 2.0], "not finite"),
        ([1.0], [1.0, 2.0], "1 and 2 values"),
        ([], [], "0 and 0 values"),
        ({1: 1.0}, {2: 1.0}, "no seed in common"),
    ):
        with pytest.raises(ValueError, match=said):
            compare(a, b)
    with pytest.raises(ValueError, match="no values"):
        interval([])
