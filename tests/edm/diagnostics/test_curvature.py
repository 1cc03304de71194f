"""The exact solution and its second derivative, against closed forms; cancellation of every slow diagnostic."""

import math

import pytest
import torch

import edm
from edm import diagnostics, schedules
from edm.exact import GaussianMixture
from tests.problems import Counting, gaussian, latents, smooth_mixture

ROWS = {
    "vp": {"schedule": "vp", "scaling": "vp", "discretization": "vp"},
    "ve": {"schedule": "ve", "scaling": "none", "discretization": "ve"},
    "linear": {},
    "vp unscaled": {"schedule": "vp", "scaling": "none"},
}
LEVELS = (60.0, 10.0, 2.0, 0.6, 0.1, 0.01)


def on_gaussian_data(z, c, start, sigma):
    """x/s of N(0, c²) data: start·z·√((σ² + c²)/(start² + c²))."""
    return start * z * math.hypot(sigma, c) / math.hypot(start, c)


@pytest.mark.parametrize("shape", [(1,), (2,), (3, 4, 4)])
def test_the_solution_of_gaussian_data_is_the_closed_form(shape):
    """At 8 fourth-order steps for each e of σ, to 1e-5 of the data's size, on points as on images; at 0 too."""
    c, z = 0.7, edm.latents(edm.seeds(0, 5), shape)
    denoiser = GaussianMixture(torch.zeros(1, *shape, dtype=torch.float64), c)
    sigmas = [*LEVELS, 0.0]
    for sigma, x in zip(sigmas, diagnostics.solution(denoiser, z, sigmas, start=80), strict=True):
        assert x.dtype == torch.float64
        torch.testing.assert_close(x, on_gaussian_data(z.double(), c, 80, sigma), rtol=1e-5, atol=0)


def test_the_solution_converges_at_fourth_order_and_agrees_with_the_reference():
    def end(resolution):
        *_, x = diagnostics.solution(smooth_mixture(), latents(20), [10, 0.1], resolution=resolution)
        return x

    finest = end(40)
    errors = [diagnostics.rms_error(end(r), finest) for r in (5, 10)]
    assert math.log2(errors[0] / errors[1]) == pytest.approx(4, abs=0.4)
    *_, x = diagnostics.solution(smooth_mixture(), latents(20), [80, 0])
    assert diagnostics.rms_error(x, diagnostics.reference(smooth_mixture(), latents(20), edm.Sampling())) < 5e-4


@pytest.mark.parametrize("row", ROWS)
def test_paths_are_the_solution_in_the_time_and_scale_of_the_schedule(row):
    """A sampler with many steps on that schedule and scaling goes through them."""
    sampling = edm.Sampling(**ROWS[row], steps=200, sigma_max=40, sigma_min=0.05)
    states = [state for state in edm.sample(smooth_mixture(), latents(4), sampling) if state.index % 28 == 0]
    times, x = diagnostics.paths(smooth_mixture(), latents(4), sampling, [state.sigma for state in states])
    torch.testing.assert_close(times, torch.tensor([state.t for state in states], dtype=torch.float64))
    torch.testing.assert_close(x, torch.stack([state.x for state in states]), rtol=2e-3, atol=2e-3)


def test_paths_end_at_the_data():
    times, x = diagnostics.paths(smooth_mixture(), latents(3), edm.Sampling(**ROWS["vp"]), [25, 1, 0], start=40)
    assert times[-1] == 0 and times[0] > times[1] > 0
    torch.testing.assert_close(x[-1], list(diagnostics.solution(smooth_mixture(), latents(3), [40, 0]))[-1])


