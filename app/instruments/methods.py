"""Solvers as instruments compare them: each by itself, and those of its variants that have names of their own."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

from edm.sampling.settings import Sampling
from edm.solvers import SOLVERS
from edm.solvers.solver import Solver

COLORS = ("c1", "edm", "c3", "c4")  # of the first; all others have the ink's


@dataclass(frozen=True)
class Method:
    """title: for people. values: the fields of `Sampling` that make it. color: of the page's palette."""

    title: str
    solver: Solver
    values: dict
    color: str


def methods() -> dict[str, Method]:
    """Every solver there is, with its variants, by name."""
    defaults = {knob: Sampling.model_fields[knob].default for solver in SOLVERS.values() for knob in solver.knobs}
    found = {}
    for name, solver in SOLVERS.items():
        plain = {**defaults, "solver": name}
        own = ((variant.name, variant.title, {**plain, **variant.values}) for variant in solver.variants)
        for key, title, values in chain([(name, solver.title, plain)], own):
            color = COLORS[len(found)] if len(found) < len(COLORS) else "ink"
            found[key] = Method(title, solver, values, color)
    return found


def titles() -> dict[str, str]:
    """name -> title of every method."""
    return {name: method.title for name, method in methods().items()}
