"""Levels that are found: nearer than the settings' own, elsewhere too; the least sum of steps really is the least."""

import itertools

import numpy as np
import pytest
import torch

import edm
from edm import diagnostics
from edm.diagnostics.optimizing import cheapest
from edm.sampling.path import path_of
from tests.problems import Counting, gaussian

FLOW = {"discretization": "flow", "schedule": "flow", "scaling": "flow"}


def found(name="two_moons", count=32, **options):
    denoiser = edm.data.load(name).denoiser
    z, others = (edm.latents(edm.seeds(seed, count), denoiser.shape, dtype=torch.float64) for seed in (0, 1))
    return diagnostics.optimized(denoiser, edm.Sampling(**options), z, others=others), denoiser, others


def test_six_evaluations_come_as_near_as_heuns_thirty_five():
    """Paper's settings for 35 evaluations on the left, found levels in flow's time for 6 on the right."""
    best, denoiser, others = found(solver="unipc", order=2, steps=6, **FLOW)
    assert best.elsewhere < diagnostics.sampling_error(denoiser, others, edm.Sampling(steps=18))
    assert best.elsewhere < 0.5 * best.before
    assert len(best.sigmas) == 6 and best.sigmas[0] == 80
    levels = path_of(best.sampling, denoiser).sigmas
    assert levels == (*best.sigmas, 0.0)
    assert best.elsewhere == pytest.approx(diagnostics.sampling_error(denoiser, others, best.sampling), rel=0.02)


@pytest.mark.parametrize("solver", ["euler", "heun", "dpmpp_2m"])
def test_found_levels_are_better_than_the_papers_for_any_solver(solver):
    best, *_ = found(solver=solver, steps=5)
    assert best.elsewhere < best.before and best.error < best.before


def test_what_euler_misses_on_a_gaussian_is_made_as_small_as_by_even_angles():
    """The best there is, by the closed form: Π cos Δα of the exact gain, for steps down to σ_min."""
    denoiser, z = gaussian(0.5), edm.latents(edm.seeds(0, 16), (1,), dtype=torch.float64)
    settings = edm.Sampling(solver="euler", discretization="arctan", sigma_mid=0.5, steps=6)
    best = diagnostics.optimized(denoiser, settings, z, others=-z)
    assert best.elsewhere <= best.before * 1.001
    worse = diagnostics.optimized(denoiser, settings.changed(discretization="edm"), z, others=-z)
    assert worse.elsewhere == pytest.approx(best.elsewhere, rel=0.05)


def test_the_least_sum_is_the_least_of_all_ways():
    cost = np.full((7, 7), np.inf)
    cost[np.triu_indices(7, 1)] = np.random.default_rng(0).uniform(1, 2, 21)
    for steps in (1, 3, 6):
        ways = [(0, *inner, 6) for inner in itertools.combinations(range(1, 6), steps - 1)]
        sums = [sum(cost[pair] for pair in itertools.pairwise(way)) for way in ways]
        assert cheapest(cost, steps) == list(ways[int(np.argmin(sums))][:-1])


def test_it_says_how_far_it_is_and_can_be_ended():
    told = []

    def progress(share, best):
        told.append((share, best))
        if share > 0.5:
            raise KeyboardInterrupt

    denoiser = Counting(edm.data.load("two_moons").denoiser)
    z = edm.latents(edm.seeds(0, 4), (2,), dtype=torch.float64)
    with pytest.raises(KeyboardInterrupt):
        diagnostics.optimized(denoiser, edm.Sampling(solver="euler", steps=4), z, others=z, progress=progress)
    shares = [share for share, _ in told]
    assert shares == sorted(shares) and shares[0] < 0.1 and len(told[-1][1]) == 4


def test_what_has_no_best_levels_is_refused():
    denoiser = edm.data.load("two_moons").denoiser
    for options, words in (({"S_churn": 5}, "S_churn"), ({"steps": 1}, "steps = 1"), ({"solver": "ddim"}, "ddim")):
        with pytest.raises(ValueError, match=words):
            diagnostics.optimized(denoiser, edm.Sampling(**options))
    with pytest.raises(ValueError, match="latents"):
        diagnostics.optimized(lambda x, sigma, labels=None: x, edm.Sampling())