@pytest.mark.parametrize("row", ROWS)
def test_curvature_of_gaussian_data_is_the_second_derivative_of_the_closed_form(row):
    """x(t) = s(t)·k·√(σ(t)² + c²), differentiated twice by torch; differences with step 0.01 are good to 1e-3."""
    c, z, sampling = 0.7, latents(5, dim=1), edm.Sampling(**ROWS[row])
    schedule, scaling = schedules.chosen_by(sampling)
    start = sampling.range[1]
    for point in diagnostics.curvature(gaussian(c), z, sampling, LEVELS):
        t = torch.tensor(point.t, dtype=torch.float64, requires_grad=True)
        x = scaling.s(t) * (schedule.sigma(t) ** 2 + c * c).sqrt()
        (slope,) = torch.autograd.grad(x, t, create_graph=True)
        (second,) = torch.autograd.grad(slope, t)
        clock = point.sigma / schedule.sigma_dot(point.t)
        size = on_gaussian_data(z, c, start, 0.0).abs().flatten() / c
        torch.testing.assert_close(point.acceleration, abs(second.item()) * size, rtol=1e-3, atol=0)
        turn = torch.full_like(size, abs(second.item() / slope.item()) * clock)
        torch.testing.assert_close(point.turn, turn, rtol=1e-3, atol=0)
        departure = 0.5 * point.acceleration * clock**2 / scaling.s(point.t)
        torch.testing.assert_close(point.departure, departure, rtol=1e-9, atol=0)


def test_the_turn_of_gaussian_data_in_ve_and_linear_time():
    """Linear: x'' = x·c²/(c² + σ²)², turn c²/(c² + σ²). VE: turn σ²/(c² + σ²): straight at low noise, not at high."""
    c, z = 0.7, latents(4, dim=1)
    for sampling, turn in (
        (edm.Sampling(), lambda sigma: c * c / (c * c + sigma**2)),
        (edm.Sampling(**ROWS["ve"]), lambda sigma: sigma**2 / (c * c + sigma**2)),
    ):
        for point in diagnostics.curvature(gaussian(c), z, sampling, LEVELS):
            torch.testing.assert_close(point.turn, torch.full_like(point.turn, turn(point.sigma)), rtol=1e-3, atol=1e-9)


def test_vp_stands_still_on_data_of_variance_one():
    """s² (σ² + 1) = 1: no slope, no acceleration, and the departure says so where the turn cannot."""
    for point in diagnostics.curvature(gaussian(1.0), latents(4, dim=1), edm.Sampling(**ROWS["vp"]), LEVELS):
        assert point.departure.max() < 1e-9


def test_the_departure_is_what_a_short_euler_step_misses():
    """Whatever the schedule and scaling; half the step must halve what is left, which is of first order."""
    sigma, z = 0.8, latents(6)
    for row in ROWS.values():
        deviations = []
        for epsilon in (0.02, 0.01):
            sampling = edm.Sampling(**row, solver="euler", sigmas=(2.0, sigma, sigma * math.exp(-epsilon)))
            (point,) = diagnostics.curvature(smooth_mixture(), z, sampling, [sigma])
            step = list(diagnostics.truncation_error(smooth_mixture(), z, sampling))[1]
            deviations.append((step.error / epsilon**2 / point.departure - 1).abs().max())
        assert deviations[1] < 0.6 * deviations[0] + 1e-3


def test_two_peaks_are_nearly_straight_in_linear_time_only():
    """Figure 3: below σ = 0.4 the path has chosen its peak; with σ(t) = t it is then a straight line."""
    denoiser, z = edm.data.load("two_diracs").denoiser, latents(40, dim=1)

    def median_turn(row):
        return [
            p.turn.median() for p in diagnostics.curvature(denoiser, z, edm.Sampling(**ROWS[row]), (0.3, 0.1, 0.03))
        ]

    linear = median_turn("linear")
    for row in ("vp", "ve"):
        assert all(straight < 0.1 * bent for straight, bent in zip(linear, median_turn(row), strict=True))
    assert linear[1] < 1e-6


