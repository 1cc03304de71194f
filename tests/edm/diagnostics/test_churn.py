"""One step of Algorithm 2 in its parts, and cycles of noise (Appendix E) against their closed-form variance."""

import itertools
import math

import pytest
import torch

import edm
from edm import diagnostics
from edm.exact import GaussianMixture
from tests.problems import Counting, gaussian, latents, smooth_mixture

ROWS = [
    {"solver": "heun"},
    {"solver": "heun", "alpha": 0.5},
    {"solver": "euler"},
    {"schedule": "vp", "scaling": "vp", "discretization": "vp"},
    {"schedule": "ve", "discretization": "ve", "solver": "euler"},
]
CHURN = [{}, {"S_churn": 4, "S_noise": 1.007}, {"S_churn": 100, "S_tmin": 0.05, "S_tmax": 5}]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: "-".join(map(str, row.values())))
@pytest.mark.parametrize("churn", CHURN, ids=lambda churn: "-".join(map(str, churn.values())) or "ode")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_parts_end_at_the_samplers_next_state_bit_for_bit(row, churn, dtype):
    sampling = edm.Sampling(steps=6, seed=3, **row, **churn)
    z = latents(5, seed=3, dtype=dtype)
    states = list(edm.sample(smooth_mixture(), z, sampling, seeds=edm.seeds(3, 5)))
    for index in (0, 3, 5):
        for x in (None, states[index].x):
            moments = list(diagnostics.slow_motion(smooth_mixture(), z, sampling, index, x=x, seeds=edm.seeds(3, 5)))
            assert torch.equal(moments[0].x, states[index].x)
            assert torch.equal(moments[-1].x, states[index + 1].x)
            assert moments[-1].sigma == states[index + 1].sigma
            denoised = next(moment for moment in moments if moment.name == "denoised")
            assert torch.equal(denoised.x, states[index].denoised)


def names(moments):
    return [moment.name for moment in moments]


def test_the_moments_are_those_that_happen():
    def of(index, **options):
        return names(
            diagnostics.slow_motion(smooth_mixture(), latents(2), edm.Sampling(steps=5, **options), index, seeds=[0, 1])
        )

    assert of(1, S_churn=2) == ["start", "noise", "denoised", "euler", "corrected"]
    assert of(1) == ["start", "denoised", "euler", "corrected"]
    assert of(1, S_churn=2, S_tmax=0.01) == ["start", "denoised", "euler", "corrected"]
    assert of(1, S_churn=2, solver="euler") == ["start", "noise", "denoised", "euler"]
    assert of(4, S_churn=2) == ["start", "noise", "denoised", "euler"]


def test_each_part_says_what_algorithm_2_does():
    sampling = edm.Sampling(steps=10, S_churn=3, S_noise=1.01, seed=5)
    z, drawn = latents(3, seed=5), []
    source = edm.noise_source(edm.seeds(5, 3))

    def noise(i, x):
        drawn.append(source(i, x))
        return drawn[-1]

    start, noisy, denoised, euler, corrected = diagnostics.slow_motion(smooth_mixture(), z, sampling, 4, noise=noise)
    assert noisy.sigma == pytest.approx(1.3 * start.sigma)
    added = math.sqrt(noisy.sigma**2 - start.sigma**2) * 1.01 * drawn[4]
    torch.testing.assert_close(noisy.x, start.x + added)
    torch.testing.assert_close(noisy.denoised, smooth_mixture()(noisy.x, noisy.sigma))
    torch.testing.assert_close(noisy.slope, (noisy.x - noisy.denoised) / noisy.sigma)
    torch.testing.assert_close(denoised.x, noisy.x - noisy.sigma * noisy.slope)  # the tangent meets σ = 0 at D
    assert denoised.sigma == 0 and denoised.slope is None
    h = euler.sigma - noisy.sigma
    torch.testing.assert_close(euler.x, noisy.x + h * noisy.slope)
    assert torch.equal(euler.direction, noisy.slope)
    torch.testing.assert_close(corrected.direction, (noisy.slope + euler.slope) / 2)
    torch.testing.assert_close(corrected.x, noisy.x + h * corrected.direction)
    assert start.direction is None and noisy.direction is None


