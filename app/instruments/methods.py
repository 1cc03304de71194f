"""Solvers of the ODE as instruments compare them: each by itself, and those of its variants that have own names.

Those that add noise of their own are none: there is no solution for them to converge to, or to miss in a step.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

from app.instruments.base import option
from edm.sampling.settings import Sampling
from edm.solvers import SOLVERS
from edm.solvers.solver import Solver

COLORS = ("c1", "edm", "c3", "c4", "c2", "ink", "mute")  # of the palette, one after the other
DASHES = ("solid", "dash", "dot")  # once all colours are used


@dataclass(frozen=True)
class Method:
    """title: for people. values: fields of `Sampling` that make it. color: of the page's palette; dash: of lines."""

    title: str
    solver: Solver
    values: dict
    color: str
    dash: str

    @property
    def order(self) -> int:
        """Of convergence."""
        return self.solver.claimed(Sampling(**self.values))


def methods() -> dict[str, Method]:
    """Every solver of the ODE, with its variants, by name."""
    defaults = {knob: Sampling.model_fields[knob].default for solver in SOLVERS.values() for knob in solver.knobs}
    found = {}
    for name, solver in SOLVERS.items():
        plain = {**defaults, "solver": name}
        if Sampling(**plain).stochastic:
            continue
        own = ((variant.name, variant.title, {**plain, **variant.values}) for variant in solver.variants)
        for key, title, values in chain([(name, solver.title, plain)], own):
            round, k = divmod(len(found), len(COLORS))
            found[key] = Method(title, solver, values, COLORS[k], DASHES[round % len(DASHES)])
    return found


def titles() -> dict[str, str]:
    """name -> title of every method."""
    return {name: method.title for name, method in methods().items()}


def solvers_option(default: tuple[str, ...], help: str, section: str = "Solvers", **display):
    """The methods that are compared."""
    return option(
        default, "solvers", help,
        choices=titles, colors=lambda name: methods()[name].color, section=section, **display,
    )  # fmt: skip
