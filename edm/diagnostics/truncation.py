"""Local truncation error (Appendix D): what one step of a sampler gets wrong, begun on the exact solution.

With a solver of order p, the error of a step is O(h^(p+1)). It is measured on x/s, in data units, where every
schedule and scaling has the same exact solution.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from edm.diagnostics.curvature import _rms, solution
from edm.diagnostics.errors import check_deterministic
from edm.sampling.loop import Ode, Run
from edm.sampling.path import path_of

if TYPE_CHECKING:
    from edm.base.types import Labels
    from edm.sampling.denoisers import Denoise
    from edm.sampling.settings import Sampling


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


def truncation_error(
    denoiser: Denoise, latents: torch.Tensor, sampling: Sampling, labels: Labels = None
) -> Iterator[LocalError]:
    """The local error of each of the N steps of `sampling`, the last one, to σ = 0, included.

    latents: unit normal [B, …]; the exact solution is that from σ_0·latents (`solution`). Everything of `sampling`
    counts: its solver, α, levels, schedule and scaling; a solver with memory remembers exact states, and UniPC has
    nothing to correct in them: its error is that of its prediction. Below about 1e-7 the error of a network that
    computes in float32 is rounding.

    Work stops where the generator is closed or the denoiser raises. Raises ValueError at once for bad arguments, and
    for S_churn > 0: a stochastic step has no exact solution to meet.
    """
    check_deterministic(sampling, "a stochastic step has no exact solution to meet")
    path = path_of(sampling, denoiser)
    return _errors(denoiser, path, solution(denoiser, latents, path.sigmas, labels), labels)


@torch.no_grad()
def _errors(denoiser, path, states, labels):
    run, exact = Run(Ode(denoiser, path, labels), path), next(states)
    for i in range(path.steps):
        x_next = run.step(run.begin(i, exact * path.scale(i)))
        begun, exact = exact, next(states)
        yield LocalError(i, path.sigmas[i], path.sigmas[i + 1], begun, _rms(x_next / path.scale(i + 1) - exact))