def test_with_a_scaling_the_tangent_still_meets_zero_where_the_states_say():
    """Every moment's x/s is y + σ·n: its denoised is D(x/s; σ)."""
    sampling = edm.Sampling(schedule="vp", scaling="vp", S_churn=3, steps=6)
    for moment in diagnostics.slow_motion(smooth_mixture(), latents(3), sampling, 2, seeds=edm.seeds(0, 3)):
        if moment.sigma > 0:
            expected = smooth_mixture()(moment.x / moment.scale, moment.sigma)
            torch.testing.assert_close(moment.denoised, expected)


def test_moments_are_computed_when_asked_for():
    denoiser = Counting(smooth_mixture())
    moments = diagnostics.slow_motion(denoiser, latents(2), edm.Sampling(S_churn=3), 0, x=80 * latents(2), seeds=[0, 1])
    calls = [denoiser.calls for _ in moments]
    assert calls == [1, 2, 2, 3, 4]


def test_slow_motion_on_images_with_labels():
    shape = (1, 4, 4)
    denoiser = GaussianMixture(torch.stack([torch.ones(shape), -torch.ones(shape)]), 0.1, labels=[0, 1])
    z = edm.latents(edm.seeds(0, 2), shape)
    *_, end = diagnostics.slow_motion(denoiser, z, edm.Sampling(steps=9, S_churn=1), 8, labels=[0, 1], seeds=[0, 1])
    assert end.x[0].mean() > 0.8 and end.x[1].mean() < -0.8


@pytest.mark.parametrize("index", [-1, 18])
def test_a_step_that_is_not_there_is_refused(index):
    with pytest.raises(ValueError, match=f"index = {index}: the 18 steps"):
        diagnostics.slow_motion(smooth_mixture(), latents(2), edm.Sampling(), index)


def test_a_state_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"\[3, 2\]"):
        diagnostics.slow_motion(smooth_mixture(), latents(2), edm.Sampling(), 0, x=latents(3))


C, SIGMA, DIM, COUNT = 0.7, 0.9, 500, 40
RAISED = math.sqrt(2) * SIGMA
SPREAD = 5 * math.sqrt(2 / (DIM * COUNT))  # five standard deviations of a measured variance, relative


def heun_gain(keep=1.0):
    """x is multiplied by this on Heun's step from σ̂ to σ, where D = keep·x·c²/(c² + σ²)."""
    first, second = ((1 - keep * C * C / (C * C + t * t)) / t for t in (RAISED, SIGMA))
    h = SIGMA - RAISED
    return 1 + h / 2 * (first + (1 + h * first) * second)


def settled(gain, S_noise=1.0):
    """The variance at which v = g²·(v + (σ̂² − σ²)·S_noise²)."""
    return gain**2 * (RAISED**2 - SIGMA**2) * S_noise**2 / (1 - gain**2)


def variance(denoiser, rounds=25, start=None, **options):
    """Of x after that many rounds, begun at p(x; σ) or at another variance; rounds forget as g^(2·rounds)."""
    z = latents(COUNT, dim=DIM, seed=1)
    x = z * math.sqrt(SIGMA**2 + C * C if start is None else start)
    *_, last = diagnostics.churn_cycles(denoiser, x, SIGMA, rounds, **options)
    return float(last.x.square().mean())


def less(keep):
    return lambda x, sigma, labels=None: keep * gaussian(C, DIM)(x, sigma)


def test_in_the_limit_of_exact_removal_the_distribution_stays():
    """Heun with 4 steps removes to 1e-4; from a wrong variance the cycles find the right one."""
    truth = SIGMA**2 + C * C
    for start in (None, 0.3 * truth):
        assert variance(gaussian(C, DIM), start=start, steps=4) == pytest.approx(truth, rel=SPREAD + 2e-3)


