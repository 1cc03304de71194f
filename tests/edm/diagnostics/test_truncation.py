"""Local truncation error: closed forms on Gaussian data, orders, and the paper's choice of rho."""

import itertools
import math

import pytest
import torch

import edm
from edm import diagnostics, schedules
from edm.exact import GaussianMixture
from edm.solvers import SOLVERS
from tests.problems import gaussian, latents, smooth_mixture

ROWS = {
    "vp": {"schedule": "vp", "scaling": "vp"},
    "ve": {"schedule": "ve", "scaling": "none"},
    "linear": {"schedule": "linear", "scaling": "none"},
    "linear scaled": {"schedule": "linear", "scaling": "vp"},
}


@pytest.mark.parametrize("row", ROWS)
def test_eulers_local_error_on_gaussian_data_is_the_closed_form(row):
    """On N(0, c²) the ODE is dx/dt = a(t)·x with a = ṡ/s + σ̇·σ/(σ² + c²), and x/s = k·√(σ² + c²).

    So from σ to σ⁺ Euler misses by k·|√(σ² + c²)·(1 + h·a)·s/s⁺ − √(σ⁺² + c²)|, h = t⁺ − t. The closed form has
    no error; that of the exact solution is below 1e-6 of a step.
    """
    c, z, sampling = 0.7, latents(5, dim=1), edm.Sampling(solver="euler", **ROWS[row])
    schedule, scaling = schedules.of(sampling)
    k = 80 * z.abs().flatten() / math.hypot(80, c)
    steps = list(diagnostics.truncation_error(gaussian(c), z, sampling))
    assert [step.index for step in steps] == list(range(18))
    assert steps[-1].sigma_next == 0
    for step in steps:
        t = schedule.inverse(step.sigma)
        t_next = schedule.inverse(step.sigma_next) if step.sigma_next else 0.0
        rate = scaling.s_dot(t) / scaling.s(t) + schedule.sigma_dot(t) * step.sigma / (step.sigma**2 + c * c)
        gain = (1 + (t_next - t) * rate) * scaling.s(t) / (scaling.s(t_next) if t_next else 1.0)
        missed = abs(math.hypot(step.sigma, c) * gain - math.hypot(step.sigma_next, c))
        torch.testing.assert_close(step.error, k * missed, rtol=1e-4, atol=3e-6 * math.hypot(step.sigma, c))


def test_with_sigma_for_time_eulers_error_on_gaussian_data_is_simple():
    """x·|(c² + σσ⁺)/(c² + σ²) − √((c² + σ⁺²)/(c² + σ²))|; on a single point, c = 0, Euler misses nothing."""
    c, z = 0.5, latents(4, dim=1)
    for step in diagnostics.truncation_error(gaussian(c), z, edm.Sampling(solver="euler")):
        a, b = step.sigma, step.sigma_next
        share = abs((c * c + a * b) / (c * c + a * a) - math.hypot(b, c) / math.hypot(a, c))
        expected = step.x.abs().flatten() * share
        torch.testing.assert_close(step.error, expected, rtol=1e-4, atol=3e-6 * math.hypot(a, c))
    for step in diagnostics.truncation_error(edm.exact.PointSet([[0.3]]), z, edm.Sampling(solver="euler")):
        assert step.error.max() < 1e-12 * step.sigma


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize(("solver", "alpha"), [("euler", 1.0), ("heun", 1.0), ("heun", 0.5)])
def test_the_local_error_is_of_one_order_more_than_the_solver(row, solver, alpha):
    def error(epsilon):
        sampling = edm.Sampling(solver=solver, alpha=alpha, sigmas=(1.5, 1.2, 1.2 * math.exp(-epsilon)), **ROWS[row])
        steps = diagnostics.truncation_error(smooth_mixture(), latents(4), sampling)
        return next(itertools.islice(steps, 1, None)).error.mean()

    order = math.log2(error(0.05) / error(0.025))
    assert order == pytest.approx(SOLVERS[solver].order + 1, abs=0.2)


def test_appendix_d_heun_beats_euler_and_large_rho_moves_the_error_to_high_noise():
    """ρ = 1 spends its steps at high σ and makes its largest error at low σ; at ρ = 7 it is far smaller."""
    denoiser, z = edm.data.load("eight_gaussians").denoiser, latents(40)

    def errors(solver, rho):
        steps = diagnostics.truncation_error(denoiser, z, edm.Sampling(solver=solver, rho=rho, steps=32))
        return torch.stack([step.error for step in steps]).square().mean(1).sqrt()

    heun, euler = errors("heun", 7), errors("euler", 7)
    assert heun.sum() < 0.3 * euler.sum()
    uniform = errors("heun", 1)
    assert uniform.argmax() >= 28  # of 32, near σ = 0
    assert heun[:16].sum() > uniform[:16].sum()
    assert heun.max() < 0.2 * uniform.max()


def test_the_steps_begin_on_the_exact_solution_and_come_one_by_one():
    calls = []

    def counted(x, sigma, labels=None):
        calls.append(sigma)
        return smooth_mixture()(x, sigma, labels)

    sampling = edm.Sampling(steps=6)
    stream = diagnostics.truncation_error(counted, latents(3), sampling)
    first = next(stream)
    assert min(calls) >= first.sigma_next
    assert first.error.shape == (3,)
    torch.testing.assert_close(first.x, 80 * latents(3))
    x = [first.x, *(step.x for step in stream)]
    levels = [state.sigma for state in edm.sample(smooth_mixture(), latents(3), sampling)][:-1]
    torch.testing.assert_close(
        torch.stack(x), torch.stack(list(diagnostics.solution(smooth_mixture(), latents(3), levels)))
    )


def test_images_and_single_precision():
    shape = (1, 6, 6)
    denoiser = GaussianMixture(torch.randn(3, *shape, generator=torch.Generator().manual_seed(0)), 0.3)
    z = edm.latents(edm.seeds(0, 2), shape)
    for step in diagnostics.truncation_error(denoiser, z, edm.Sampling(steps=4)):
        assert step.error.shape == (2,)
        assert step.error.dtype == step.x.dtype == torch.float64


def test_a_stochastic_step_has_no_error():
    with pytest.raises(ValueError, match="S_churn > 0"):
        diagnostics.truncation_error(smooth_mixture(), latents(2), edm.Sampling(S_churn=1))
