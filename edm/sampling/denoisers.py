"""What can be sampled: any callable D(x, sigma, labels=None) -> x0, and what the library wants to know of it.

A callable need say nothing of itself; `denoiser_of` gives it the whole of `DenoiserLike`. What wraps a denoiser (to
watch it, to stop it, to guide it) is a subclass of `Around`, which passes on what it does not change.
"""

from __future__ import annotations

import copy
import logging
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar, runtime_checkable

import torch

from edm.base.copies import COPIES
from edm.base.devices import out_of_memory, precise
from edm.base.exactness import exact
from edm.embedded import Embedded
from edm.exact import GaussianMixture
from edm.preconditioning import Denoiser

if TYPE_CHECKING:
    from edm.base.protocols import HeaderLike

Denoise = Callable[..., torch.Tensor]  # D(x, sigma, labels=None) -> x0
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

    def to(self, device: torch.device | str) -> Self:
        """The same around `inner` on that device; a copy."""
        moved = copy.copy(self)
        moved.inner = on(self.inner, device)
        return moved


_OURS = (Around, Denoiser, GaussianMixture, Embedded)  # which say all of it, and stay where they are in `to`


def denoiser_of(denoiser: Denoise | None) -> DenoiserLike:
    """Any callable with all that is asked of a denoiser: itself, or around it what it does not say.

    None stands for one of which nothing is known; it answers nothing.
    """
    return denoiser if isinstance(denoiser, _OURS) else Around(denoiser)


def ask(denoiser: Denoise, x: torch.Tensor, sigma: Any, labels: Any = None) -> torch.Tensor:
    """D(x; σ), in float32 where x is; a callable that is told of no classes need not take labels."""
    if x.device.type == "cpu":
        return denoiser(x, sigma) if labels is None else denoiser(x, sigma, labels)
    with exact():
        return denoiser(x, sigma) if labels is None else denoiser(x, sigma, labels)


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


def compiled(denoiser: _Callable, mode: str | None = None) -> _Callable:
    """The denoiser with its network compiled by `torch.compile`, which the first calls of each shape pay for.

    mode: as there; None: "reduce-overhead" on CUDA, whose graphs spare small networks what it takes to start each of
    their operations, and its default elsewhere. A network that cannot be compiled is called as it is, and the log says
    so; one without a network is as it was.
    """
    made: Any = copy.copy(denoiser)
    if isinstance(denoiser, Around):
        made.inner = compiled(denoiser.inner, mode)
    elif isinstance(denoiser, Denoiser):
        made.network = _Compiled(denoiser.network, mode)
    return made


class _Compiled:
    """A network that is compiled when it is first called, for its device."""

    def __init__(self, network, mode):
        self._plain, self._mode, self._made = network, mode, None

    def __getattr__(self, name):
        if name.startswith("__"):  # what copies and pickles ask of a thing that is not made yet
            raise AttributeError(name)
        return getattr(self._plain, name)

    def __getstate__(self):
        return {**self.__dict__, "_made": None}

    def to(self, device):
        return _Compiled(self._plain.to(device), self._mode)

    def __call__(self, x, c_noise, **conditions):
        if self._made is None:
            mode = self._mode or ("reduce-overhead" if x.device.type == "cuda" else None)
            self._made = torch.compile(self._plain, mode=mode)
        try:
            return self._made(x, c_noise, **conditions)
        except Exception as error:
            if self._made is self._plain or out_of_memory(error):
                raise
            logging.getLogger(__name__).warning("the network is not compiled, but called as it is: %s", error)
            self._made = self._plain
            return self._plain(x, c_noise, **conditions)
