"""What is written of a step is what the step computes: the formulas that people read, worked out."""

import math
import re

import pytest
import torch

import edm
from edm.experiments import algorithm, models, runner
from edm.experiments.experiment import Experiment
from edm.sampling.denoisers import ask
from edm.sampling.path import path_of
from edm.solvers import SOLVERS, stochastic
from tests.problems import latents, smooth_mixture

SIGNS = {
    "·": "*", "−": "-", "²": "**2", "√": "sqrt", "½": "(1/2)", "¼": "(1/4)", "¾": "(3/4)", "⅓": "(1/3)", "⅔": "(2/3)",
    "e^": "exp", "σ_{dn}": "down", "σ⁺": "after", "σ′": "middle", "σ₋₁": "before", "σ": "sigma", "η": "eta", "′": "_m",
    "₋₁": "_1", "₋₂": "_2", "₋₃": "_3",
}  # fmt: skip
WRITTEN = [
    ("euler", {}), ("heun", {}), ("heun", {"alpha": 0.5}), ("heun", {"alpha": 2 / 3}), ("heun", {"alpha": 0.8}),
    ("ipndm", {"order": 1}), ("ipndm", {"order": 2}), ("ipndm", {"order": 4}), ("dpm_2", {}), ("dpmpp_2s", {}),
    ("dpmpp_2m", {}), ("ddim", {"eta": 0.0}), ("ddim", {"eta": 1.0}), ("dpmpp_2s_ancestral", {"eta": 0.0}),
    ("dpmpp_2s_ancestral", {"eta": 0.7}), ("dpmpp_sde", {"eta": 0.0}), ("dpmpp_2m_sde", {"eta": 0.0}),
    ("dpmpp_2m_sde", {"eta": 1.0}), ("dpmpp_2m_sde", {"eta": 1.0, "variant": "heun"}),
]  # fmt: skip


def computed(formula, known):
    """Of the formula and of what it defines behind a comma, in the order in which they need each other."""
    for sign, code in SIGNS.items():
        formula = formula.replace(sign, code)
    first, *defined = re.split(r", (?=\w+ = )", formula)
    for definition in reversed(defined):
        name, _, expression = definition.partition(" = ")
        known[name] = eval(expression, {}, known)
    return eval(first, {}, known)


@pytest.mark.parametrize(("solver", "knobs"), WRITTEN)
def test_the_formulas_of_a_step_are_what_it_computes(solver, knobs):
    sampling = edm.Sampling(solver=solver, steps=8, **knobs)
    denoiser, entry = smooth_mixture(), SOLVERS[solver]
    path = path_of(sampling, denoiser)
    states = list(edm.sample(denoiser, latents(4).double(), sampling, noise=lambda k, x: torch.zeros_like(x)))
    at, last = 5, path.steps - 1
    for index in (at, last):
        state, end = states[index], states[index + 1]
        sigma, after = path.sigmas[index : index + 2]
        step = math.log(sigma / after) if entry.in_sigma and after else after - sigma
        down = stochastic.down_and_up(sigma, after, sampling.eta)[0]
        known = {
            "x": state.x, "D": state.denoised, "d": (state.x - state.denoised) / sigma, "sigma": sigma, "after": after,
            "h": step, "down": down, "eta": sampling.eta, "before": path.sigmas[index - 1],
            "exp": math.exp, "sqrt": math.sqrt,
            "ln": math.log,
        }  # fmt: skip
        known |= {f"D_{j}": states[index - j].denoised for j in (1, 2, 3)}
        known |= {
            f"d_{j}": (states[index - j].x - states[index - j].denoised) / path.sigmas[index - j] for j in (1, 2, 3)
        }
        if index == last and (entry.in_sigma or entry.remembers):
            assert torch.equal(end.x, state.denoised)
            continue
        for part in entry.parts(sampling):
            if part.name not in ("step", "correction", "last") or not entry.does(part, path, sampling, index):
                continue
            known["g"] = (1 + sampling.eta) * step
            if part.name == "correction":
                between = known.get("middle", sigma + sampling.alpha * step)
                known["D_m"] = ask(denoiser, known["x_m"], between)
                known["d_m"] = (known["x_m"] - known["D_m"]) / between
            if "r" not in known and index:
                known["r"] = math.log(path.sigmas[index - 1] / sigma) / step if entry.in_sigma else 1
            found = computed(part.formula, known)
            known["x_m"] = found
        assert torch.allclose(found, end.x, rtol=1e-6, atol=1e-8), solver


@pytest.mark.parametrize("solver", SOLVERS)
def test_every_solver_says_what_its_steps_do(solver):
    parts = SOLVERS[solver].parts(edm.Sampling(solver=solver))
    assert [part.name for part in parts].count("step") == 1
    assert all(part.help and (part.formula or part.name == "slope") for part in parts)
    two = SOLVERS[solver].evaluations(2) - SOLVERS[solver].evaluations(1) > 1
    assert two <= ("correction" in [part.name for part in parts]), "a second evaluation is told of"


def parts(**values):
    experiment = Experiment.parse(values)
    model = models.of(experiment)
    path = runner.path(experiment, model)
    doings = algorithm.doings(experiment, model, path)
    return {one.name: one for one in doings}, {
        row.title: row.formula for row in algorithm.rows(experiment, model, path)
    }


def test_churn_and_guidance_are_told_only_where_they_act():
    found, _ = parts(model="two_moons", sampling={"steps": 6})
    assert list(found) == ["state", "denoiser", "slope", "step", "correction"]
    assert found["correction"].acts == (True,) * 5 + (False,), "the last step is Euler's"
    found, rows = parts(
        model="digits_edm", guidance="free", guidance_weight=2.0, guidance_interval=(0.3, 3), label=3,
        sampling={"steps": 6, "S_churn": 10.0, "S_tmin": 1.0, "solver": "euler"},
    )  # fmt: skip
    assert list(found) == ["state", "churn", "denoiser", "guidance", "slope", "step"]
    assert found["churn"].acts == (True, True, True, False, False, False)
    assert sum(found["guidance"].acts) == 1
    assert "F(x/r; ¼·ln σ)" in rows["preconditioning"]


def test_what_is_remembered_is_told_of_the_steps_in_which_it_counts():
    found, _ = parts(model="two_moons", sampling={"steps": 6, "solver": "lms", "S_churn": 8.0, "S_tmax": 1.0})
    assert found["remembered"].acts == tuple(0 < i < 5 and not churned for i, churned in enumerate(found["churn"].acts))
    found, _ = parts(model="two_moons", sampling={"steps": 6, "solver": "lms", "lower_order_final": True})
    assert found["remembered"].acts == (False, True, True, True, False, False)


def test_the_slope_is_that_of_the_chosen_schedule_and_scaling():
    for schedule, scaling, said in (
        ("linear", "none", "(x − D)/σ"),
        ("vp", "none", "σ̇·(x − D)/σ"),
        ("vp", "vp", "(σ̇/σ + ṡ/s)·x − (σ̇·s/σ)·D"),
    ):
        found, rows = parts(model="two_moons", sampling={"schedule": schedule, "scaling": scaling})
        assert found["slope"].formula == said
        assert rows["scaling"] == ("s(t) = 1" if scaling == "none" else "s(t) = 1/√(1 + σ²)")


def test_what_no_step_does_is_not_told_of():
    found, _ = parts(model="two_moons", sampling={"steps": 6, "solver": "dpmpp_2m", "S_churn": 5.0})
    assert "churn" in found and "remembered" not in found, "each step begins anew"
    found, _ = parts(model="two_moons", sampling={"steps": 1})
    assert "correction" not in found
