"""What a solver's entry can be: one that remembers, and one that draws noise itself, added while the program runs."""

import math
from dataclasses import replace

import pytest
import torch

import edm
from edm import diagnostics
from edm.sampling.loop import Ode, Run
from edm.solvers import SOLVERS
from edm.solvers.solver import Solver, never
from tests.problems import Counting, gaussian, latents, smooth_mixture


def two_m(path, sampling):
    """DPM-Solver++(2M) on x/s: λ = −ln σ, D̃ = D + (D − D₋₁)/(2r), r = h₋₁/h; σ⁺/σ·x + (1 − σ⁺/σ)·D̃."""
    weights = [0.0]  # of D − D₋₁ at each step, from the levels alone
    for i in range(1, path.steps - 1):
        before, now, after = (-math.log(sigma) for sigma in path.sigmas[i - 1 : i + 2])
        weights.append((after - now) / (2 * (now - before)))
    previous = None

    def step(ode, now, draw):
        nonlocal previous
        i, last = now.index, previous
        previous = now.denoised
        ratio = path.sigmas[i + 1] / path.sigmas[i]
        denoised = now.denoised
        if last is not None and ratio > 0:
            denoised = denoised + weights[i] * (denoised - last)
        return path.scale(i + 1) * (ratio * now.x / path.scale(i) + (1 - ratio) * denoised)

    return step


def ancestral(path, sampling):
    """Euler to σ_dn, then fresh noise up to σ⁺; on σ(t) = t, s = 1."""

    def step(ode, now, draw):
        up = min(now.sigma_next, now.sigma_next / now.sigma * math.sqrt(now.sigma**2 - now.sigma_next**2))
        x = now.x + now.slope * (math.sqrt(now.sigma_next**2 - up**2) - now.sigma)
        return x + up * draw(x) if up else x

    return step


def steps(count):
    return count


@pytest.fixture(autouse=True)
def newcomers(monkeypatch):
    entries = (
        Solver("two_m", "2M", "multistep", 2, steps, (), never, two_m),
        Solver("ancestral", "Ancestral", "ancestral", 1, steps, (), lambda sampling: 1, ancestral),
    )
    for entry in entries:
        monkeypatch.setitem(SOLVERS, entry.name, entry)


PLACES = [("linear", "none"), ("vp", "vp"), ("ve", "none"), ("linear", "vp")]


@pytest.mark.parametrize(("schedule", "scaling"), PLACES)
def test_a_solver_with_memory_converges_at_its_order_on_any_schedule(schedule, scaling):
    sampling = edm.Sampling(solver="two_m", schedule=schedule, scaling=scaling, sigma_min=0.02)
    points = list(diagnostics.convergence(smooth_mixture(), latents(16), sampling, [48, 64, 96, 128]))
    assert diagnostics.fitted_order(points).order == pytest.approx(2, abs=0.2)
    assert [point.evaluations for point in points] == [48, 64, 96, 128]


def test_its_first_step_and_its_last_are_eulers():
    z = latents(4)
    for settings in ({"steps": 1}, {"sigmas": (3.0, 0.5)}):
        euler, two = (
            edm.last(edm.sample(smooth_mixture(), z, edm.Sampling(solver=name, **settings))).x
            for name in ("euler", "two_m")
        )
        torch.testing.assert_close(two, euler, rtol=1e-12, atol=1e-12)


def test_what_a_run_remembers_no_other_run_sees():
    def run(seed):
        return edm.sample(smooth_mixture(), latents(3, seed=seed), edm.Sampling(solver="two_m", steps=7))

    alone = [edm.last(run(seed)).x for seed in (0, 1)]
    together = [states[-1] for states in zip(*zip(run(0), run(1), strict=True), strict=True)]
    for state, x in zip(together, alone, strict=True):
        assert torch.equal(state.x, x)
    half = run(0)
    next(half), next(half)
    half.close()
    assert torch.equal(edm.last(run(0)).x, alone[0])


def test_a_run_that_begins_in_the_middle_remembers_nothing():
    sampling = edm.Sampling(solver="two_m", steps=6)
    states = list(edm.sample(smooth_mixture(), latents(3), sampling))
    begun = list(edm.sample(smooth_mixture(), None, sampling, begin=(2, states[2].x)))
    euler = list(edm.sample(smooth_mixture(), None, sampling.changed(solver="euler"), begin=(2, states[2].x)))
    torch.testing.assert_close(begun[1].x, euler[1].x, rtol=1e-12, atol=1e-12)
    assert not torch.allclose(begun[1].x, states[3].x)


