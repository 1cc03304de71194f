"""Races at equal evaluations, walks along Table 1, and the rows in which samplers differ."""

import math
from itertools import pairwise

import pytest
import torch

import edm
from edm import diagnostics, presets, solvers, timesteps
from edm.diagnostics import Lane, differing_rows, race, steps_for, walk, with_evaluations
from tests.problems import Counting, gaussian, latents

DESIGNS = {name: presets.load(f"designs/{name}").sampling for name in ("vp", "ve", "iddpm", "edm")}


@pytest.mark.parametrize("solver", solvers.SOLVERS)
def test_n_is_the_largest_that_the_evaluations_pay_for(solver):
    sampling, cost = edm.Sampling(solver=solver), solvers.SOLVERS[solver].evaluations
    for evaluations in (*range(1, 60), 199, 200):
        steps = steps_for(sampling, evaluations)
        assert cost(steps) <= evaluations < cost(steps + 1)


def test_n_by_the_paper():
    assert [steps_for(edm.Sampling(), n) for n in (1, 2, 3, 34, 35, 36)] == [1, 1, 2, 17, 18, 18]
    assert [steps_for(edm.Sampling(solver="euler"), n) for n in (1, 2, 35)] == [1, 2, 35]
    assert steps_for(edm.Sampling(solver="euler"), 10**9) == 1000
    narrow = edm.Sampling(solver="euler", discretization="iddpm", steps=2, sigma_min=0.5, sigma_max=1)
    assert steps_for(narrow, 900) == len(timesteps.iddpm_available(0.5, 1)) < 900
    assert with_evaluations(narrow, 900).steps == steps_for(narrow, 900)
    assert steps_for(edm.Sampling(sigmas=(5, 1)), 100) == 2
    with pytest.raises(edm.SettingsError, match="at least 1"):
        steps_for(edm.Sampling(), 0)


def test_eulers_race_is_the_closed_form():
    """For N(0, c²) an Euler step multiplies x by (σ'·σ + c²)/(σ² + c²); the solution is x₀·c/√(σ₀² + c²)."""
    c, z = 0.7, latents(6, dim=1)
    euler = edm.Sampling(solver="euler")
    for point in race({"euler": (gaussian(c), euler)}, z, (1, 4, 16)):
        levels = timesteps.sigmas(euler.changed(steps=point.steps)).tolist()
        x = 80 * z
        for sigma, after in pairwise(levels):
            x = x * (after * sigma + c**2) / (sigma**2 + c**2)
        wanted = diagnostics.rms_error(x, 80 * z * c / math.hypot(80, c))
        assert point.value == pytest.approx(wanted, abs=5e-4 * c)  # the solution's own error, see its test
        assert math.isnan(point.low) and point.values == (point.value,)


def test_lanes_take_turns_from_cheap_to_dear_within_their_evaluations():
    asked = Counting(gaussian(0.7, dim=2))
    lanes = {name: Lane(asked, sampling) for name, sampling in DESIGNS.items()}
    budgets, references = (2, 1, 5, 9), {}
    points = list(race(lanes, latents(4), budgets, references=references, reference_steps=8))
    assert [point.lane for point in points] == [*lanes, "vp", "ve", "iddpm", *lanes, *lanes]  # Heun: N = 1 for 1 and 2
    spent = [point.evaluations for point in points if point.lane == "edm"]
    assert spent == [1, 5, 9] and [p.evaluations for p in points if p.lane == "vp"] == [1, 2, 5, 9]
    assert len(references) == 4  # one solution a lane, whatever N is
    before = asked.calls
    again = list(race(lanes, latents(4), budgets, references=references, reference_steps=8))
    assert again == points or [p.values for p in again] == [p.values for p in points]
    assert asked.calls - before == sum(point.evaluations for point in points)


def test_several_seeds_make_intervals_and_each_has_its_latents_and_noise():
    data = edm.data.load("eight_gaussians")
    z = {seed: edm.latents(edm.seeds(seed, 30), (2,)) for seed in (3, 4, 5)}
    measure = diagnostics.to_data(edm.Experiment(), "distance")
    sampling = edm.Sampling(S_churn=10)
    (point,) = race({"churn": (data.denoiser, sampling)}, z, (9,), measure)
    few = sampling.changed(steps=5)
    alone = [edm.last(edm.sample(data.denoiser, z[s], few, seeds=edm.seeds(s, 30))).x for s in z]
    assert point.values == tuple(measure(x) for x in alone)
    assert point.low < point.value < point.high
    assert (point.value, point.low, point.high) == diagnostics.interval(point.values)


def test_the_race_stops_where_it_is_closed():
    asked = Counting(gaussian(0.7, dim=2))
    points = race({"euler": (asked, edm.Sampling(solver="euler"))}, latents(4), (2, 5), lambda x: 0.0)
    next(points)
    points.close()
    assert asked.calls == 2


