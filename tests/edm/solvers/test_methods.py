"""What the methods that came after the paper claim beside their order: what they work on, what they are the same as,
and what they do at the ends."""

import itertools
import math

import numpy as np
import pytest
import torch

import edm
from edm import schedules
from edm.preconditioning import PRECONDITIONINGS, Denoiser
from edm.solvers import SOLVERS
from edm.solvers.coefficients import lagrange, phi
from tests.problems import gaussian, latents, smooth_mixture, variance

SPACES = list(itertools.product(schedules.SCHEDULES, schedules.SCALINGS))
REMEMBERING = [name for name, solver in SOLVERS.items() if solver.remembers]


def states(count=4, denoiser=None, begin=None, **settings):
    sampling = edm.Sampling(**settings)
    z = None if begin else latents(count)
    return list(
        edm.sample(denoiser or smooth_mixture(), z, sampling, seeds=edm.seeds(sampling.seed, count), begin=begin)
    )


def unscaled(**settings):
    return [state.x / state.scale for state in states(**settings)]


@pytest.mark.parametrize("solver", [name for name, solver in SOLVERS.items() if solver.in_sigma])
@pytest.mark.parametrize("churn", [0, 4])
def test_schedule_and_scaling_do_not_touch_methods_in_sigma(solver, churn):
    plain = unscaled(solver=solver, steps=6, S_churn=churn)
    for schedule, scaling in SPACES:
        other = unscaled(solver=solver, steps=6, S_churn=churn, schedule=schedule, scaling=scaling)
        for one, two in zip(plain, other, strict=True):
            torch.testing.assert_close(one, two, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("solver", [name for name, solver in SOLVERS.items() if not solver.in_sigma])
def test_they_touch_methods_in_time(solver):
    place = {"schedule": "vp", "scaling": "vp"}
    assert not torch.allclose(unscaled(solver=solver, steps=6)[5], unscaled(solver=solver, steps=6, **place)[5])


SAME = [
    ({"solver": "lms", "order": 1}, {"solver": "euler"}),
    ({"solver": "ipndm", "order": 1}, {"solver": "euler"}),
    ({"solver": "deis", "order": 1}, {"solver": "euler"}),
    ({"solver": "ddim", "eta": 0}, {"solver": "euler"}),
    ({"solver": "euler_ancestral", "eta": 0}, {"solver": "euler"}),
    ({"solver": "ddim", "eta": 0.7}, {"solver": "euler_ancestral", "eta": 0.7}),
    ({"solver": "dpmpp_2m_sde", "eta": 0}, {"solver": "dpmpp_2m"}),
    ({"solver": "dpmpp_2m_sde", "eta": 0, "variant": "midpoint"}, {"solver": "dpmpp_2m"}),
    ({"solver": "dpmpp_2s_ancestral", "eta": 0}, {"solver": "dpmpp_2s"}),
    ({"solver": "dpmpp_sde", "eta": 0}, {"solver": "dpmpp_2s"}),
    ({"solver": "restart", "restart_rounds": 0}, {"solver": "heun"}),
    ({"solver": "unipc"}, {"solver": "unipc", "order": 2, "variant": "bh2"}),
    ({"solver": "dpmpp_3m"}, {"solver": "dpmpp_3m", "variant": "published"}),
]


@pytest.mark.parametrize(("one", "other"), SAME, ids=str)
def test_names_for_the_same_give_the_same(one, other):
    for a, b in zip(states(steps=9, **one), states(steps=9, **other), strict=True):
        torch.testing.assert_close(a.x, b.x, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize(("schedule", "scaling"), SPACES)
def test_lms_of_one_slope_is_euler_in_any_coordinates_down_to_the_last_level(schedule, scaling):
    place = {"schedule": schedule, "scaling": scaling, "steps": 7}
    lms, euler = states(solver="lms", order=1, **place), states(solver="euler", **place)
    for a, b in zip(lms[:-1], euler[:-1], strict=True):
        torch.testing.assert_close(a.x, b.x, rtol=1e-12, atol=1e-12)


def test_on_equal_steps_lms_has_the_weights_of_ipndm():
    for order in (2, 3, 4):
        equal = {"sigmas": tuple(range(12, 0, -1)), "order": order}
        for a, b in zip(states(solver="lms", **equal), states(solver="ipndm", **equal), strict=True):
            torch.testing.assert_close(a.x, b.x, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("solver", [name for name in SOLVERS if name not in ("euler", "heun", "restart")])
@pytest.mark.parametrize(("schedule", "scaling"), [("linear", "none"), ("ve", "none"), ("vp", "vp")])
def test_the_last_step_gives_d(solver, schedule, scaling):
    end = states(solver=solver, steps=5, schedule=schedule, scaling=scaling)
    torch.testing.assert_close(end[-1].x, end[-2].denoised, rtol=1e-12, atol=0)


@pytest.mark.parametrize("solver", REMEMBERING)
def test_a_run_that_begins_in_the_middle_begins_with_nothing_to_remember(solver):
    """As where a particle is dragged: the first step there is of order 1."""
    still = {"solver": solver, "steps": 6, **SOLVERS[solver].quiet}
    x = states(**still)[3].x
    begun, euler = states(begin=(3, x), **still), states(begin=(3, x), solver="euler", steps=6)
    torch.testing.assert_close(begun[1].x, euler[1].x, rtol=1e-12, atol=1e-12)
    assert not torch.allclose(begun[1].x, states(**still)[4].x, rtol=1e-6)


@pytest.mark.parametrize("solver", REMEMBERING)
def test_a_step_with_churns_noise_begins_anew_and_says_so(solver):
    """Extrapolated, the noise would be multiplied: with S_churn = 40 and N = 64 the variance of LMS grew to 10⁷."""
    window = {"steps": 8, "S_churn": 4, "S_tmin": 1, "S_tmax": 10, **SOLVERS[solver].quiet}
    mine, euler = states(solver=solver, **window), states(solver="euler", **window)
    path = edm.path_of(edm.Sampling(solver=solver, **window))
    first = next(i for i, gamma in enumerate(path.gammas) if gamma)
    begun = states(solver="euler", begin=(first, mine[first].x), **window)
    torch.testing.assert_close(mine[first + 1].x, begun[1].x, rtol=1e-11, atol=1e-12)
    assert "A step with fresh noise is Euler's" in " ".join(path.notes)
    assert not torch.allclose(mine[-2].x, euler[-2].x, rtol=1e-6)  # outside of the window it remembers
    assert 0 < variance(edm.Sampling(solver=solver, steps=64, S_churn=40, eta=0), given=False) < 1


def test_d_of_a_unipc_state_is_that_of_its_x():
    """The state is the predicted one, which the next step corrects with this D."""
    for state in states(solver="unipc", order=3, steps=8)[:-1]:
        torch.testing.assert_close(state.denoised, smooth_mixture()(state.x, state.sigma), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("solver", [name for name, solver in SOLVERS.items() if "lower_order_final" in solver.knobs])
def test_with_a_lower_order_at_the_end_the_step_to_the_last_level_is_eulers(solver):
    usual, lowered = (states(solver=solver, steps=7, lower_order_final=low) for low in (False, True))
    assert torch.equal(usual[3].x, lowered[3].x)
    begin = (5, lowered[5].x)
    euler = states(begin=begin, solver="euler", steps=7)[1].x
    if solver != "unipc":  # which corrects first
        torch.testing.assert_close(lowered[6].x, euler, rtol=1e-12, atol=1e-12)
    assert not torch.equal(usual[6].x, lowered[6].x)


@pytest.mark.parametrize("order", [1, 2, 3, 4, None])
@pytest.mark.parametrize("solver", SOLVERS)
def test_levels_that_merge_or_almost_do_give_numbers(solver, order):
    """iDDPM's discrete levels under churn, and levels by hand that are closer than 10⁻⁴ of one another."""
    iddpm = Denoiser(lambda x, c_noise: torch.cat([x, x], 1), PRECONDITIONINGS["iddpm"](), (2,))
    merged = {"steps": 60, "sigma_min": 1, "sigma_max": 1.2, "S_churn": 5}
    close = {"sigmas": (5, 5 - 1e-5, 5 - 2e-5, 4, 1, 1 - 1e-9, 1 - 2e-9, 0.5)}
    for denoiser, levels in ((iddpm, merged), (None, close)):
        end = states(denoiser=denoiser, solver=solver, order=order, **levels)[-1].x
        assert end.isfinite().all() and end.abs().max() < 10


STOCHASTIC = [
    ({"solver": "euler_ancestral"}, 1), ({"solver": "ddim", "eta": 0.5}, 1), ({"solver": "dpmpp_2s_ancestral"}, 2),
    ({"solver": "dpmpp_sde"}, 2), ({"solver": "dpmpp_2m_sde"}, 2), ({"solver": "dpmpp_2m_sde", "variant": "heun"}, 2),
    ({"solver": "dpmpp_2m_sde", "eta": 0.5}, 2), ({"solver": "dpmpp_3m_sde"}, 2),
]  # fmt: skip


@pytest.mark.parametrize(("settings", "order"), STOCHASTIC, ids=str)
def test_weak_order_of_the_variance_on_a_gaussian(settings, order):
    """With data whose standard deviation is far from σ_data, so that a network's zeros could not hide it."""
    coarse, fine = (abs(variance(edm.Sampling(steps=n, **settings), given=False) - 1) for n in (64, 128))
    assert math.log2(coarse / fine) == pytest.approx(order, abs=0.2)
    assert fine < (0.1 if order == 1 else 0.01)


@pytest.mark.parametrize(("settings", "order"), [*STOCHASTIC, ({"solver": "restart"}, 2)], ids=str)
def test_the_mean_converges_too(settings, order):
    """From latents of 0 and without its noise a linear sampler gives the mean, which begins at 0 and not at 3."""

    def mean(steps):
        sampling, z = edm.Sampling(steps=steps, sigma_min=0.02, **settings), torch.zeros(1, 1, dtype=torch.float64)
        return float(edm.last(edm.sample(gaussian(1.3, mean=3.0), z, sampling, noise=lambda k, x: x * 0)).x)

    errors = [abs(mean(n) - mean(512)) for n in (32, 64)]
    assert errors[1] < errors[0] / 1.8 ** min(order, 2) or errors[1] < 1e-4


def test_the_two_draws_of_dpmpp_sde_are_of_one_path_unless_a_source_is_given():
    """Independent draws are another process, whose variance is of first order only."""
    together, apart = (abs(variance(edm.Sampling(solver="dpmpp_sde", steps=128), given=g) - 1) for g in (False, True))
    assert together < 0.01 < 0.05 < apart
    z, own = latents(3), edm.seeds(4, 3)
    sampling = edm.Sampling(solver="dpmpp_sde", steps=4, seed=4)
    ours = edm.last(edm.sample(smooth_mixture(), z, sampling, seeds=own)).x
    raw = edm.last(edm.sample(smooth_mixture(), z, sampling, noise=edm.noise_source(own))).x
    assert not torch.allclose(ours, raw)


@pytest.mark.parametrize(("steps", "rounds", "down"), [(1, 3, 2), (2, 1, 1), (18, 2, 2), (9, 0, 4), (9, 3, 5)])
def test_restart_costs_what_it_says(steps, rounds, down):
    sampling = edm.Sampling(solver="restart", steps=steps, restart_rounds=rounds, restart_steps=down)
    end = edm.last(edm.sample(smooth_mixture(), latents(2), sampling, seeds=[1, 2]))
    wanted = 2 * steps - 1 + (rounds * 2 * down if steps > 1 else 0)
    assert end.evaluations == edm.path_of(sampling).evaluations == wanted
    assert edm.diagnostics.steps_for(sampling, wanted) == steps
    if (steps, rounds, down) == (18, 2, 2):
        assert end.evaluations == 43 == SOLVERS["restart"].evaluations(18)  # the published setting's


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"solver": "unipc", "variant": "heun"}, "variant = 'heun'.*'bh2', 'bh1'.*'unipc'"),
        ({"solver": "unipc", "variant": "bh3"}, "variant = 'bh3'"),
        ({"solver": "lms", "order": 5}, "order = 5.*at most 4"),
        ({"solver": "restart", "restart_min": 2, "restart_max": 1}, "restart_min = 2.*below restart_max, here 1"),
        ({"eta": -1}, "eta = -1"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(settings, words):
    with pytest.raises(edm.SettingsError, match=words):
        edm.Sampling(**settings)


@pytest.mark.parametrize("z", [-30, -3, -1.001, -0.999, -1e-3, -1e-9, 0, 1e-6, 0.5, 1.1, 20])
def test_phi_is_its_integral(z):
    nodes, weights = np.polynomial.legendre.leggauss(60)
    tau, weights = (nodes + 1) / 2, weights / 2
    for k in range(5):
        integral = float((weights * np.exp((1 - tau) * z) * tau**k).sum()) / math.factorial(k)
        assert phi(k + 1, z) == pytest.approx(integral, rel=1e-11)


def test_weights_of_a_polynomial_through_nodes_integrate_polynomials_exactly():
    nodes = [0.0, -0.3, -1.7, -1.9]
    weights = lagrange(nodes, [1 / (k + 1) for k in range(4)])
    for k in range(4):
        assert sum(w * node**k for w, node in zip(weights, nodes, strict=True)) == pytest.approx(1 / (k + 1))
