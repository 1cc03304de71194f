"""Measured orders of convergence, and the fit that states them."""

import itertools
import math

import pytest

import edm
from edm import diagnostics
from edm.diagnostics import Point
from edm.sampling.denoisers import Around
from edm.solvers import SOLVERS
from tests.problems import Counting, gaussian, latents, smooth_mixture

STEPS = (4, 8, 16, 32, 48, 64)


@pytest.mark.parametrize("solver", ["euler", "heun"])
@pytest.mark.parametrize(
    "grid",
    [
        {"discretization": "edm"},
        {"discretization": "vp"},
        {"discretization": "ve"},
        {"discretization": "edm", "schedule": "vp", "scaling": "vp"},
    ],
    ids=lambda grid: "-".join(str(value) for value in grid.values()),
)
def test_the_measured_order_is_the_declared_one(solver, grid):
    sampling = edm.Sampling(solver=solver, sigma_min=0.02, sigma_max=20, **grid)
    fit = diagnostics.fitted_order(diagnostics.convergence(smooth_mixture(), latents(12), sampling, STEPS))
    assert fit.order == pytest.approx(SOLVERS[solver].order, abs=0.2)
    assert fit.stderr < 0.1
    assert fit.steps[1] == STEPS[-1]


def test_errors_on_gaussian_data_are_the_closed_form():
    """Euler's gain on N(0, c²) is Π (c² + σσ⁺)/(c² + σ²), the exact one √((c² + σ_N²)/(c² + σ_0²))."""
    c, z = 0.7, latents(6, dim=1)
    rms = float(z.square().mean().sqrt())
    for point in diagnostics.convergence(gaussian(c), z, edm.Sampling(solver="euler"), [2, 9]):
        levels = edm.timesteps.sigmas(edm.Sampling(steps=point.steps)).tolist()
        gain, errors = levels[0], {}
        for sigma, lower in itertools.pairwise(levels):
            gain *= (c * c + sigma * lower) / (c * c + sigma * sigma)
            exact = levels[0] * math.hypot(c, lower) / math.hypot(c, levels[0])
            errors[lower] = abs(gain - exact) * rms
        assert point.error == pytest.approx(errors[levels[-2]], rel=1e-4)
        assert point.end_error == pytest.approx(errors[0.0], rel=1e-4)
        assert point.evaluations == point.steps


def test_the_end_error_is_the_sampling_error():
    """To the accuracy of `reference`, about 1e-4."""
    sampling = edm.Sampling(steps=12)
    (point,) = diagnostics.convergence(smooth_mixture(), latents(8), sampling, [12])
    assert point.evaluations == 23
    expected = diagnostics.sampling_error(smooth_mixture(), latents(8), sampling)
    assert point.end_error == pytest.approx(expected, abs=3e-4)


def test_the_exact_solution_is_computed_once_and_points_come_one_by_one():
    denoiser = Counting(smooth_mixture())
    points = diagnostics.convergence(denoiser, latents(2), edm.Sampling(), [3, 5, 7])
    assert next(points).steps == 3
    calls = denoiser.calls
    assert next(points).evaluations == 9
    assert denoiser.calls - calls == 9


def test_a_last_step_that_does_not_shrink_hides_no_order():
    """σ_min = 0.3: the error at 0 stays, that at σ_min falls as the solver claims."""
    sampling = edm.Sampling(sigma_min=0.3, sigma_max=20)
    points = list(diagnostics.convergence(smooth_mixture(), latents(8), sampling, STEPS))
    assert points[-1].end_error > 0.9 * points[-2].end_error
    assert diagnostics.fitted_order(points).order == pytest.approx(2, abs=0.2)


def points_of(error, floor=0.0):
    return [Point(n, 2 * n - 1, error(n), error(n), floor) for n in (2, 4, 8, 16, 32, 64, 128, 256)]


def test_the_fit_of_a_power_law_is_exact():
    fit = diagnostics.fitted_order(points_of(lambda n: 5 * n**-2.5))
    assert fit.order == pytest.approx(2.5)
    assert fit.constant == pytest.approx(5)
    assert fit.stderr < 1e-9
    assert fit.steps == (2, 256)


def test_the_fit_leaves_out_the_floor_and_the_coarse_points():
    """Order 2 with a term of order 4 on few steps, lost in a floor of 1e-5 on many. The order of points is free."""
    points = points_of(lambda n: math.hypot(n**-2 + 30 * n**-4.0, 1e-5), floor=1e-5)
    fit = diagnostics.fitted_order(reversed(points))
    assert fit.order == pytest.approx(2, abs=0.1)
    assert fit.steps[0] >= 16
    assert fit.steps[1] < 256


def test_an_order_needs_three_points_above_the_floor():
    with pytest.raises(ValueError, match="2 points lie above the floor"):
        diagnostics.fitted_order(points_of(lambda n: n**-2.0, floor=5e-3))
    with pytest.raises(ValueError, match="0 points"):
        diagnostics.fitted_order([])


@pytest.mark.parametrize(
    ("sampling", "steps", "words"),
    [
        (edm.Sampling(S_churn=3), [4], "S_churn > 0"),
        (edm.Sampling(sigmas=[3, 1]), [4], "by hand"),
        (edm.Sampling(), [4, 1], "steps = 1"),
        (edm.Sampling(), [], "empty"),
        (edm.Sampling(), [0], "steps"),
        (edm.Sampling(), [10**6], "steps"),
        (edm.Sampling(discretization="iddpm", sigma_min=1, sigma_max=2), [500], "noise levels"),
    ],
)
def test_what_shows_no_order_is_refused_at_once(sampling, steps, words):
    with pytest.raises(ValueError, match=words):
        diagnostics.convergence(smooth_mixture(), latents(2), sampling, steps)


def test_a_model_of_discrete_levels_is_measured_at_the_lowest_that_it_knows():
    """Of many steps fewer are taken: to it, several have the same level."""
    denoiser, levels = Around(smooth_mixture()), edm.preconditioning.IDDPM()
    denoiser.round_sigma = levels.round_sigma
    sampling = edm.Sampling(sigma_min=0.01, sigma_max=50)
    (point,) = diagnostics.convergence(denoiser, latents(4), sampling, [300])
    assert edm.path_of(sampling.changed(steps=300), denoiser).steps < 300
    assert 0 < point.error < 0.01 and point.steps == 300
