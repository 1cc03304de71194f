"""Schedules and scalings: derivatives, inverses, the VP refit, and one definition for floats, arrays and tensors."""

import itertools
import math

import numpy as np
import pytest
import torch

import edm
from edm import schedules, timesteps

RANGES = [(0.002, 80.0), (0.02, 100.0), (0.01, 152.0), (0.1, 20.0), (1.0, 80.0), (5.0, 6.0), (1e-6, 1e5)]


@pytest.mark.parametrize("name", schedules.SCHEDULES)
@pytest.mark.parametrize("bounds", RANGES)
def test_the_inverse_undoes_sigma_up_to_the_highest_level_of_churn(name, bounds):
    schedule = schedules.SCHEDULES[name](*bounds)
    for sigma in np.geomspace(bounds[0], bounds[1] * math.sqrt(2) * (1 - 1e-9), 40):
        assert schedule.sigma(schedule.inverse(float(sigma))) == pytest.approx(
            sigma, rel=1e-8 if sigma > 1e-5 else 1e-3
        )
    times = [schedule.inverse(float(sigma)) for sigma in np.geomspace(*bounds, 40)]
    assert all(a < b for a, b in itertools.pairwise(times))


@pytest.mark.parametrize("bounds", [(0.002, 80.0), (0.02, 50.0), (0.0105, 152.2)])
def test_the_vp_refit_meets_both_ends(bounds):
    schedule = schedules.SCHEDULES["vp"](*bounds)
    assert schedule.sigma(schedules.EPSILON_S) == pytest.approx(bounds[0], rel=1e-10)
    assert schedule.sigma(1.0) == pytest.approx(bounds[1], rel=1e-10)


@pytest.mark.parametrize("schedule_name", schedules.SCHEDULES)
@pytest.mark.parametrize("scaling_name", schedules.SCALINGS)
def test_derivatives_are_those_of_autograd(schedule_name, scaling_name):
    schedule = schedules.SCHEDULES[schedule_name](0.002, 80.0)
    scaling = schedules.SCALINGS[scaling_name](schedule)
    t = torch.linspace(0.01, 1, 30, dtype=torch.float64, requires_grad=True)
    (sigma_dot,) = torch.autograd.grad(schedule.sigma(t).sum(), t)
    torch.testing.assert_close(schedule.sigma_dot(t.detach()).expand_as(t), sigma_dot, rtol=1e-9, atol=0)
    (s_dot,) = torch.autograd.grad(scaling.s(t).sum() + 0 * t.sum(), t)
    torch.testing.assert_close(scaling.s_dot(t.detach()), s_dot, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", schedules.SCHEDULES)
def test_floats_arrays_and_tensors_agree(name):
    schedule = schedules.SCHEDULES[name](0.002, 80.0)
    values = [0.01, 0.3, 1.0]
    expected = [schedule.sigma(v) for v in values]
    assert schedule.sigma(np.array(values)) == pytest.approx(expected, rel=1e-12)
    assert schedule.sigma(torch.tensor(values, dtype=torch.float64)).tolist() == pytest.approx(expected, rel=1e-12)


def test_vp_scaling_keeps_unit_variance():
    """s²·(1 + σ²) = 1: the state of unit-variance data never grows."""
    schedule = schedules.SCHEDULES["vp"](0.002, 80.0)
    scaling = schedules.SCALINGS["vp"](schedule)
    for t in np.linspace(0, 1, 11):
        assert scaling.s(float(t)) ** 2 * (1 + schedule.sigma(float(t)) ** 2) == pytest.approx(1)


@pytest.mark.parametrize("name", timesteps.DISCRETIZATIONS)
@pytest.mark.parametrize("steps", [1, 2, 3, 18, 100])
@pytest.mark.parametrize("bounds", [(None, None), (0.05, 30.0), (1.0, 2.0)])
def test_levels_fall_strictly_from_sigma_max_to_sigma_min_to_zero(name, steps, bounds):
    sampling = edm.Sampling(discretization=name, steps=steps, sigma_min=bounds[0], sigma_max=bounds[1])
    levels = timesteps.sigmas(sampling)
    low, high = sampling.range
    assert levels.dtype == torch.float64
    assert len(levels) == steps + 1
    assert levels[-1] == 0
    assert (levels.diff() < 0).all()
    assert float(levels[0]) == pytest.approx(high, rel=1e-9 if name != "iddpm" else 0.05)
    if steps > 1:
        assert float(levels[-2]) == pytest.approx(low, rel=1e-6 if name != "iddpm" else 3)


@pytest.mark.parametrize("rho", [0.1, 0.15, 0.3, 1, 7, 100])
@pytest.mark.parametrize("steps", [2, 18, 1000])
def test_edm_levels_fall_strictly_to_sigma_min_at_any_rho(rho, steps):
    levels = timesteps.sigmas(edm.Sampling(rho=rho, steps=steps))
    assert (levels.diff() < 0).all()
    assert float(levels[-2]) == pytest.approx(0.002, rel=1e-9)


def test_rho_one_is_uniform_and_more_rho_crowds_low_noise():
    uniform = timesteps.sigmas(edm.Sampling(rho=1, steps=9))[:-1].diff()
    torch.testing.assert_close(uniform, uniform[:1].expand_as(uniform))
    middles = [float(timesteps.sigmas(edm.Sampling(rho=rho, steps=9))[4]) for rho in (1, 3, 7, 15)]
    assert middles == sorted(middles, reverse=True)