def test_what_cannot_race_gets_a_sentence_at_once():
    def never(x, sigma):
        raise AssertionError("nothing may be computed")

    for arguments, said in (
        (({}, latents(2)), "a lane or more"),
        (({"a": (never, edm.Sampling())}, latents(2), ()), "number of evaluations"),
        (({"a": (never, edm.Sampling())}, latents(2), (0,)), "evaluations = 0"),
        (({"wild": (never, edm.Sampling(S_churn=5))}, latents(2)), "lane 'wild' has S_churn = 5"),
        (({"a": (never, edm.Sampling())}, latents(2), (5,), "beauty"), "'beauty'"),
        (({"a": (never, edm.Sampling())}, torch.full((2, 2), math.nan)), "NaN"),
        (({"a": (never, edm.Sampling(), [1])}, latents(2)), "1 labels for 2"),
    ):
        with pytest.raises(ValueError, match=said):
            race(*arguments)


def test_the_walk_leads_from_vp_to_edm_a_row_at_a_time():
    steps = walk()
    assert steps[0].sampling == DESIGNS["vp"] and steps[-1].sampling == DESIGNS["edm"]
    assert [step.rows[:1] for step in steps] == [
        (),
        ("solver",),
        ("time steps tᵢ",),
        ("schedule σ(t)",),
        ("scaling s(t)",),
    ]
    assert steps[2].rows == ("time steps tᵢ", "range of σ")  # the range that belongs to the time steps
    assert {
        solvers.SOLVERS[s.solver].evaluations(s.steps) for s in (with_evaluations(p.sampling, 35) for p in steps)
    } == {35}


@pytest.mark.parametrize("start", DESIGNS)
@pytest.mark.parametrize("end", [*DESIGNS, "mine"])
def test_every_walk_ends_where_it_should_and_changes_something_at_each_step(start, end):
    mine = edm.Sampling(sigmas=(50, 5, 0.5), S_churn=20, S_noise=1.01, alpha=0.5, rho=5, sigma_min=0.1, seed=7)
    target = {**DESIGNS, "mine": mine}[end]
    steps = walk(DESIGNS[start], target)
    assert steps[-1].sampling == target.changed(seed=0)
    assert len(steps) >= 2 or start == end
    for before, after in pairwise(steps):
        assert [title for title, _ in differing_rows({"a": before.sampling, "b": after.sampling})] == list(after.rows)


def test_rows_that_are_not_possible_alone_change_together():
    """1000 steps need more levels than iDDPM has in its range."""
    steps = walk(edm.Sampling(steps=1000), edm.Sampling(discretization="iddpm", steps=5))
    assert len(steps) == 2 and steps[1].rows == ("time steps tᵢ", "range of σ", "steps N")


def test_what_has_no_effect_is_no_difference():
    plain = edm.Sampling(solver="euler", discretization="ve")
    assert differing_rows({"a": plain, "b": plain.changed(rho=3, alpha=0.5, S_noise=1.1, S_tmin=1)}) == []
    assert len(walk(plain, plain.changed(rho=3))) == 1


def test_differing_rows_read_as_in_the_paper():
    rows = dict(differing_rows({"VP": DESIGNS["vp"], "EDM": DESIGNS["edm"].changed(S_churn=30, S_tmax=1)}))
    assert rows == {
        "solver": {"VP": "Euler", "EDM": "Heun"},
        "time steps tᵢ": {
            "VP": "1 + i/(N−1)·(ε_s − 1)",
            "EDM": "(σ_max^(1/ρ) + i/(N−1)·(σ_min^(1/ρ) − σ_max^(1/ρ)))^ρ, ρ = 7",
        },
        "schedule σ(t)": {"VP": "√(e^(½β_d·t² + β_min·t) − 1)", "EDM": "t"},
        "scaling s(t)": {"VP": "1/√(1 + σ²)", "EDM": "1"},
        "range of σ": {"VP": "0.0105 … 152.2", "EDM": "0.002 … 80"},
        "stochasticity": {"VP": "none", "EDM": "S_churn = 30, S_tmin = 0, S_tmax = 1, S_noise = 1"},
    }
    assert differing_rows({}) == [] == differing_rows({"VP": DESIGNS["vp"]})
    alphas = differing_rows({str(a): edm.Sampling(alpha=a) for a in (1, 0.5, 0.667, 0.3)})
    assert list(alphas[0][1].values()) == [
        "Heun",
        "Heun's family, α = 0.5 (midpoint)",
        "Heun's family, α = 0.667 (Ralston)",
        "Heun's family, α = 0.3",
    ]
    (by_hand, *_) = differing_rows({"a": edm.Sampling(), "b": edm.Sampling(sigmas=range(80, 0, -10))})
    assert by_hand[1]["b"] == "by hand: 80, 70, 60, 50, …, 10"
    adm = edm.Sampling(discretization="adm_linear")
    (spaced, *_) = differing_rows({"even": adm, "ddim": adm.changed(respacing="ddim25")})
    assert spaced[1] == {"even": (formula := "σ_t, t even, or as respacing says"), "ddim": f"{formula}, spacing = ddim"}