def test_curvature_works_on_images():
    shape = (1, 8, 8)
    denoiser = GaussianMixture(torch.randn(4, *shape, generator=torch.Generator().manual_seed(0)), 0.3)
    (point,) = diagnostics.curvature(denoiser, torch.ones(3, *shape), edm.Sampling(), [1.0])
    assert point.acceleration.shape == point.turn.shape == point.departure.shape == (3,)


def test_labels_reach_the_denoiser():
    denoiser = GaussianMixture([[-1.0], [1.0]], 0.1, labels=[0, 1])
    *_, x = diagnostics.solution(denoiser, latents(2, dim=1), [80, 0], labels=[1, 0])
    assert x[0] > 0 > x[1]


class Stop(Exception):
    pass


class Stopping:
    """A denoiser that raises at its n-th call."""

    def __init__(self, denoiser, n):
        self.denoiser, self.left = denoiser, n

    def __call__(self, x, sigma, labels=None):
        self.left -= 1
        if self.left == 0:
            raise Stop
        assert self.left > 0, "work went on after the denoiser raised"
        return self.denoiser(x, sigma, labels)


SLOW = {
    "solution": lambda d: diagnostics.solution(d, latents(2), [80, 1, 0]),
    "curvature": lambda d: diagnostics.curvature(d, latents(2), edm.Sampling(sigma_max=20), [20, 1, 0.1]),
    "truncation": lambda d: diagnostics.truncation_error(d, latents(2), edm.Sampling()),
    "convergence": lambda d: diagnostics.convergence(d, latents(2), edm.Sampling(), [4, 6]),
    "slow motion": lambda d: diagnostics.slow_motion(d, latents(2), edm.Sampling(S_churn=20), 9, seeds=[0, 1]),
    "cycles": lambda d: diagnostics.churn_cycles(d, latents(2), 0.5, 30),
}


@pytest.mark.parametrize("name", SLOW)
@pytest.mark.parametrize("n", [1, 13])
def test_what_the_denoiser_raises_passes_out_and_leaves_nothing_behind(name, n):
    def numbers():
        return [str(vars(part) if hasattr(part, "__dict__") else part) for part in SLOW[name](smooth_mixture())]

    before = numbers() if n == 1 else None
    stopped = SLOW[name](Stopping(smooth_mixture(), n))
    with pytest.raises(Stop):
        list(stopped)
    assert list(stopped) == []  # over, not broken
    assert torch.is_grad_enabled()
    assert before is None or numbers() == before


@pytest.mark.parametrize("name", SLOW)
def test_nothing_is_evaluated_until_asked_for(name):
    counting = Counting(smooth_mixture())
    begun = SLOW[name](counting)
    assert counting.calls == 0
    list(begun)
    assert counting.calls > 0


@pytest.mark.parametrize(
    ("sigmas", "options", "words"),
    [
        ([], {}, "empty"),
        ([1, 2], {}, r"sigmas\[1\] = 2 must be below the level before it, 1"),
        ([1, 1], {}, "below"),
        ([0], {}, "above 0"),
        ([1, -0.5], {}, "-0.5"),
        ([math.nan], {}, "nan"),
        ([math.inf], {}, "inf"),
        ([2, 1], {"start": 1.5}, "start = 1.5"),
        ([2, 1], {"resolution": 0}, "resolution = 0"),
    ],
)
def test_levels_that_make_no_curve_are_refused_at_once(sigmas, options, words):
    with pytest.raises(ValueError, match=words):
        diagnostics.solution(smooth_mixture(), latents(2), sigmas, **options)


def test_other_bad_input_is_refused_at_once():
    with pytest.raises(ValueError, match="above 0"):
        diagnostics.curvature(smooth_mixture(), latents(2), edm.Sampling(), [1, 0])
    with pytest.raises(ValueError, match="step = 0"):
        diagnostics.curvature(smooth_mixture(), latents(2), edm.Sampling(), [1], step=0)
    with pytest.raises(ValueError, match=r"\[2, 3\]"):
        diagnostics.solution(smooth_mixture(), latents(2, dim=3), [1])