@pytest.mark.parametrize("index", [0, 3, 5])
@pytest.mark.parametrize("churn", [0, 2])
def test_slow_motion_of_a_solver_with_memory_is_the_samplers_own_step(index, churn):
    sampling, z = edm.Sampling(solver="two_m", steps=6, S_churn=churn), latents(3)
    states = list(edm.sample(smooth_mixture(), z, sampling, seeds=[0, 1, 2]))
    moments = list(diagnostics.slow_motion(smooth_mixture(), z, sampling, index, seeds=[0, 1, 2]))
    assert torch.equal(moments[0].x, states[index].x) and torch.equal(moments[-1].x, states[index + 1].x)
    assert [moment.name for moment in moments][-2:] == ["denoised", "euler"]


def test_the_local_error_of_a_second_order_multistep_method_is_of_third_order():
    def worst(steps):
        sampling = edm.Sampling(solver="two_m", steps=steps, sigma_max=2, sigma_min=0.5, rho=1)
        parts = list(diagnostics.truncation_error(smooth_mixture(), latents(16), sampling))
        return max(float(part.error.max()) for part in parts[2:-1])

    assert math.log2(worst(41) / worst(81)) == pytest.approx(3, abs=0.3)


def test_a_solver_that_draws_noise_needs_to_know_whose():
    sampling = edm.Sampling(solver="ancestral", steps=5)
    assert sampling.stochastic and edm.path_of(sampling).stochastic
    with pytest.raises(edm.Refused, match="solver = 'ancestral' adds noise"):
        edm.sample(smooth_mixture(), latents(2), sampling)
    for measured in (diagnostics.sampling_error, diagnostics.truncation_error):
        with pytest.raises(edm.Refused, match="solver = 'ancestral': a stochastic"):
            measured(smooth_mixture(), latents(2), sampling)
    with pytest.raises(edm.Refused, match="lane 'a' has ancestral: a stochastic"):
        next(diagnostics.race({"a": (smooth_mixture(), sampling)}, latents(2)))


def test_its_noise_is_the_samples_own_from_any_level_and_in_any_batch():
    sampling, z, seeds = edm.Sampling(solver="ancestral", steps=6, S_churn=2), latents(4), edm.seeds(0, 4)
    states = list(edm.sample(smooth_mixture(), z, sampling, seeds=seeds))
    begun = list(edm.sample(smooth_mixture(), None, sampling, seeds=seeds, begin=(3, states[3].x)))
    assert all(torch.equal(a.x, b.x) for a, b in zip(begun, states[3:], strict=True))
    alone = edm.last(edm.sample(smooth_mixture(), z[2:3], sampling, seeds=seeds[2:3])).x
    torch.testing.assert_close(alone, states[-1].x[2:3], rtol=1e-9, atol=1e-10)
    *_, end = diagnostics.slow_motion(smooth_mixture(), z, sampling, 3, seeds=seeds)
    assert torch.equal(end.x, states[4].x)


def test_its_samples_have_the_variance_of_the_data():
    c, count = 1.3, 4000
    z = edm.latents(edm.seeds(0, count), (1,), dtype=torch.float64)
    sampling = edm.Sampling(solver="ancestral", steps=256)
    x = edm.last(edm.sample(gaussian(c), z, sampling, seeds=edm.seeds(0, count))).x
    assert float(x.var()) / c**2 == pytest.approx(1, abs=0.1)


def test_noise_that_is_not_declared_is_a_defect(monkeypatch):
    monkeypatch.setitem(SOLVERS, "sly", replace(SOLVERS["ancestral"], name="sly", draws=never))
    with pytest.raises(RuntimeError, match="says that it does not"):
        edm.last(edm.sample(smooth_mixture(), latents(2), edm.Sampling(solver="sly"), seeds=[0, 1]))


def test_a_run_can_be_taken_step_by_step_with_states_of_ones_own():
    """As an editor of states would, such as one that puts back known pixels at every level."""
    sampling, denoiser = edm.Sampling(steps=5), Counting(smooth_mixture())
    path = edm.path_of(sampling, denoiser)
    run, x = Run(Ode(denoiser, path), path), path.begun(latents(3))
    for i in range(path.steps):
        now = run.begin(i, x)
        assert now.sigma == path.sigmas[i] and torch.equal(now.x, x)
        x = run.step(now)
    assert torch.equal(x, edm.last(edm.sample(smooth_mixture(), latents(3), sampling)).x)
    assert denoiser.calls == 9
