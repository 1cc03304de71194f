"""How far samples spread, how much detail they have, and which changes are more than chance."""

import math

import numpy as np
import pytest
import torch

from edm.diagnostics import interval
from edm.diagnostics.spreads import change, detailing, detailing_without, spread, spreading, spreading_without
from edm.diagnostics.statistics import jackknife
from tests.problems import latents


def without(x, k):
    return torch.cat([x[:k], x[k + 1 :]])


def test_the_jackknife_of_a_mean_is_students_interval():
    values = [3.0, 1.0, 4.0, 1.5, 9.0]
    means = [(sum(values) - value) / 4 for value in values]
    assert jackknife(sum(values) / 5, means) == pytest.approx(interval(values))


@pytest.mark.parametrize(("whole", "each"), [(spreading, spreading_without), (detailing, detailing_without)])
def test_without_each_sample_is_the_same_of_all_others(whole, each):
    x = latents(5, dim=2 * 25).view(5, 2, 5, 5)
    expected = [float(whole(without(x, k))) for k in range(5)]
    assert each(x).tolist() == pytest.approx(expected)
    with pytest.raises(ValueError, match="2 samples"):
        each(x[:2])


def test_detail_is_what_means_of_neighbours_leave():
    """Of a board of ±a all; of squares of 2 × 2 that are even, nothing."""
    board = 0.3 * (-1.0) ** torch.arange(8)
    fine = (board[:, None] * board / 0.3).expand(3, 1, 8, 8)
    assert float(detailing(fine)) == pytest.approx(0.3)
    coarse = torch.rand(3, 1, 4, 4).repeat_interleave(2, -1).repeat_interleave(2, -2)
    assert float(detailing(coarse)) == pytest.approx(0, abs=1e-7)


def test_a_factor_is_found_and_what_is_chance_is_not_called_significant():
    x = latents(40, dim=3)
    grown = change(spread(x), spread(1.2 * x), spreading_without(x), spreading_without(1.2 * x))
    assert grown == pytest.approx((1.2, 1.2, 1.2)) and grown.significant
    held = 0
    for seed in range(100):
        a, b = (torch.from_numpy(np.random.default_rng((seed, k)).standard_normal((20, 4))) for k in range(2))
        found = change(spread(a), spread(b), spreading_without(a), spreading_without(b))
        assert found.low < found.factor < found.high and math.isfinite(found.high)
        held += not found.significant
    assert held >= 88  # of 100, where 95 are expected: three standard deviations
