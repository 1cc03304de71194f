"""The weak order: of the mean and the standard deviation on Gaussian data, without samples."""

import itertools
import math

import pytest
import torch

import edm
from edm import diagnostics
from edm.base.errors import Refused
from edm.solvers import SOLVERS
from tests.problems import gaussian

STEPS = (128, 256)


@pytest.mark.parametrize(("solver", "order"), [(name, entry.order) for name, entry in SOLVERS.items()])
def test_every_solver_has_its_order_in_the_distribution_too(solver, order):
    sampling = edm.Sampling(solver=solver, restart_steps=100)  # whose rounds take equally many at any N
    (coarse, fine) = diagnostics.weak_convergence(sampling, STEPS, 0.5, 0.5)
    assert math.log2(coarse.error / fine.error) == pytest.approx(order, abs=0.2)


def test_without_noise_it_is_the_error_of_the_gain_on_a_gaussian():
    """Euler's gain on N(0, c²) is Π (c² + σσ⁺)/(c² + σ²)."""
    (point,) = diagnostics.weak_convergence(edm.Sampling(solver="euler"), [9], 0.7, 0.0)
    levels = edm.timesteps.sigmas(edm.Sampling(steps=9)).tolist()
    gain = math.prod((0.49 + a * b) / (0.49 + a * a) for a, b in itertools.pairwise(levels[:-1]))
    expected = abs(gain * math.hypot(0.7, levels[0]) - math.hypot(0.7, levels[-2]))
    assert point.error == pytest.approx(expected, rel=1e-9)
    assert point.evaluations == 9


def test_many_samples_have_that_mean_and_deviation():
    sampling = edm.Sampling(steps=6, solver="euler_ancestral", S_churn=5)
    (point,) = diagnostics.weak_convergence(sampling, [6], 0.5, 1.0)
    generator = torch.Generator().manual_seed(0)

    def drawn(k, x):
        return torch.randn(len(x), 1, generator=generator, dtype=torch.float64)

    z = drawn(0, range(20_000)) * math.hypot(0.5, 80) / 80 + 1.0 / 80
    end = edm.last(edm.sample(gaussian(0.5, mean=1.0), z, sampling, noise=drawn)).x
    found = math.hypot(float(end.mean()) - 1, float(end.std()) - 0.5)
    assert point.end_error == pytest.approx(found, abs=0.01) and point.end_error > 0.02


def test_what_shows_no_order_is_refused_and_convergence_says_where_to_look():
    with pytest.raises(Refused, match="levels given by hand"):
        diagnostics.weak_convergence(edm.Sampling(sigmas=[2, 1]), [2])
    with pytest.raises(Refused, match="steps = 1"):
        diagnostics.weak_convergence(edm.Sampling(), [4, 1])
    with pytest.raises(Refused, match="see weak_convergence"):
        diagnostics.convergence(gaussian(1), torch.zeros(1, 1), edm.Sampling(solver="ddim"), [4])
