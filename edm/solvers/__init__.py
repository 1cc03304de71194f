"""ODE solvers: the row "solver" of Table 1. Each declares its claim, and tests/contracts measures it.

To add one, write a `Solver` and put it in SOLVERS: page, command line, presets and contract tests read it there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from edm.solvers.runge_kutta import euler_step, heun_step


@dataclass(frozen=True)
class Solver:
    """`step(ode, x, t, t_next, slope, alpha)` -> x at t_next, where `slope` = dx/dt at (x, t) is known already.

    order: of convergence on smooth problems. evaluations(N): denoiser calls of N steps, the last one to σ = 0.
    uses_alpha: whether the knob α changes it.
    """

    name: str
    title: str
    order: int
    evaluations: Callable[[int], int]
    step: Callable
    uses_alpha: bool = False


SOLVERS = {
    solver.name: solver
    for solver in (
        Solver("euler", "Euler", 1, lambda steps: steps, euler_step),
        Solver("heun", "Heun", 2, lambda steps: 2 * steps - 1, heun_step, uses_alpha=True),
    )
}
