"""What can be sampled: any callable D(x, sigma, labels=None) -> x0, and what the library wants to know of it.

A callable need say nothing of itself; `denoiser_of` gives it the whole of `DenoiserLike`. What wraps a denoiser (to
watch it, to stop it, to guide it) is a subclass of `Around`, which passes on what it does not change.
"""

from __future__ import annotations

import copy
import inspect
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, Self, TypeVar, runtime_checkable

import torch

from edm.base.copies import COPIES
from edm.base.devices import precise
from edm.base.errors import Refused
from edm.base.exactness import exact
from edm.embedded import Embedded
from edm.exact import GaussianMixture
from edm.wrapped import Wrapped

if TYPE_CHECKING:
    from edm.base.protocols import HeaderLike, PathLike

Denoise = Callable[..., torch.Tensor]  # D(x, sigma, labels=None) -> x0
At = Callable[[int], Denoise]  # of a run: step i -> the denoiser of its evaluations
_Callable = TypeVar("_Callable", bound=Denoise)


@runtime_checkable
class DenoiserLike(Protocol):
    """D(x; σ) of x [B, …], with σ a number or [B], and labels [B] or None.

    shape: of one sample; classes: how many it can be told of, 0 for none; None where either is not known.
    sigma_min, sigma_max: the levels that it is for, 0 and ∞ where it does not say. round_sigma(σ): the level that it
    really sees, for one that knows discrete ones only; else σ itself. sigma_data: of the data that it denoises, and
    header: of the file that it was loaded from; None where there is none.
    """

    @property
    def shape(self) -> tuple[int, ...] | None: ...
    @property
    def classes(self) -> int | None: ...
    @property
    def sigma_min(self) -> float: ...
    @property
    def sigma_max(self) -> float: ...
    @property
    def sigma_data(self) -> float | None: ...
    @property
    def header(self) -> HeaderLike | None: ...
    def round_sigma(self, sigma: Any) -> Any: ...
    def __call__(self, x: torch.Tensor, sigma: Any, labels: Any = None) -> torch.Tensor: ...


class Around:
    """A denoiser put around another, `inner`: any callable. By itself it changes nothing.

    It can be copied and pickled where what it holds can. A subclass that holds more denoisers moves them in `to`.
    """

    def __init__(self, inner: Denoise | None):
        self.inner: Any = inner

    @property
    def shape(self) -> tuple[int, ...] | None:
        return getattr(self.inner, "shape", None)

    @property
    def classes(self) -> int | None:
        return getattr(self.inner, "classes", None)

    @property
    def sigma_min(self) -> float:
        return getattr(self.inner, "sigma_min", 0.0)

    @property
    def sigma_max(self) -> float:
        return getattr(self.inner, "sigma_max", math.inf)

    @property
    def sigma_data(self) -> float | None:
        return getattr(self.inner, "sigma_data", None)

    @property
    def header(self) -> HeaderLike | None:
        return getattr(self.inner, "header", None)

    def round_sigma(self, sigma: Any) -> Any:
        rounded = getattr(self.inner, "round_sigma", None)
        return sigma if rounded is None else rounded(sigma)

    def __call__(self, x: torch.Tensor, sigma: Any, labels: Any = None) -> torch.Tensor:
        return ask(self.inner, x, sigma, labels)

    def of_samples(self, sampling: Any, labels: Any, seeds: Any) -> Self:
        """See `of_samples`. Itself where it makes no difference, with what it remembers."""
        inner = of_samples(self.inner, sampling, labels, seeds)
        return self if inner is self.inner else self.around(inner)

    def part(self, rows: slice) -> Self:
        """The same for these samples of the batch: what belongs to samples, such as an upsampler's low-resolution
        images, is cut like them. A copy. A subclass that holds more denoisers cuts them, too."""
        inner = part(self.inner, rows)
        return self if inner is self.inner else self.around(inner)

    def to(self, device: torch.device | str) -> Self:
        """The same around `inner` on that device; a copy."""
        return self.around(on(self.inner, device))

    def around(self, inner: Any) -> Self:
        """The same around another denoiser; a copy."""
        made = copy.copy(self)
        made.inner = inner
        return made

    def along(self, path: PathLike) -> At | None:
        """See `along`."""
        at = along(self.inner, path)
        return None if at is None else lambda index: self.around(at(index))

    def evaluations_at(self, sigma: Any) -> int:
        """See `evaluations_at`."""
        return evaluations_at(self.inner, sigma)

    def pair(self, x: torch.Tensor, sigma: Any, labels: Any) -> tuple[torch.Tensor, torch.Tensor]:
        """See `pair`. A subclass with a way of its own to call is called that way."""
        if type(self).__call__ is Around.__call__:
            return pair(self.inner, x, sigma, labels)
        return _both(self, x, sigma, labels)


_OURS = (Around, Wrapped, GaussianMixture, Embedded)  # which say all of it, and stay where they are in `to`


