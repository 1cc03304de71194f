"""Solvers as instruments compare them: each by itself, and those of its variants that have own names.

For those that add noise of their own there is no solution to converge to, or to miss in a step: `methods` leaves them
out, `every` has them, for what can be said of their distribution, or of them without their noise.
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

    @property
    def noisy(self) -> bool:
        """Whether it adds noise of its own."""
        return Sampling(**self.values).stochastic

    @property
    def quiet(self) -> dict:
        """The values without that noise: the method of the ODE that it comes from."""
        return {**self.values, **self.solver.quiet}


def methods() -> dict[str, Method]:
    """Every solver of the ODE, with its variants, by name."""
    return {name: method for name, method in every().items() if not method.noisy}


def every() -> dict[str, Method]:
    """Every solver, with its variants, by name; those that add noise of their own stand last."""
    defaults = {knob: Sampling.model_fields[knob].default for solver in SOLVERS.values() for knob in solver.knobs}
    found = {}
    for name, solver in sorted(SOLVERS.items(), key=lambda item: Sampling(solver=item[0]).stochastic):
        plain = {**defaults, "solver": name}
        own = ((variant.name, variant.title, {**plain, **variant.values}) for variant in solver.variants)
        for key, title, values in chain([(name, solver.title, plain)], own):
            round, k = divmod(len(found), len(COLORS))
            found[key] = Method(title, solver, values, COLORS[k], DASHES[round % len(DASHES)])
    return found


def titles() -> dict[str, str]:
    """name -> title of every method of the ODE."""
    return {name: method.title for name, method in methods().items()}


def all_titles() -> dict[str, str]:
    """name -> title of every method."""
    return {name: method.title for name, method in every().items()}


def solvers_option(default: tuple[str, ...], help: str, section: str = "Solvers", choices=titles, **display):
    """The methods that are compared. choices: `titles`, or all."""
    return option(
        default, "solvers", help,
        choices=choices, colors=lambda name: every()[name].color, section=section, **display,
    )  # fmt: skip
