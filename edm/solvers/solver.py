"""What a solver is: an entry that declares its claims, and how it takes its steps.

    begin(path, sampling) -> step,     step(ode, now, draw) -> x at t_next

`begin` is called once for a run: what depends on the levels and the knobs is worked out there, in float64, and what a
multistep method remembers lives in the step that it returns, so that no run sees another's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import torch

from edm.base.choices import Alias

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


class Draw(Protocol):
    """Fresh noise of one step: draw(x) -> unit normal like x, each sample's next of its own stream.

    given: whether it comes from a source of the caller's own; then its numbers are used as they are.
    """

    given: bool

    def __call__(self, x: torch.Tensor) -> torch.Tensor: ...


Step = Callable[["OdeLike", Now, Draw], torch.Tensor]
Begin = Callable[["PathLike", "SamplingLike"], Step]


class Part(NamedTuple):
    """One thing that a step does, as the algorithm writes it: for people who read.

    name: for headings. symbol, formula: in the paper's symbols, with x where the step begins (after churn's noise), h
    or σ⁺ for where it ends, D and d as there, and primes for what is evaluated on the way. help: a sentence. at: which
    steps do it: EVERY, LAST (that to σ = 0), INNER (the others), REMEMBERS (what was evaluated before counts), CORRECTS
    (the step before has predicted where this one begins), DRAWS.
    """

    name: str
    symbol: str
    formula: str
    help: str
    at: str = "every"


EVERY, INNER, LAST, REMEMBERS, CORRECTS, DRAWS = "every", "inner", "last", "remembers", "corrects", "draws"


def never(sampling: SamplingLike) -> int:
    """The `draws` of a solver of the ODE."""
    return 0


def every(path: PathLike, sampling: SamplingLike, index: int) -> bool:
    """The `draws_at` of most."""
    return True


class Variant(NamedTuple):
    """A solver with values of its knobs that make a method of a name of its own.

    title: for buttons. values: of the fields of `Sampling`. called: what it is called by people. order: of convergence,
    where it is not the solver's.
    """

    name: str
    title: str
    values: dict[str, Any]
    called: str
    order: int | None = None


@dataclass(frozen=True)
class Solver:
    """An entry of SOLVERS.

    title: for buttons; family: what it is one of, in a word or two. order: of convergence on smooth problems, without
    noise. evaluations(N): denoiser calls of N steps, the last one to σ = 0, with the knobs as they come. knobs: the
    fields of `Sampling` that change something only where this solver is chosen. draws(sampling): how often a step, but
    never the last, to σ = 0, calls `draw` with these settings; 0: it solves the ODE.

    begin(path, sampling) -> step. path: of the run (`edm.sampling.path.Path`); its `sampling` is `sampling`. A run may
    begin in the middle of its path, with nothing to remember. step(ode, now, draw): `ode.slope(x, t)` -> (slope, D) is
    one evaluation more; the tensors of `now` are the run's and must not be written into.

    help: a line. forms: what `variant` may be, its own first. own_order: what `order` is where it is not given; None:
    `order` does not matter. quiet: values of its knobs with which it adds no noise. in_sigma: whether it works on x/s
    and σ, so that schedule and scaling do not touch it. remembers: whether it does, so that a step with churn's noise
    begins anew, at order 1. draws_at(path, sampling, i): whether step i draws at all.
    rival: values of its knobs with which it is held against whatever somebody has chosen; None: it is not.
    preview: fields of `Sampling` with which it stands for a converged solution; one of all solvers has them.
    hears(sampling): whether it asks for `ode.variance(now)` with these settings.
    counted(N, sampling): `evaluations` with these settings, where its knobs change them. orders(p): `order` where the
    field `order` is p. shared(path, sampling, i): evaluations of step i, where a step in the middle takes other than
    two steps take more than one. called: other names that people have for it, besides its variants'.
    parts(sampling): what a step does after D, one after the other. few: N up to which `lower_order_final` has it
    forget at the end; None: any.
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
    help: str = ""
    forms: tuple[str, ...] = ()
    own_order: int | None = None
    quiet: Mapping[str, Any] = field(default_factory=dict)
    in_sigma: bool = False
    remembers: bool = False
    draws_at: Callable[[PathLike, SamplingLike, int], bool] = every
    counted: Callable[[int, SamplingLike], int] | None = None
    rival: Mapping[str, Any] | None = None
    preview: Mapping[str, Any] | None = None
    orders: Callable[[int], int] | None = None
    hears: Callable[[SamplingLike], bool] | None = None
    shared: Callable[[PathLike, SamplingLike, int], int] | None = None
    called: tuple[Alias, ...] = ()
    parts: Callable[[SamplingLike], tuple[Part, ...]] | None = None
    few: int | None = None

    @property
    def aliases(self) -> tuple[Alias, ...]:
        """Other names of it, those of its variants among them."""
        return (*self.called, *(Alias(one.name, sets=one.values) for one in self.variants))

    @property
    def own(self) -> dict[str, Any]:
        """What `order` and `variant` are where they are None."""
        return ({"order": self.own_order} if self.own_order else {}) | (
            {"variant": self.forms[0]} if self.forms else {}
        )

    @property
    def leaves(self) -> tuple[str, ...]:
        """The fields of `Sampling` that change nothing with this solver."""
        return ("schedule", "scaling") if self.in_sigma else ()

    def cost(self, steps: int, sampling: SamplingLike) -> int:
        """Denoiser calls of so many steps with these settings."""
        return self.counted(steps, sampling) if self.counted else self.evaluations(steps)

    def share(self, path: PathLike, sampling: SamplingLike, index: int) -> int:
        """Denoiser calls of step `index`; together they are its `cost`."""
        if self.shared:
            return self.shared(path, sampling, index)
        return self.evaluations(2) - self.evaluations(1) if index < path.steps - 1 else self.evaluations(1)

    def does(self, part: Part, path: PathLike, sampling: SamplingLike, index: int) -> bool:
        """Whether step `index` does this part of it."""
        last = path.steps - 1
        if part.at == DRAWS:
            return index < last and self.draws(sampling) > 0 and self.draws_at(path, sampling, index)
        if part.at in (REMEMBERS, CORRECTS):
            few = self.few is None or path.steps <= self.few
            forgets = part.at == REMEMBERS and "lower_order_final" in self.knobs and sampling.lower_order_final and few
            return 0 < index < last - forgets and not path.gammas[index]
        return part.at == EVERY or (part.at == LAST) == (index == last)

    def claimed(self, sampling: SamplingLike) -> int:
        """The order of convergence with these settings."""
        for variant in self.variants:
            if variant.order is not None and all(getattr(sampling, k) == v for k, v in variant.values.items()):
                return variant.order
        return self.orders(sampling.order) if self.orders and sampling.order else self.order
