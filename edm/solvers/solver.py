"""What a solver is: an entry that declares its claims, and how it takes its steps.

    begin(path, sampling) -> step,     step(ode, now, draw) -> x at t_next

`begin` is called once for a run: what depends on the levels and the knobs is worked out there, in float64, and what a
multistep method remembers lives in the step that it returns, so that no run sees another's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import torch

if TYPE_CHECKING:
    from edm.base.protocols import OdeLike, PathLike, SamplingLike


class Now(NamedTuple):
    """Where step `index` begins, after churn's noise if any was added: t is t̂_i then, and x is x̂_i.

    t, t_next; sigma, sigma_next: σ there, σ_next being 0 in the last step. x [B, …]: the ODE's state at t.
    slope, denoised: dx/dt and D(x/s; σ) at (x, t), evaluated already.
    """

    index: int
    t: float
    t_next: float
    sigma: float
    sigma_next: float
    x: torch.Tensor
    slope: torch.Tensor
    denoised: torch.Tensor


Draw = Callable[[torch.Tensor], torch.Tensor]  # x -> unit normal like x, each sample's next of its own stream
Step = Callable[["OdeLike", Now, Draw], torch.Tensor]
Begin = Callable[["PathLike", "SamplingLike"], Step]


def never(sampling: SamplingLike) -> int:
    """The `draws` of a solver of the ODE."""
    return 0


class Variant(NamedTuple):
    """A solver with values of its knobs that make a method of a name of its own.

    title: for buttons. values: of the fields of `Sampling`. called: what it is called by people.
    """

    name: str
    title: str
    values: dict[str, float]
    called: str


@dataclass(frozen=True)
class Solver:
    """An entry of SOLVERS.

    title: for buttons; family: what it is one of, in a word or two. order: of convergence on smooth problems.
    evaluations(N): denoiser calls of N steps, the last one to σ = 0. knobs: the fields of `Sampling` that change
    something only where this solver is chosen. draws(sampling): how often each step but the last, to σ = 0, calls
    `draw` with these settings; 0: it solves the ODE.

    begin(path, sampling) -> step. path: of the run (`edm.sampling.path.Path`); its `sampling` is `sampling`. A run may
    begin in the middle of its path, with nothing to remember. step(ode, now, draw): `ode.slope(x, t)` -> (slope, D) is
    one evaluation more; the tensors of `now` are the run's and must not be written into.
    """

    name: str
    title: str
    family: str
    order: int
    evaluations: Callable[[int], int]
    knobs: tuple[str, ...]
    draws: Callable[[SamplingLike], int]
    begin: Begin
    variants: tuple[Variant, ...] = ()
