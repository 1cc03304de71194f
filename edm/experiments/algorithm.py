"""The algorithm of an experiment as one reads it: what each step does, one thing after the other, and its Table 1.

The formulas stand on the entries of the registries; here is only which of them an experiment has, and in which steps.
"""

from __future__ import annotations

from typing import NamedTuple

from edm.base.choices import formula_of, title_of
from edm.experiments import models
from edm.experiments.experiment import Experiment
from edm.preconditioning import PRECONDITIONINGS
from edm.sampling.guidance import GUIDANCES
from edm.sampling.path import Path
from edm.schedules import SCALINGS, SCHEDULES
from edm.solvers import SOLVERS
from edm.solvers.solver import Part
from edm.timesteps import DISCRETIZATIONS

ALWAYS = None


class Doing(NamedTuple):
    """A part of the steps. acts: of each step, whether it does this; None: all do."""

    name: str
    symbol: str
    formula: str
    help: str
    acts: tuple[bool, ...] | None = None


class Row(NamedTuple):
    """Of Table 1: its title, and the formula of what is chosen."""

    title: str
    formula: str


def doings(experiment: Experiment, model: models.Model, path: Path) -> list[Doing]:
    """What a step does, in its order. path: the experiment's (`edm.runner.path`)."""
    sampling, solver = path.sampling, SOLVERS[path.sampling.solver]
    plain = sampling.scaling == "none"
    found = [
        Doing("state", "x_i", "y + σ·n" if plain else "s·(y + σ·n)", "The state at tᵢ: data, with noise of size σ")
    ]
    if any(path.gammas):
        raised = "√(σ̂² − σ²)·S_noise·n"
        formula = f"x + {raised}, σ̂ = (1 + γ)·σ" if plain else f"s(t̂)·(x/s(t) + {raised}), σ̂ = (1 + γ)·σ"
        help = "Churn: fresh noise, γ = min(S_churn/N, √2 − 1) where σ is from S_tmin to S_tmax"
        found.append(Doing("churn", "x̂", formula, help, tuple(gamma > 0 for gamma in path.gammas)))
    found.append(Doing("denoiser", "D(x; σ)" if plain else "D(x/s; σ)", _denoiser(model), _told(model)))
    guide = GUIDANCES[experiment.guidance]
    if experiment.guidance != "none" and experiment.guidance_weight != guide.neutral:
        acts = _guided(experiment.guidance_interval, path)
        found.append(Doing("guidance", "D_w", formula_of(GUIDANCES, experiment.guidance), _sentence(guide.help), acts))
    if guide.population:
        return [*found, Doing("step", "x⁺", "x + Δσ²·∇ log p + √Δσ²·n, drawn anew by weights", _sentence(guide.help))]
    parts = solver.parts(sampling) if solver.parts else (Part("step", "x⁺", solver.title, _sentence(solver.help)),)
    if solver.in_sigma and not plain:
        found[0] = found[0]._replace(formula=f"{found[0].formula}; below, x is x/s")
    for part in parts:
        acts = tuple(solver.does(part, path, sampling, i) for i in range(path.steps))
        if not any(acts):
            continue
        formula = part.formula or _slope(sampling)
        found.append(Doing(part.name, part.symbol, formula, part.help, None if all(acts) else acts))
    return found


def rows(experiment: Experiment, model: models.Model, path: Path) -> list[Row]:
    """The chosen rows of Table 1."""
    sampling = path.sampling
    steps = "by hand" if sampling.sigmas is not None else formula_of(DISCRETIZATIONS, sampling.discretization)
    time = "t_i" if sampling.discretization == "vp" and sampling.sigmas is None else "σ_i"
    found = [
        Row("schedule", f"σ(t) = {formula_of(SCHEDULES, sampling.schedule)}"),
        Row("scaling", f"s(t) = {formula_of(SCALINGS, sampling.scaling)}"),
        Row("time steps", f"{time} = {steps}"),
        Row("solver", title_of(SOLVERS, sampling.solver)),
    ]
    name = _preconditioning(model)
    return [*found, Row("preconditioning", f"D = {formula_of(PRECONDITIONINGS, name)}")] if name else found


def _slope(sampling) -> str:
    """dx/dt of the ODE (eq. 81), as short as schedule and scaling let it be."""
    if sampling.scaling != "none":
        return "(σ̇/σ + ṡ/s)·x − (σ̇·s/σ)·D"
    return "(x − D)/σ" if sampling.schedule == "linear" else "σ̇·(x − D)/σ"


def _preconditioning(model) -> str:
    """The name of its network's; "" of what has none."""
    config = model.header.preconditioning if model.header is not None else None
    return config.name if config is not None else ""


def _denoiser(model) -> str:
    return "c_skip·x + c_out·F(c_in·x; c_noise)" if _preconditioning(model) else "E[y | x; σ]"


def _told(model) -> str:
    name = _preconditioning(model)
    if not name:
        return "The ideal denoiser: the mean of all data that may lie under this noise"
    help = getattr(PRECONDITIONINGS[name], "help", "")
    return f"A network F in {title_of(PRECONDITIONINGS, name)}'s preconditioning: {help}"


def _guided(interval, path) -> tuple[bool, ...] | None:
    if interval is None:
        return ALWAYS
    low, high = interval
    acts = tuple(low < sigma <= high for sigma in path.sigmas[:-1])
    return ALWAYS if all(acts) else acts


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
