"""Local truncation error (Appendix D): what one step of a sampler gets wrong, begun on the exact solution.

With a solver of order p, the error of a step is O(h^(p+1)). It is measured on x/s, in data units, where every
schedule and scaling has the same exact solution.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import torch

from edm import schedules, timesteps
from edm.diagnostics.curvature import _rms, solution
from edm.errors import Refused
from edm.sampling import Ode, within
from edm.solvers import SOLVERS


@dataclass(frozen=True)
class LocalError:
    """Step `index` from `sigma` to `sigma_next`.

    x: the exact solution x/s [B, …] at `sigma`, where the step begins. error [B]: rms over coordinates of what the
    step misses the exact solution at `sigma_next` by, in data units. Both in float64.
    """

    index: int
    sigma: float
    sigma_next: float
    x: torch.Tensor
    error: torch.Tensor


def truncation_error(denoiser, latents, sampling, labels=None) -> Iterator[LocalError]:
    """The local error of each of the N steps of `sampling`, the last one, to σ = 0, included.

    latents: unit normal [B, …]; the exact solution is that from σ_0·latents (`solution`). Everything of `sampling`
    counts: its solver, α, levels, schedule and scaling. Below about 1e-7 the error of a network that computes in
    float32 is rounding.

    Work stops where the generator is closed or the denoiser raises. Raises ValueError at once for bad arguments, and
    for S_churn > 0: a stochastic step has no exact solution to meet.
    """
    if sampling.S_churn > 0:
        raise Refused("S_churn > 0: a stochastic step has no exact solution to meet; set it to 0")
    settings = within(sampling, denoiser)
    levels = timesteps.sigmas(settings, getattr(denoiser, "round_sigma", None)).tolist()
    return _errors(denoiser, settings, levels, solution(denoiser, latents, levels, labels), labels)


@torch.no_grad()
def _errors(denoiser, sampling, levels, states, labels):
    solver = SOLVERS[sampling.solver]
    ode = Ode(denoiser, *schedules.of(sampling), labels)
    times = [ode.schedule.inverse(sigma) for sigma in levels[:-1]] + [0.0]
    exact = next(states)
    for i, (t, t_next) in enumerate(pairwise(times)):
        x = exact * ode.scaling.s(t)
        x_next = solver.step(ode, x, t, t_next, ode.slope(x, t)[0], sampling.alpha)
        begun, exact = exact, next(states)
        reached = x_next / (ode.scaling.s(t_next) if t_next > 0 else 1.0)
        yield LocalError(i, levels[i], levels[i + 1], begun, _rms(reached - exact))
