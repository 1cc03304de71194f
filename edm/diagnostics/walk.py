"""Samplers as rows of Table 1: in which rows they differ, and the way from one to another, a row at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from edm.base.choices import formula_of, knobs_of
from edm.base.fields import SettingsError, symbol
from edm.experiments import presets
from edm.sampling.settings import Sampling
from edm.schedules import SCALINGS, SCHEDULES
from edm.solvers import SOLVERS
from edm.timesteps import DISCRETIZATIONS

_SHOWN = 6  # levels of a list made by hand
_RANGE = ("sigma_min", "sigma_max")
_SHAPES = sorted({knob for entry in DISCRETIZATIONS.values() for knob in entry.knobs}.difference(_RANGE))


@dataclass(frozen=True)
class Row:
    """A row of Table 1: its title, the fields of `Sampling` behind it, its text as in the paper.

    value: what of those fields has an effect: ρ, for example, has none with VP's time steps.
    """

    title: str
    fields: tuple[str, ...]
    text: Callable[[Sampling], str]
    value: Callable[[Sampling], object]


@dataclass(frozen=True)
class WalkStep:
    """One sampler of a walk. title: "VP", or what changed; rows: titles of the rows that changed, () at the start."""

    title: str
    rows: tuple[str, ...]
    sampling: Sampling


def walk(start: Sampling | None = None, end: Sampling | None = None) -> list[WalkStep]:
    """From `start` (Table 1's VP) to `end` (EDM), one row that differs after the other, in the table's order.

    The first step is `start`, the last one is `end` with the seed of `start`. Rows that are not possible alone change
    together; a range that the settings leave to the time steps changes with them. For equal NFE along the way see
    `with_evaluations`.
    """
    steps = [WalkStep("VP" if start is None else "start", (), start or presets.load("designs/vp").sampling)]
    end = end or presets.load("designs/edm").sampling
    pending: dict = {}
    for row in ROWS:
        current = steps[-1].sampling
        pending |= {name: getattr(end, name) for name in row.fields if getattr(end, name) != getattr(current, name)}
        try:
            reached = current.changed(**pending)
        except SettingsError:
            continue  # it takes the next row too
        changed = [row for row in ROWS if row.value(current) != row.value(reached)]
        if changed:
            title = "; ".join(f"{row.title}: {row.text(reached)}" for row in changed)
            steps.append(WalkStep(title, tuple(row.title for row in changed), reached))
            pending = {}
    final = steps.pop()
    return [*steps, WalkStep(final.title, final.rows, final.sampling.changed(**pending))]


def differing_rows(samplings: Mapping[str, Sampling]) -> list[tuple[str, dict[str, str]]]:
    """(title, {lane: text}) of the rows of Table 1 in which the samplers of the lanes are not all alike."""
    lanes = list(samplings.values())
    rows = [row for row in ROWS if any(row.value(sampling) != row.value(lanes[0]) for sampling in lanes)]
    return [(row.title, {lane: row.text(sampling) for lane, sampling in samplings.items()}) for row in rows]


def _solver(sampling):
    solver = SOLVERS[sampling.solver]
    own = {name: getattr(sampling, name) for name in solver.knobs}
    own = {name: value for name, value in own.items() if value != Sampling.model_fields[name].default}
    if not own:
        return solver.title
    said = ", ".join(f"{symbol(Sampling, name)} = {_written(value)}" for name, value in own.items())
    called = [variant.called for variant in solver.variants if _about(variant.values) == _about(own)]
    family = "'s family" if "alpha" in own else ""
    return f"{solver.title}{family}, {said}" + "".join(f" ({name})" for name in called)


def _written(value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _about(values) -> dict[str, object]:
    """Values as they are written by hand: ⅔ is 0.67."""
    return {name: round(value, 2) if isinstance(value, float) else value for name, value in values.items()}


def _solver_value(sampling):
    return sampling.solver, {name: getattr(sampling, name) for name in SOLVERS[sampling.solver].knobs}


def _time_steps(sampling):
    if sampling.sigmas is not None:
        levels = [f"{sigma:.3g}" for sigma in sampling.sigmas]
        return "by hand: " + ", ".join(levels if len(levels) <= _SHOWN else [*levels[: _SHOWN - 2], "…", levels[-1]])
    given = {name: value for name, value in _grid_knobs(sampling).items() if value is not None}
    said = {name: value if isinstance(value, str) else f"{value:g}" for name, value in given.items()}
    knobs = [f"{symbol(Sampling, name)} = {text}" for name, text in said.items()]
    return ", ".join([formula_of(DISCRETIZATIONS, sampling.discretization), *knobs])


def _grid_knobs(sampling) -> dict[str, float | str | None]:
    """The values that shape these time steps, but for the range, which is a row of its own."""
    known = knobs_of(DISCRETIZATIONS, sampling.discretization) or ()
    return {name: getattr(sampling, name) for name in known if name not in _RANGE}


def _time_steps_value(sampling):
    if sampling.sigmas is not None:
        return sampling.sigmas
    return sampling.discretization, _grid_knobs(sampling)


def _ends(sampling):
    """(σ_min, σ_max), or σ_max alone where the other plays no part."""
    if sampling.sigmas is not None:
        return sampling.sigmas[-1], sampling.sigmas[0]
    fitted = "sigma_min" in (knobs_of(SCHEDULES, sampling.schedule) or ())
    return sampling.range if DISCRETIZATIONS[sampling.discretization].ends or fitted else sampling.range[1:]


def _range(sampling):
    *low, high = _ends(sampling)
    return f"{low[0]:.3g} … {high:.4g}" if low else f"0 … {high:.4g}"


def _churn_value(sampling):
    names = ("S_churn", "S_tmin", "S_tmax", "S_noise")
    return {name: getattr(sampling, name) for name in names} if sampling.S_churn > 0 else None


def _churn(sampling):
    values = _churn_value(sampling) or {}
    return ", ".join(f"{name} = {value:g}" for name, value in values.items()).replace("inf", "∞") or "none"


_SOLVER_KNOBS = tuple(dict.fromkeys(knob for solver in SOLVERS.values() for knob in solver.knobs))
ROWS = (
    Row("solver", ("solver", *_SOLVER_KNOBS), _solver, _solver_value),
    Row("time steps tᵢ", ("discretization", *_SHAPES, "sigmas"), _time_steps, _time_steps_value),
    Row("schedule σ(t)", ("schedule",), lambda s: formula_of(SCHEDULES, s.schedule), lambda s: s.schedule),
    Row("scaling s(t)", ("scaling",), lambda s: formula_of(SCALINGS, s.scaling), lambda s: s.scaling),
    Row("range of σ", _RANGE, _range, _ends),
    Row("stochasticity", ("S_churn", "S_tmin", "S_tmax", "S_noise"), _churn, _churn_value),
    Row("steps N", ("steps",), lambda s: f"{s.N}", lambda s: s.N),
)