def denoiser_of(denoiser: Denoise | None) -> DenoiserLike:
    """Any callable with all that is asked of a denoiser: itself, or around it what it does not say.

    None stands for one of which nothing is known; it answers nothing. Raises Refused for a classifier.
    """
    if why := getattr(denoiser, "no_denoiser", ""):
        raise Refused(why)
    return denoiser if isinstance(denoiser, _OURS) else Around(denoiser)


def ask(denoiser: Denoise, x: torch.Tensor, sigma: Any, labels: Any = None) -> torch.Tensor:
    """D(x; σ), in float32 where x is; a callable that is told of no classes need not take labels."""
    if x.device.type == "cpu":
        return denoiser(x, sigma) if labels is None else denoiser(x, sigma, labels)
    with exact():
        return denoiser(x, sigma) if labels is None else denoiser(x, sigma, labels)


def conditional(denoiser: Denoise) -> bool:
    """Whether it is to be told of classes: it knows some; of one that does not say, whether it takes a third
    argument."""
    known = denoiser_of(denoiser).classes
    if known is not None:
        return known > 0
    try:
        inspect.signature(denoiser).bind(None, None, None)
    except (TypeError, ValueError):
        return False
    return True


def innermost(denoiser: Any) -> Any:
    """What is within all that is around it."""
    while isinstance(denoiser, Around):
        denoiser = denoiser.inner
    return denoiser


class Step(NamedTuple):
    """Where step i = `index` of a run begins: σ_i, σ̂_i with churn's noise, and σ_{i+1}, where it ends."""

    index: int
    sigma: float
    sigma_hat: float
    sigma_next: float


def step_of(path: PathLike, index: int) -> Step:
    """Step `index` of a path."""
    sigma = path.sigmas[index]
    raised = path.schedule.sigma(path.hats[index]) if path.gammas[index] else sigma
    return Step(index, sigma, raised, path.sigmas[index + 1])


def along(denoiser: Denoise, path: PathLike) -> At | None:
    """What a run along `path` asks in each of its steps, at(i), if the denoiser wants to know of them (its method
    `along`); None if it does not. What it remembers from step to step is that run's."""
    own = getattr(denoiser, "along", None)
    return None if own is None else own(path)


def evaluations_at(denoiser: Denoise, sigma: Any) -> int:
    """How many networks, or passes of one, a call at σ evaluates: 1, if the denoiser says nothing else by a method of
    this name."""
    own = getattr(denoiser, "evaluations_at", None)
    return 1 if own is None else own(sigma)


def pair(denoiser: Denoise, x: torch.Tensor, sigma: Any, labels: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """(D(x; σ, c), D(x; σ)): of a network as one batch, of an exact denoiser from the same distances."""
    own: Any = getattr(denoiser, "pair", None)
    return _both(denoiser, x, sigma, labels) if own is None else own(x, sigma, labels)


def _both(denoiser, x, sigma, labels):
    """The same by calls. Networks know −1 for no class; whatever else there is need not, and is asked twice."""
    if not isinstance(innermost(denoiser), Wrapped):
        return ask(denoiser, x, sigma, labels), ask(denoiser, x, sigma)
    labels = torch.as_tensor(labels)
    if isinstance(sigma, torch.Tensor) and sigma.numel() > 1:
        sigma = torch.cat([sigma, sigma])
    both = ask(denoiser, torch.cat([x, x]), sigma, torch.cat([labels, torch.full_like(labels, -1)]))
    return both[: len(x)], both[len(x) :]


def of_samples(denoiser: _Callable, sampling: Any, labels: Any, seeds: Any) -> _Callable:
    """What a run asks for these samples, where a denoiser wants to know which they are (its method `of_samples`).

    Itself where it makes no difference, whatever passes on the attributes of another denoiser included."""
    own: Any = getattr(denoiser, "of_samples", None)
    found = None if own is None else own(sampling, labels, seeds)
    return denoiser if found is None or found is getattr(own, "__self__", None) else found


def part(denoiser: _Callable, rows: slice) -> _Callable:
    """The denoiser for x[rows], where it belongs to the samples of a batch; else itself."""
    movable: Any = denoiser
    return movable.part(rows) if isinstance(denoiser, Around | Wrapped) and hasattr(movable, "part") else movable


def on(denoiser: _Callable, device: torch.device | str) -> _Callable:
    """The denoiser with its numbers on `device`. The one given stays where it is, whatever it is."""
    if not hasattr(denoiser, "to"):
        return denoiser
    if isinstance(denoiser, GaussianMixture):
        return _exact_on(denoiser, torch.empty(0, device=device).device)
    stays = isinstance(denoiser, _OURS)
    movable: Any = denoiser if stays else copy.deepcopy(denoiser)  # others, such as torch's modules, move themselves
    return movable.to(device)


def _exact_on(mixture, device) -> Any:
    """Itself if it is there; else a copy that is kept, as a network's is."""
    if mixture.means.device == device:
        return mixture

    def size(moved):
        return sum(value.nbytes for value in vars(moved).values() if isinstance(value, torch.Tensor))

    return COPIES.of(mixture, device, precise(device), size, lambda: mixture.to(device))
