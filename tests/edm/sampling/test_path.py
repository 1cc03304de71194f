"""What settings mean for a denoiser: the levels, times and noise that are shown are those that were used."""

from itertools import pairwise, product

import pytest
import torch

import edm
from edm import models
from edm.preconditioning import PRECONDITIONINGS, Denoiser
from tests.problems import latents, smooth_mixture

DESIGNS = [
    {"discretization": "edm"},
    {"discretization": "vp", "schedule": "vp", "scaling": "vp", "solver": "euler"},
    {"discretization": "ve", "schedule": "ve", "solver": "euler"},
    {"discretization": "iddpm"},
]


class Asked:
    """A denoiser with the range and the levels of a preconditioning; it notes the σ that it is asked for."""

    def __init__(self, name, **changed):
        p = PRECONDITIONINGS[name]()
        self.sigma_min, self.sigma_max, self.round_sigma = p.sigma_min, p.sigma_max, p.round_sigma
        self.__dict__ |= changed
        self.sigmas = []

    def __call__(self, x, sigma):
        self.sigmas.append(float(sigma))
        return 0.5 * x / (1 + float(sigma) ** 2)


@pytest.mark.parametrize("name", PRECONDITIONINGS)
@pytest.mark.parametrize("design", DESIGNS, ids=lambda design: design["discretization"])
def test_a_denoiser_is_asked_for_the_levels_of_the_path_and_for_no_others(name, design):
    asked, sampling = Asked(name), edm.Sampling(steps=12, **design)
    path = edm.path_of(sampling, asked)
    states = list(edm.sample(asked, latents(2), sampling))
    assert [state.sigma for state in states] == pytest.approx(path.sigmas, rel=1e-9)
    assert [state.t for state in states] == list(path.times)
    low, high = asked.sigma_min * (1 - 1e-9), asked.sigma_max * (1 + 1e-9)
    assert all(low <= sigma <= high for sigma in asked.sigmas)
    if name == "iddpm" and sampling.solver == "euler":
        known = [float(asked.round_sigma(torch.tensor(sigma).double())) for sigma in asked.sigmas]
        assert asked.sigmas == pytest.approx(known, rel=1e-9)


@pytest.mark.parametrize(("name", "ends"), [("digits_ve", (80, 0.02)), ("digits_edm", (80, 0.002))])
def test_a_model_that_ships_is_asked_within_its_range(name, ends):
    path = edm.path_of(edm.Sampling(), models.load(name).denoiser)
    assert (path.sigmas[0], path.sigmas[-2]) == pytest.approx(ends)


def test_gamma_and_the_raised_times_are_those_of_algorithm_2():
    sampling = edm.Sampling(steps=10, S_churn=3, S_tmin=0.05, S_tmax=20, schedule="vp", scaling="vp")
    path = edm.path_of(sampling)
    for sigma, gamma, t_hat in zip(path.sigmas[:-1], path.gammas, path.hats, strict=True):
        assert gamma == (0.3 if 0.05 <= sigma <= 20 else 0)
        assert path.schedule.sigma(t_hat) == pytest.approx((1 + gamma) * sigma, rel=1e-9)


@pytest.mark.parametrize("range", [{"sigma_min": 1e-4, "sigma_max": 1e-3}, {"sigma_min": 30_000, "sigma_max": 50_000}])
@pytest.mark.parametrize("discretization", ["vp", "ve", "edm"])
@pytest.mark.parametrize("steps", [1, 18])
def test_a_range_that_a_model_does_not_know_is_refused_with_the_one_it_knows(range, discretization, steps):
    sampling = edm.Sampling(discretization=discretization, steps=steps, **range)
    with pytest.raises(edm.Refused, match=r"knows noise levels from 0\.00\d+ to \d+"):
        edm.sample(Asked("iddpm"), latents(2), sampling)


@pytest.mark.parametrize(("low", "high", "steps"), [(1, 1.2, 64), (0.0001, 81, 1000), (3, 3.001, 9)])
def test_levels_that_a_model_cannot_tell_apart_are_one_step(low, high, steps):
    asked = Asked("iddpm")
    sampling = edm.Sampling(sigma_min=low, sigma_max=high, steps=steps)
    states = list(edm.sample(asked, latents(2), sampling))
    levels = [state.sigma for state in states]
    assert all(a > b for a, b in pairwise(levels)) and len(levels) <= steps
    assert states[-1].evaluations == len(asked.sigmas) == 2 * (len(levels) - 1) - 1
    assert f"Of {steps} steps {len(levels) - 1} are taken" in " ".join(edm.path_of(sampling, asked).notes)


def test_levels_below_all_that_a_denoiser_of_ones_own_knows_are_refused():
    asked = Asked("iddpm", sigma_min=0.0)
    with pytest.raises(edm.Refused, match="nearer to 0"):
        edm.sample(asked, latents(2), edm.Sampling(sigmas=[1, 1e-5]))


def test_a_list_made_by_hand_is_used_or_refused_but_never_left_for_a_range():
    for bad in ([80, 1, 0.002], [120, 1, 0.02]):
        with pytest.raises(edm.Refused, match=r"sigmas\[\d\] = .* from 0.02 to 100"):
            edm.sample(Asked("ve"), latents(2), edm.Sampling(sigmas=bad))
    given = (99.5, 3.0, 0.021)
    assert edm.path_of(edm.Sampling(sigmas=given), Asked("ve")).sigmas == (*given, 0.0)


