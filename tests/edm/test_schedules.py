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
    last = min(1.0, schedule.inverse(80.0))  # flow's σ is infinite at t = 1
    t = torch.linspace(0.01, last, 30, dtype=torch.float64, requires_grad=True)
    (sigma_dot,) = torch.autograd.grad(schedule.sigma(t).sum(), t)
    torch.testing.assert_close(schedule.sigma_dot(t.detach()).expand_as(t), sigma_dot, rtol=1e-9, atol=0)
    (s_dot,) = torch.autograd.grad(scaling.s(t).sum() + 0 * t.sum(), t)
    torch.testing.assert_close(scaling.s_dot(t.detach()), s_dot, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", schedules.SCHEDULES)
def test_floats_arrays_and_tensors_agree(name):
    schedule = schedules.SCHEDULES[name](0.002, 80.0)
    values = [0.01, 0.3, schedule.inverse(80.0)]
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
    if steps > 1 and "sigma_min" in timesteps.DISCRETIZATIONS[name].knobs:
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


def test_flow_is_a_straight_line_from_data_to_noise():
    """z = (1 − t)·y + t·n is s·(y + σn), and t = σ/(1 + σ)."""
    schedule = schedules.SCHEDULES["flow"](0.002, 80.0)
    scaling = schedules.SCALINGS["flow"](schedule)
    for t in np.linspace(0.01, 0.99, 9):
        assert scaling.s(t) == pytest.approx(1 - t, rel=1e-12)
        assert scaling.s(t) * schedule.sigma(t) == pytest.approx(t, rel=1e-12)
        assert scaling.s_dot(t) == pytest.approx(-1, rel=1e-12)


@pytest.mark.parametrize("alpha", [0.3, 1.0, 3.0])
def test_flows_shift_multiplies_the_noise_levels_of_an_even_time_up_to_one_factor(alpha):
    levels = timesteps.sigmas(edm.Sampling(discretization="flow", shift=alpha, steps=8)).numpy()
    u = 80 / 81 * (1 - np.arange(8) / 8)
    shifted = alpha * u / (1 - u)
    t = shifted / (1 + shifted)
    assert levels[:-1] == pytest.approx(t * (80 / 81) / t[0] / (1 - t * (80 / 81) / t[0]), rel=1e-12)
    assert levels[0] == 80.0


def test_flows_steps_are_even_in_time_down_to_zero():
    times = timesteps.sigmas(edm.Sampling(discretization="flow", steps=7)).numpy()
    times = times / (1 + times)
    assert np.diff(times) == pytest.approx(np.full(7, -80 / 81 / 7), rel=1e-12)


def test_euler_in_flows_coordinates_is_ddim_at_the_same_levels():
    z = edm.latents(edm.seeds(0, 16), (2,), dtype=torch.float64)
    denoiser = edm.data.load("two_moons").denoiser
    flow = edm.Sampling(solver="euler", discretization="flow", schedule="flow", scaling="flow", steps=9)
    plain = edm.Sampling(solver="euler", sigmas=timesteps.sigmas(flow)[:-1].tolist())
    ends = [edm.last(edm.sample(denoiser, z, settings)).x for settings in (flow, plain)]
    torch.testing.assert_close(*ends, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("model", timesteps.AYS)
def test_eleven_levels_of_ays_are_the_published_ones(model):
    levels = timesteps.sigmas(edm.Sampling(discretization=f"ays_{model}", steps=11)).tolist()
    assert levels == pytest.approx([*timesteps.AYS[model], 0], rel=1e-12)
    middle = timesteps.sigmas(edm.Sampling(discretization=f"ays_{model}", steps=21)).tolist()
    assert middle[1] ** 2 == pytest.approx(levels[0] * levels[1], rel=1e-12)


@pytest.mark.parametrize("c", [0.2, 1.0])
def test_even_angles_are_the_best_that_euler_can_do_on_a_gaussian(c):
    """Its gain is the exact one times Π cos Δα, α = arctan(σ/c); no grid of as many levels comes nearer to it."""

    def gain(levels):
        return math.prod(math.cos(math.atan(a / c) - math.atan(b / c)) for a, b in itertools.pairwise(levels))

    def levels(name, **knobs):
        return timesteps.sigmas(edm.Sampling(discretization=name, steps=12, sigma_min=0.01, **knobs))[:-1].tolist()

    best = gain(levels("arctan", sigma_mid=c))
    assert all(gain(levels(name)) < best for name in ("edm", "ve", "cosine" if c != 1 else "polyexponential"))
    assert levels("cosine") == levels("arctan", sigma_mid=1)
    assert levels("polyexponential", power=1) == pytest.approx(levels("ve", sigma_max=80), rel=1e-12)


def test_flows_steps_stay_above_what_a_model_knows():
    class Known:
        sigma_min, sigma_max = 0.02, 50.0

        def __call__(self, x, sigma, labels=None):
            assert 0.02 <= sigma <= 50
            return x / (1 + sigma**2)

    flow = edm.Sampling(discretization="flow", steps=200)
    states = list(edm.sample(Known(), edm.latents([1], (2,)), flow))
    assert states[-2].sigma == 0.02 and len(states) < 201
