"""The tilted density: as a population, and written down."""

import pytest
import torch

import edm
from edm import guidance
from edm.exact import GaussianMixture
from edm.sampling.guidance.tilted import resampled
from tests.problems import gaussian

LINE = GaussianMixture([[-0.5], [0.5]], 0.3, None, [0, 1])
PLANE = GaussianMixture([[-0.9, 0.2], [0.7, -0.5], [0.3, 0.9]], [0.2, 0.3, 0.25], None, [0, 1, 0])


def population(denoiser, count, steps, weight, labels=1, seed=0, **more):
    seeds = edm.seeds(seed, count)
    labels = [labels] * count if isinstance(labels, int) else labels
    z = edm.latents(seeds, denoiser.shape)
    return guidance.tilted(denoiser, z, edm.Sampling(steps=steps, seed=seed, **more), labels, weight, seeds=seeds)


def test_a_population_has_the_moments_of_the_tilted_density_where_the_guided_ode_has_not():
    """N(±½, 0.3²), w = 3: the density's .5553 and .2610; the guided ODE's are .812 and .188."""
    x = edm.last(population(LINE, 3000, 100, 3.0)).x
    assert float(x.mean()) == pytest.approx(0.5553, abs=0.04)
    assert float(x.std()) == pytest.approx(0.2610, abs=0.015)


def test_in_the_plane_too_its_moments_are_those_of_the_density():
    x = edm.last(population(PLANE, 1500, 80, 2.0, labels=0)).x.double()
    mean, std = guidance.tilted_moments(PLANE, 0, 2.0)
    torch.testing.assert_close(x.mean(0), mean, rtol=0, atol=0.06)
    torch.testing.assert_close(x.std(0), std, rtol=0, atol=0.05)


def test_the_density_integrates_to_one_and_is_the_class_s_own_at_weight_1():
    axis = torch.linspace(-4, 4, 401, dtype=torch.float64)
    places = torch.cartesian_prod(axis, axis)
    for sigma in (0.0, 0.3):
        for weight in (0.0, 1.0, 3.0):
            density = guidance.tilted_log_density(PLANE, places, 1, weight, sigma).exp()
            assert float(density.sum() * 0.02**2) == pytest.approx(1, abs=1e-5)
        own = guidance.tilted_log_density(PLANE, places, 1, 1.0, sigma)
        torch.testing.assert_close(own, PLANE.log_density(places, sigma, [1] * len(places)), rtol=1e-8, atol=1e-8)


def test_the_same_seeds_give_the_same_population_and_its_states_are_those_of_a_run():
    states, again = (list(population(LINE, 50, 6, 3.0)) for _ in range(2))
    assert all(torch.equal(one.x, other.x) for one, other in zip(states, again, strict=True))
    other = edm.last(population(LINE, 50, 6, 3.0, seed=1)).x
    assert not torch.equal(states[-1].x, other)
    assert [state.index for state in states] == list(range(7))
    assert [state.sigma for state in states] == list(edm.path_of(edm.Sampling(steps=6)).sigmas)
    assert states[-1].evaluations == 12


def test_each_class_is_a_population_of_its_own():
    mixed = edm.last(population(LINE, 60, 8, 3.0, labels=[0, 1] * 30)).x
    assert float(mixed[::2].mean()) < -0.3 and float(mixed[1::2].mean()) > 0.3


def test_it_can_be_stopped_and_knows_scaled_states():
    states = population(LINE, 50, 6, 3.0)
    next(states)
    states.close()
    assert list(states) == []
    scaled = list(population(LINE, 50, 6, 3.0, schedule="vp", scaling="vp", sigma_min=0.002, sigma_max=80))
    plain = list(population(LINE, 50, 6, 3.0))
    for one, other in zip(scaled, plain, strict=True):
        torch.testing.assert_close(one.x / one.scale, other.x, rtol=1e-4, atol=1e-4)


def test_systematic_resampling_draws_each_as_often_as_its_weight_says_and_keeps_places():
    logs = torch.tensor([0.0, 0.4, 0.1, 0.3, 0.2], dtype=torch.float64).log()
    for uniform in (0.01, 0.5, 0.99):
        drawn = resampled(logs, uniform)
        counts = torch.bincount(drawn, minlength=5)
        expected = 5 * logs.exp()
        assert bool(((counts >= expected.floor()) & (counts <= expected.ceil())).all())
        assert all(drawn[k] == k for k in range(5) if counts[k])
    assert resampled(torch.zeros(4), 0.3).tolist() == [0, 1, 2, 3]


def test_what_is_no_population_or_no_density_is_refused_in_a_sentence():
    for call, words in (
        (lambda: population(LINE, 4, 3, float("nan")), "weight"),
        (lambda: population(LINE, 4, 3, 2.0, labels=[1]), "1 labels for 4"),
        (lambda: population(gaussian(1.0), 4, 3, 2.0), "no classes"),
        (lambda: guidance.tilted_log_density(LINE, torch.zeros(1, 1), 2, 3.0), "2 classes"),
        (lambda: guidance.tilted_log_density(gaussian(1.0, 3), torch.zeros(1, 3), 0, 3.0), "one or two dimensions"),
    ):
        with pytest.raises(edm.Refused, match=words):
            call()