@pytest.mark.parametrize("keep", [1.0, 0.97])
def test_one_heun_step_a_round_settles_where_its_gain_says(keep):
    assert variance(less(keep)) == pytest.approx(settled(heun_gain(keep)), rel=SPREAD)


def test_a_denoiser_that_removes_too_much_loses_detail_and_a_little_more_noise_restores_it():
    """Appendix E. Ratios of variances under the same noise, which are exact up to a term of second order."""
    truth, plain = settled(heun_gain()), variance(gaussian(C, DIM))
    faded = settled(heun_gain(0.97))
    assert faded < 0.99 * truth
    assert variance(less(0.97)) / plain == pytest.approx(faded / truth, rel=1e-3)
    S_noise = math.sqrt(truth / faded)
    assert 1 < S_noise < 1.02
    assert variance(less(0.97), S_noise=S_noise) / plain == pytest.approx(1, rel=1e-3)


def test_rounds_report_the_state_and_its_denoised_image():
    x = latents(3)
    rounds = list(diagnostics.churn_cycles(smooth_mixture(), x, 0.5, 3, seed=2))
    assert [r.index for r in rounds] == [0, 1, 2, 3]
    assert torch.equal(rounds[0].x, x)
    for r in rounds:
        assert r.sigma == 0.5
        torch.testing.assert_close(r.denoised, smooth_mixture()(r.x, 0.5))


def test_one_round_is_one_step_of_algorithm_2():
    """At γ = √2 − 1 the sampler's own step from σ̂ down to σ, on the same noise."""
    x = latents(3)
    first = next(itertools.islice(diagnostics.churn_cycles(smooth_mixture(), x, 0.5, 1, seed=2), 1, None))
    noise = edm.noise_source(edm.seeds(2, 3))(1, x)
    raised = math.sqrt(2) * 0.5
    noisy = x + math.sqrt(raised**2 - 0.25) * noise
    settings = edm.Sampling(sigmas=(raised, 0.5))
    down = list(edm.sample(smooth_mixture(), noisy / raised, settings))[1].x
    torch.testing.assert_close(first.x, down, rtol=1e-12, atol=1e-12)


def test_a_samples_noise_is_its_own():
    x = latents(4)

    def end(x, **options):
        *_, last = diagnostics.churn_cycles(smooth_mixture(), x, 0.5, 4, **options)
        return last.x

    torch.testing.assert_close(end(x[:2]), end(x)[:2], rtol=1e-9, atol=1e-10)
    assert torch.equal(end(x, seed=1), end(x, seed=1))
    assert not torch.equal(end(x, seed=1), end(x, seed=2))


def test_a_model_with_discrete_levels_gets_those_nearest():
    seen = []

    class Discrete:
        def round_sigma(self, sigma):
            return torch.as_tensor(sigma).mul(4).round().div(4)

        def __call__(self, x, sigma, labels=None):
            seen.append(sigma)
            return smooth_mixture()(x, sigma)

    list(diagnostics.churn_cycles(Discrete(), latents(2), 1.1, 2))
    assert set(seen) == {1.0, 1.5}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"sigma": 0}, "sigma = 0"),
        ({"sigma": math.nan}, "sigma = nan"),
        ({"gamma": 0.5}, "gamma = 0.5"),
        ({"gamma": 0}, "gamma = 0"),
        ({"S_noise": -1}, "S_noise = -1"),
        ({"solver": "magic"}, "'magic'; there are euler"),
        ({"rounds": -1}, "rounds = -1"),
        ({"steps": 0}, "steps = 0"),
        ({"x": torch.zeros(2, 3)}, r"\[2, 3\]"),
        ({"x": torch.full((2, 2), math.nan)}, "NaN"),
    ],
)
def test_what_cannot_be_cycled_is_refused_at_once(options, words):
    with pytest.raises(ValueError, match=words):
        diagnostics.churn_cycles(smooth_mixture(), **{"x": torch.zeros(2, 2), "sigma": 1.0, "rounds": 1, **options})
