"""A solver and a grid as one choice, as people make it: "DPM++ 2M Karras" is dpmpp_2m/karras.

    solver:knob=value:…/time steps:knob=value:…@column

Each part may be left out: /flow:shift=0.5 changes the time steps only, lms:order=4 the solver, @flow takes the σ(t) and
s(t) of that column of Table 1. Names that people use are taken (`edm.base.aliases`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from edm.base.aliases import meaning, near
from edm.base.choices import title_of
from edm.base.errors import Refused
from edm.base.fields import SettingsError, symbol
from edm.base.flat import unflatten, written
from edm.experiments import presets
from edm.sampling.settings import Sampling
from edm.solvers import SOLVERS
from edm.timesteps import DISCRETIZATIONS

COORDINATES = ("schedule", "scaling")
RANGE = ("sigma_min", "sigma_max")
EXAMPLES = "heun/karras, lms:order=4/flow:shift=0.5@flow, dpmpp_2m/exponential"


@dataclass(frozen=True)
class Pairing:
    """solver, grid: entries of SOLVERS and DISCRETIZATIONS; column: of Table 1, for its σ(t) and s(t). None: as it is.
    knobs: fields of `Sampling` that are given with the solver or the grid."""

    solver: str | None = None
    grid: str | None = None
    column: str | None = None
    knobs: Mapping[str, Any] = field(default_factory=dict)

    def __hash__(self):
        return hash((self.solver, self.grid, self.column, tuple(sorted(self.knobs.items()))))

    @classmethod
    def parse(cls, text: str) -> Pairing:
        """From text as above. Raises SettingsError with a sentence for what cannot be read."""
        pair, _, column = text.strip().partition("@")
        first, _, second = pair.partition("/")
        if not text.strip(" /@"):
            raise SettingsError(f"pair = {text!r}: nothing is named; write {EXAMPLES}", ("pair",))
        if column and column not in presets.titles():
            known = ", ".join(presets.titles())
            raise SettingsError(f"pair = {text!r:.80}: there is no column {column!r}; there are {known}", ("pair",))
        solver, of_solver = _part("solver", first, text)
        grid, of_grid = _part("discretization", second, text)
        return cls(solver, grid, column or None, {**of_solver, **of_grid})

    def __str__(self) -> str:
        """As it is parsed."""
        first = _written(self.solver, self._own("solver"))
        second = _written(self.grid, self._own("grid"))
        return first + (f"/{second}" if second else "") + (f"@{self.column}" if self.column else "")

    @property
    def title(self) -> str:
        """For people: LMS, order 4 · flow, α 0.5 · in Flow."""
        parts = []
        for name, registry, kind in ((self.solver, SOLVERS, "solver"), (self.grid, DISCRETIZATIONS, "grid")):
            if name:
                knobs = [f"{symbol(Sampling, knob)} {_shown(value)}" for knob, value in self._own(kind).items()]
                parts.append(", ".join([title_of(registry, name), *knobs]))
        return " · ".join([*parts, *([f"in {presets.titles()[self.column]}"] if self.column else [])])

    def _own(self, kind) -> dict[str, Any]:
        known = _knobs(
            "solver" if kind == "solver" else "discretization", self.solver if kind == "solver" else self.grid
        )
        return {knob: value for knob, value in self.knobs.items() if knob in known}

    @property
    def sets(self) -> dict[str, Any]:
        """The fields of `Sampling` that it gives values, but for the column's."""
        named = {"solver": self.solver, "discretization": self.grid}
        return {**{name: value for name, value in named.items() if value}, **self.knobs}

    def applied(self, sampling: Sampling) -> Sampling:
        """The settings with this solver and grid, in their own range of σ. Knobs that are not given are the entries'
        own, as on a new page; a form of another solver goes. Raises SettingsError for what does not fit."""
        changes: dict[str, Any] = dict(self.knobs)
        if self.column:
            own = presets.load(f"designs/{self.column}").sampling
            changes |= {name: getattr(own, name) for name in COORDINATES}
        if self.solver:
            fresh = ("variant", *_knobs("solver", self.solver))
            changes = {
                **{name: Sampling.model_fields[name].default for name in fresh},
                **changes,
                "solver": self.solver,
            }
        if self.grid:
            low, high = sampling.range
            shapes = [name for name in _knobs("discretization", self.grid) if name not in RANGE]
            fresh = {name: Sampling.model_fields[name].default for name in shapes}
            changes = {
                "sigma_min": low,
                "sigma_max": high,
                **fresh,
                **changes,
                "discretization": self.grid,
                "sigmas": None,
            }
        return sampling.changed(**changes)


def _knobs(kind: str, name: str | None) -> tuple[str, ...]:
    registry = SOLVERS if kind == "solver" else DISCRETIZATIONS
    return tuple(registry[name].knobs) if name else ()


def _part(kind, text, whole) -> tuple[str | None, dict[str, Any]]:
    """(the entry's name, the knobs that are given or implied)."""
    said, *given = (part.strip() for part in text.split(":"))
    if not said:
        if given:
            raise SettingsError(f"pair = {whole!r:.80}: knobs stand behind the name that they are of", ("pair",))
        return None, {}
    registry = SOLVERS if kind == "solver" else DISCRETIZATIONS
    known = (said, None) if said in registry else meaning(registry, said)
    if known is None:
        words = "solver" if kind == "solver" else "kind of time steps"
        there = f"there are {', '.join(registry)}{near(registry, said)}"
        raise SettingsError(f"pair = {whole!r:.80}: there is no {words} {said!r:.40}; {there}", ("pair",))
    own, _ = known
    values = dict(part.partition("=")[::2] for part in given)
    wrong = sorted(set(values) - set(_knobs(kind, own)))
    if wrong:
        has = ", ".join(_knobs(kind, own)) or "none"
        raise SettingsError(f"pair = {whole!r:.80}: {own} has no knob {wrong[0]!r:.40}; it has {has}", ("pair",))
    try:
        settings = Sampling(**{kind: said, **unflatten(values, Sampling)})
    except Refused as error:
        raise SettingsError(f"pair = {whole!r:.80}: {error}", ("pair",)) from None
    implied = Sampling.owned({kind: said})
    return own, {name: getattr(settings, name) for name in (*implied, *values) if name != kind}


def _written(name, knobs) -> str:
    return ":".join([name or "", *(f"{knob}={written(value)}" for knob, value in knobs.items())])


def _shown(value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.3g}" if isinstance(value, float) else str(value)
