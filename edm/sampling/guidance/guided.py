"""What all guided denoisers have in common: a weight, where it counts, and how the guided D is put together."""

from __future__ import annotations

import copy
import math
from abc import abstractmethod
from numbers import Real
from typing import TYPE_CHECKING, Any, Self

import torch

from edm.base.errors import Refused, shown
from edm.base.transfers import sent
from edm.sampling.denoisers import Around, At, Denoise, Step, along, evaluations_at, step_of

if TYPE_CHECKING:
    from edm.base.protocols import PathLike

Interval = tuple[float, float]


class Guided(Around):
    """D_w(x; σ, c) around a denoiser. Made by the functions of `edm.guidance`.

    weight: w. interval: (low, high), guided for low < σ ≤ high; None: everywhere. In a run that is a matter of the
    step: σ is the level σ_i where it begins, before churn, so that its evaluations are all alike; called alone, of σ.
    rescale: φ, which share of the result has the size of the denoiser's own (arXiv 2305.08891), each sample by itself.
    neutral: the weight at which it is the denoiser alone.
    """

    neutral: float | None = 1.0

    def __init__(self, inner: Denoise, weight: float, interval: Interval | None, rescale: float = 0.0):
        super().__init__(inner)
        self.weight, self.interval = number("weight", weight), _interval(interval)
        self.rescale = number("rescale", rescale, 0, 1)
        self.begun: Step | None = None  # of what a run asks: the step that it is in

    def along(self, path: PathLike) -> At:
        """at(i): itself within step i of a run, whatever σ it is asked at."""
        inner = along(self.inner, path)
        return lambda index: self._within(step_of(path, index), self.inner if inner is None else inner(index))

    def _within(self, step: Step, inner: Any) -> Self:
        made = copy.copy(self)
        made.begun, made.inner = step, inner
        return made

    def evaluations_at(self, sigma: Any) -> int:
        """How many networks, or passes of one, a call at σ evaluates; of levels of several samples, the most."""
        inside = self._inside(sigma)
        if isinstance(inside, torch.Tensor):
            inside = True
        return self._evaluated(sigma) if inside and self._own_weight() != self.neutral else self._plainly(sigma)

    def __call__(self, x: torch.Tensor, sigma: Any, labels: Any = None) -> torch.Tensor:
        labels, inside, weight = self._labels(x, labels), self._inside(sigma), self._own_weight()
        if inside is False or weight == self.neutral:
            return self._plain(x, sigma, labels)
        guided, plain = self._guided(x, sigma, labels, weight)
        if self.rescale:
            guided = guided + self.rescale * (_resized(guided, plain) - guided)
        if not isinstance(inside, torch.Tensor):
            return guided
        return torch.where(sent(inside, x.device).view(-1, *[1] * (x.ndim - 1)), guided, plain)

    @abstractmethod
    def _guided(self, x: torch.Tensor, sigma: Any, labels: Any, weight: float) -> tuple[torch.Tensor, torch.Tensor]:
        """(D_w, D without guidance)."""

    @abstractmethod
    def _evaluated(self, sigma: Any) -> int:
        """What a guided call evaluates."""

    def _plain(self, x: torch.Tensor, sigma: Any, labels: Any) -> torch.Tensor:
        """D without guidance."""
        return super().__call__(x, sigma, labels)

    def _plainly(self, sigma: Any) -> int:
        """What it evaluates."""
        return evaluations_at(self.inner, sigma)

    def _labels(self, x: torch.Tensor, labels: Any) -> Any:
        """The classes that it is asked for, checked."""
        return labels

    def _own_weight(self) -> float:
        """w of this step."""
        return self.weight

    def _inside(self, sigma: Any) -> bool | torch.Tensor:
        """Whether it is guided at σ, or in the step that this is asked in; of several levels, where."""
        if self.interval is None:
            return True
        low, high = self.interval
        if self.begun is not None:
            sigma = self.begun.sigma
        elif isinstance(sigma, torch.Tensor) and (sigma.numel() > 1 or sigma.device.type != "cpu"):
            return (sigma > low) & (sigma <= high)
        return low < float(sigma) <= high


def number(name: str, value: Any, low: float = -math.inf, high: float = math.inf) -> float:
    """A finite number between low and high. Raises Refused for what is none."""
    given: Any = value if isinstance(value, Real) and not isinstance(value, bool) else math.nan
    if math.isfinite(given) and low <= given <= high:
        return float(given)
    least, most = f", {low:g} or more" if low > -math.inf else "", f", {high:g} or less" if high < math.inf else ""
    raise Refused(f"{name} = {shown(value)}: must be a finite number{least}{most}")


def _interval(interval) -> Interval | None:
    if interval is None:
        return None
    try:
        low, high = (float(bound) for bound in interval)
    except (TypeError, ValueError):
        raise Refused(f"interval = {shown(interval)}: must be two noise levels, (low, high), or None") from None
    if not 0 <= low < high:
        raise Refused(
            f"interval = ({low:g}, {high:g}): the first must be below the second, and 0 or more: "
            "it is guided where low < sigma <= high"
        )
    return low, high


def _resized(guided, plain) -> torch.Tensor:
    """D_w with the standard deviation of D, sample by sample; one that is the same everywhere stays."""
    dims = tuple(range(1, guided.ndim))
    own, wanted = (value.std(dims, correction=0, keepdim=True) for value in (guided, plain))
    return guided * torch.where(own > 0, wanted / own.clamp(min=torch.finfo(own.dtype).tiny), torch.ones_like(own))
