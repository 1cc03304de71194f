"""Measures against closed forms."""

import math
from unittest import mock

import numpy as np
import pytest
import torch

import edm
from edm import diagnostics
from edm.sampling.denoisers import Around
from tests.problems import gaussian, latents, smooth_mixture


def test_the_reference_solves_gaussian_data_exactly():
    """For N(0, c²) the solution is x(σ) = x(σ₀)·√((σ² + c²)/(σ₀² + c²)); every schedule shares it."""
    c, z = 0.7, latents(6, dim=1)
    for sampling in (edm.Sampling(), edm.Sampling(discretization="ve", schedule="vp", scaling="vp", sigma_max=50)):
        high = sampling.range[1]
        exact = high * z * c / math.hypot(high, c)
        got = diagnostics.reference(gaussian(c), z, sampling)
        assert diagnostics.rms_error(got, exact) < 5e-4 * c


def test_the_reference_converges_at_second_order():
    coarse, fine, finest = (
        diagnostics.reference(smooth_mixture(), latents(20), edm.Sampling(), steps=n) for n in (64, 128, 512)
    )
    ratio = diagnostics.rms_error(coarse, finest) / diagnostics.rms_error(fine, finest)
    assert math.log2(ratio) == pytest.approx(2, abs=0.3)


def test_the_sampling_error_falls_with_the_steps_and_heun_beats_euler():
    errors = {
        (solver, steps): diagnostics.sampling_error(
            smooth_mixture(), latents(50), edm.Sampling(solver=solver, steps=steps)
        )
        for solver in ("euler", "heun")
        for steps in (8, 16, 32)
    }
    for solver in ("euler", "heun"):
        assert errors[solver, 8] > errors[solver, 16] > errors[solver, 32]
    assert errors["heun", 16] < errors["euler", 32]  # about equal evaluations


def test_there_is_no_error_of_a_stochastic_path():
    with pytest.raises(ValueError, match="S_churn"):
        diagnostics.sampling_error(smooth_mixture(), latents(2), edm.Sampling(S_churn=1))


def test_rms_error_is_over_samples_and_coordinates():
    assert diagnostics.rms_error(torch.zeros(2, 2), torch.tensor([[3.0, 0], [0, 4]])) == pytest.approx(2.5)
    with pytest.raises(ValueError, match="shapes"):
        diagnostics.rms_error(torch.zeros(2, 2), torch.zeros(3, 2))


def test_sliced_wasserstein_of_a_shift_is_the_shift_seen_from_all_sides():
    """E over directions of (u·v)² = ‖v‖²/d."""
    x = torch.randn(300, 2, generator=torch.Generator().manual_seed(0))
    shift = torch.tensor([3.0, 4.0])
    assert diagnostics.sliced_wasserstein(x, x + shift, projections=20_000) == pytest.approx(5 / math.sqrt(2), rel=0.02)
    assert diagnostics.sliced_wasserstein(x, x) == 0


def test_in_one_dimension_it_is_the_wasserstein_distance():
    x, y = torch.tensor([[0.0], [1.0], [5.0]]), torch.tensor([[2.0], [0.0], [7.0]])
    assert diagnostics.sliced_wasserstein(x, y) == pytest.approx(math.sqrt((0 + 1 + 4) / 3))


def test_clouds_of_different_size_meet_through_their_quantiles():
    x = torch.randn(50, 2, generator=torch.Generator().manual_seed(1))
    assert diagnostics.sliced_wasserstein(x, x.repeat(3, 1)) == pytest.approx(0, abs=1e-12)
    # {0, 1} against {0, 0, 1}: one sixth of the mass moves by 1
    a, b = torch.tensor([[0.0], [1.0]]), torch.tensor([[0.0], [0.0], [1.0]])
    assert diagnostics.sliced_wasserstein(a, b) == pytest.approx(math.sqrt(1 / 6))


def test_the_floor_is_what_true_samples_read():
    dataset = edm.data.load("two_moons")
    truth = dataset.sample(4000, seed=5)
    floors = [diagnostics.data_floor(dataset, n, truth) for n in (50, 200, 800)]
    assert floors[0] > floors[1] > floors[2] > 0


def test_the_direction_field_is_the_flow():
    """Against a finite difference of the exact flow of Gaussian data, in both coordinates."""
    c, sigma, h = 0.7, 1.3, 1e-6
    grid = diagnostics.window_grid(2.0, 1.0, 4, 3).double()
    assert grid.shape == (12, 2)
    denoiser = gaussian(c, dim=2)

    def moved(x, to):
        return x * math.hypot(to, c) / math.hypot(sigma, c)

    lower = sigma * math.exp(-h)
    field = diagnostics.direction_field(denoiser, grid, [sigma])[0]
    torch.testing.assert_close(field, (moved(grid, lower) - grid) / h, rtol=1e-4, atol=1e-7)
    follow = 0.5
    total, total_lower = math.hypot(sigma, follow), math.hypot(lower, follow)
    field = diagnostics.direction_field(denoiser, grid, [sigma], follow)[0]
    torch.testing.assert_close(field, (moved(grid * total, lower) / total_lower - grid) / h, rtol=1e-4, atol=1e-7)


class Counted(Around):
    """Counts how often it is asked."""

    calls = 0

    def __call__(self, x, sigma, labels=None):
        self.calls += 1
        return super().__call__(x, sigma, labels)


@pytest.mark.parametrize("follow", [None, 0.5])
def test_the_field_of_few_components_is_one_evaluation_and_the_same(follow):
    grid, sigmas = diagnostics.window_grid(2.0, 1.0, 27, 17), [float(s) for s in np.geomspace(80, 0.002, 8)]
    mixture = edm.models.load("eight_gaussians").denoiser
    asked, network = Counted(mixture), Counted(lambda x, sigma: mixture(x, sigma))
    together = diagnostics.direction_field(asked, grid, sigmas, follow)
    apart = diagnostics.direction_field(network, grid, sigmas, follow)
    torch.testing.assert_close(together, apart, rtol=1e-5, atol=1e-5)
    assert (asked.calls, network.calls) == (1, 8) and together.shape == (8, 27 * 17, 2)
    assert torch.equal(diagnostics.direction_field(asked, grid, sigmas[3:4], follow)[0], apart[3])


def test_a_cloud_that_many_are_compared_with_is_sorted_once():
    dataset = edm.data.load("two_moons")
    truth, clouds = dataset.sample(900, seed=5), [dataset.sample(n, seed=n) for n in (900, 333, 1200)]
    with mock.patch.object(np, "sort", wraps=np.sort) as sort:
        distance = diagnostics.distance_to(truth)
        found = [distance(cloud) for cloud in clouds]
        assert sort.call_count == 1 + len(clouds)
    assert found == [diagnostics.sliced_wasserstein(cloud, truth) for cloud in clouds]
    with pytest.raises(ValueError, match="shapes"):
        distance(torch.zeros(3, 1))