@pytest.mark.parametrize("name", ["vp", "ve", "iddpm"])
def test_levels_that_are_written_with_six_digits_may_be_given_back(name):
    """As the page does when one of its ticks is moved: the ends are off the model's bounds by rounding."""
    shown = edm.path_of(edm.Sampling(sigma_min=1e-6, sigma_max=1e5), Asked(name)).sigmas[:-1]
    again = edm.path_of(edm.Sampling(sigmas=[float(f"{sigma:.6g}") for sigma in shown]), Asked(name))
    assert again.sigmas[:-1] == pytest.approx(shown, rel=1e-5)


@pytest.mark.parametrize("design", DESIGNS, ids=lambda design: design["discretization"])
@pytest.mark.parametrize("churn", [{}, {"S_churn": 20}, {"S_churn": 9, "S_tmin": 0.1, "S_tmax": 5}], ids=str)
def test_a_run_that_begins_at_any_of_its_states_goes_the_same_way(design, churn):
    sampling, own = edm.Sampling(steps=7, seed=3, **design, **churn), edm.seeds(3, 4)
    states = list(edm.sample(smooth_mixture(), latents(4, seed=3), sampling, seeds=own))
    for i, rows in product((0, 3, 6), (slice(0, 4), slice(2, 3))):
        begin = i, states[i].x[rows]
        rest = list(edm.sample(smooth_mixture(), None, sampling, seeds=own[rows], begin=begin))
        assert [state.index for state in rest] == list(range(i, 8))
        for state, before in zip(rest, states[i:], strict=True):
            torch.testing.assert_close(state.x, before.x[rows], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("index", [-1, 7, 2.0, True, None])
def test_a_run_begins_at_one_of_its_levels(index):
    with pytest.raises(edm.Refused, match="counted from 0"):
        edm.sample(smooth_mixture(), None, edm.Sampling(steps=7), begin=(index, latents(2)))


def test_sample_k_depends_on_the_seed_and_k_alone_whatever_the_batch():
    model, sampling = models.load("digits_edm"), edm.Sampling(steps=4, S_churn=4, seed=5)
    labels = [k % 10 for k in range(16)]

    def drawn(start, count):
        own = edm.seeds(sampling.seed, count, start)
        z = edm.latents(own, model.shape)
        return edm.last(edm.sample(model.denoiser, z, sampling, labels[start : start + count], seeds=own)).x

    parts = torch.cat([drawn(start, min(7, 16 - start)) for start in range(0, 16, 7)])
    torch.testing.assert_close(parts, drawn(0, 16), rtol=0, atol=2e-4)  # float32; another sample's noise makes 1


def test_noise_that_nobody_knows_is_refused_and_the_sentence_says_how():
    churn = edm.Sampling(S_churn=5)
    with pytest.raises(edm.Refused, match=r"seeds=edm\.seeds\(sampling\.seed, 3\)"):
        edm.sample(smooth_mixture(), latents(3), churn)
    with pytest.raises(edm.Refused, match="one of the two"):
        edm.sample(smooth_mixture(), latents(3), churn, noise=edm.noise_source([1, 2, 3]), seeds=[1, 2, 3])
    with pytest.raises(edm.Refused, match="2 seeds for 3 samples"):
        edm.sample(smooth_mixture(), latents(3), churn, seeds=[1, 2])
    with pytest.raises(edm.Refused, match="one for each sample"):
        edm.sample(smooth_mixture(), latents(3), churn, seeds=3)
    unneeded = edm.Sampling(S_churn=5, S_tmin=1e4)
    assert edm.last(edm.sample(smooth_mixture(), latents(3), unneeded)).x.shape == (3, 2)
    assert "no fresh noise" in " ".join(edm.path_of(unneeded).notes)


def test_a_window_of_churn_that_is_upside_down_is_refused():
    with pytest.raises(edm.Refused, match=r"S_tmin = 2.*at most S_tmax, here 1"):
        edm.Sampling(S_churn=10, S_tmin=2, S_tmax=1)


@pytest.mark.parametrize("churn", [0, 20])
@pytest.mark.parametrize(
    "options",
    [{"sigma_max": 1e5}, {"schedule": "ve", "sigma_max": 300}, {"schedule": "ve", "sigma_min": 1e-3}],
    ids=str,
)
def test_numbers_that_cannot_hold_the_states_are_refused(churn, options):
    z = latents(3).half()
    with pytest.raises(edm.Refused, match=r"float16 hold numbers up to 65504.*use float32"):
        edm.sample(smooth_mixture(), z, edm.Sampling(S_churn=churn, **options), seeds=edm.seeds(0, 3))


def test_numbers_of_half_precision_that_can_hold_the_states_are_taken():
    for dtype in (torch.float16, torch.bfloat16):
        z = latents(64).to(dtype)
        end = edm.last(edm.sample(smooth_mixture(), z, edm.Sampling(S_churn=5), seeds=edm.seeds(0, 64))).x
        assert end.dtype == dtype and end.isfinite().all()


def test_a_network_of_ones_own_with_any_preconditioning_is_sampled():
    for name, make in PRECONDITIONINGS.items():
        denoiser = Denoiser(lambda x, c_noise: torch.zeros_like(x), make())
        end = edm.last(edm.sample(denoiser, latents(3), edm.Sampling(S_churn=3), seeds=[0, 1, 2])).x
        assert end.isfinite().all(), name
