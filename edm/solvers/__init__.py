"""ODE solvers: the row "solver" of Table 1. Each declares its claims, and tests/contracts measures them.

To add one, write a `Solver` and put it in SOLVERS: page, command line, presets and contract tests read it there.
"""

from __future__ import annotations

from edm.solvers import runge_kutta
from edm.solvers.solver import Solver, Variant, never

SOLVERS: dict[str, Solver] = {
    solver.name: solver
    for solver in (
        Solver("euler", "Euler", "Runge–Kutta", 1, lambda steps: steps, (), never, runge_kutta.euler),
        Solver(
            "heun", "Heun", "Runge–Kutta", 2, lambda steps: 2 * steps - 1, ("alpha",), never, runge_kutta.heun,
            (
                Variant("ralston", "α = ⅔", {"alpha": 2 / 3}, "Ralston"),
                Variant("midpoint", "α = ½", {"alpha": 0.5}, "midpoint"),
            ),
        ),
    )
}  # fmt: skip
