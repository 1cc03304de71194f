"""Guidance by a pair of denoisers: away from what is not told of the class, or from a worse model of the same data."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Real
from typing import TYPE_CHECKING, Any, Self

import torch

from edm.base.errors import Refused
from edm.sampling.denoisers import At, Denoise, along, ask, denoiser_of, evaluations_at, of_samples, on, pair, part
from edm.sampling.guidance.guided import Guided, Interval

if TYPE_CHECKING:
    from edm.base.protocols import PathLike


class Pair(Guided):
    """D_w = D_g + w·(D − D_g), where `guide` g is another denoiser of the same x, σ and labels.

    At w = 1 the guide is not evaluated, at w = 0 nothing else is. sigma_min, sigma_max: what both know.
    """

    lone: float | None = 0.0  # the weight at which it is the guide alone

    def __init__(self, inner: Denoise, guide: Denoise | None, weight: float, interval: Interval | None, rescale: float):
        super().__init__(inner, weight, interval, rescale)
        self.guide: Any = guide
        if guide is not None:
            _fit(inner, guide)

    @property
    def sigma_min(self) -> float:
        return max(super().sigma_min, denoiser_of(self.guide).sigma_min)

    @property
    def sigma_max(self) -> float:
        return min(super().sigma_max, denoiser_of(self.guide).sigma_max)

    def to(self, device: torch.device | str) -> Self:
        """The same with both on that device; a copy."""
        return self._each(lambda denoiser: on(denoiser, device))

    def part(self, rows: slice) -> Self:
        """The same with both for these samples of the batch; a copy."""
        return self._each(lambda denoiser: part(denoiser, rows))

    def of_samples(self, sampling: Any, labels: Any, seeds: Any) -> Self:
        """The same with both for these samples; a copy."""
        return self._each(lambda denoiser: of_samples(denoiser, sampling, labels, seeds))

    def _each(self, change: Callable[[Any], Any]) -> Self:
        made = self.around(change(self.inner))
        made.guide = None if self.guide is None else change(self.guide)
        return made

    def along(self, path: PathLike) -> At:
        """See `Guided.along`; its guide knows of the step, too."""
        at, guide = super().along(path), along(self.guide, path)

        def within(index: int) -> Denoise:
            made: Any = at(index)
            made.guide = self.guide if guide is None else guide(index)
            return made

        return within

    def _evaluated(self, sigma: Any) -> int:
        other = self.inner if self.guide is None else self.guide
        alone = self._own_weight() == self.lone
        return evaluations_at(other, sigma) + (0 if alone else evaluations_at(self.inner, sigma))

    def _guided(self, x: torch.Tensor, sigma: Any, labels: Any, weight: float) -> tuple[torch.Tensor, torch.Tensor]:
        if weight == self.lone:
            other = self._other(x, self._seen(sigma), labels)
            return other, other
        own, other = self._ends(x, sigma, labels)
        return self._joined(own, other, weight), own

    def _ends(self, x, sigma, labels) -> tuple[torch.Tensor, torch.Tensor]:
        """(D, D_g)."""
        sigma = self._seen(sigma)
        return ask(self.inner, x, sigma, labels), self._other(x, sigma, labels)

    def _other(self, x, sigma, labels) -> torch.Tensor:
        """D_g alone."""
        return ask(self.guide, x, sigma, labels)

    def _joined(self, own: torch.Tensor, other: torch.Tensor, weight: float) -> torch.Tensor:
        """D_w."""
        return other + weight * (own - other)

    def _seen(self, sigma: Any) -> Any:
        """The level that both see: the one that the denoiser rounds σ to, if it does."""
        rounded = self.round_sigma(sigma)
        if not isinstance(sigma, Real):
            return rounded
        return sigma if rounded is sigma else float(rounded)


class Free(Pair):
    """Classifier-free: D_u + w·(D_c − D_u), D_u being it without a class, or `guide`, an unconditional one."""

    def __init__(
        self, inner: Denoise, weight: float, interval: Interval | None, rescale: float = 0.0,
        unconditional: Denoise | None = None,
    ):  # fmt: skip
        super().__init__(inner, unconditional, weight, interval, rescale)
        checked_free(inner, unconditional is None)

    def _labels(self, x: torch.Tensor, labels: Any) -> Any:
        return classes_given(labels)

    def _ends(self, x, sigma, labels) -> tuple[torch.Tensor, torch.Tensor]:
        return super()._ends(x, sigma, labels) if self.guide is not None else pair(self.inner, x, sigma, labels)

    def _other(self, x, sigma, labels) -> torch.Tensor:
        return ask(self.inner if self.guide is None else self.guide, x, sigma)


class PlusPlus(Free):
    """CFG++ (arXiv 2406.08070): x⁺ = D_u + λ·(D_c − D_u) + (σ⁺/σ)·(x − D_u), the noise being D_u's.

    As a denoiser that is w = λ·σ/(σ − σ⁺) of the step from σ, churn's noise included, to σ⁺: Euler's step in σ, and
    DDIM's without noise, are CFG++ then. Called alone it is D_u + λ·(D_c − D_u), as in the step to 0.
    """

    neutral = None

    def _own_weight(self) -> float:
        if self.begun is None:
            return self.weight
        return self.weight * self.begun.sigma_hat / (self.begun.sigma_hat - self.begun.sigma_next)


class _Average:
    """What a run remembers of the differences of its steps."""

    index: int = -1
    now: torch.Tensor | None = None
    before: torch.Tensor | None = None


class Projected(Free):
    """APG (arXiv 2410.02416): D_c + (w − 1)·Δ⊥, of Δ = D_c − D_u the part perpendicular to D_c, of each sample.

    parallel: η, how much of the other part is kept; 1 is classifier-free guidance. threshold: r, up to which Δ may be
    long, ‖Δ‖ ≤ r; 0: as long as it is. momentum: β, Δ_i + β·(what step i − 1 had): from step to step of a run, with
    which it begins. In a step all evaluations have the same before them.
    """

    lone = None

    def __init__(
        self, inner: Denoise, weight: float, interval: Interval | None, parallel: float, threshold: float,
        momentum: float, unconditional: Denoise | None = None,
    ):  # fmt: skip
        super().__init__(inner, weight, interval, 0.0, unconditional)
        self.parallel, self.threshold, self.momentum = parallel, threshold, momentum
        self._average: _Average | None = None

    def along(self, path: PathLike) -> At:
        """See `Guided.along`; what it remembers is that run's."""
        at, average = super().along(path), _Average()

        def within(index: int) -> Denoise:
            made: Any = at(index)
            made._average = average
            return made

        return within

    def _joined(self, own: torch.Tensor, other: torch.Tensor, weight: float) -> torch.Tensor:
        difference, dims = self._with_momentum(own - other), tuple(range(1, own.ndim))
        if self.threshold:
            length = difference.square().sum(dims, keepdim=True).sqrt()
            difference = difference * (self.threshold / length.clamp(min=self.threshold))
        size = own.square().sum(dims, keepdim=True).clamp(min=torch.finfo(own.dtype).tiny)
        along_own = (difference * own).sum(dims, keepdim=True) / size * own
        return own + (weight - 1) * (difference - (1 - self.parallel) * along_own)

    def _with_momentum(self, difference):
        average, step = self._average, self.begun
        if average is None or step is None or not self.momentum:
            return difference
        first = average.index != step.index
        if first:
            average.index, average.before = step.index, average.now
        if average.before is not None:
            difference = difference + self.momentum * average.before
        if first:
            average.now = difference
        return difference


def checked_free(denoiser: Denoise, alone: bool = True) -> None:
    """Raises Refused for one that has no D with a class; or, if it stands alone, none without."""
    known = denoiser_of(denoiser)
    if known.classes == 0:
        raise Refused("this denoiser knows no classes, so that there is none to guide it to; choose another guidance")
    if alone:
        checked_without(denoiser)


def checked_without(denoiser: Denoise) -> None:
    """Raises Refused for one that has no D without a class."""
    header = denoiser_of(denoiser).header
    if header is not None and header.classes and not header.label_dropout:
        raise Refused(
            "this model was never without a class in its training (label_dropout = 0), so that it has no D without "
            "one: give an unconditional model as guide, or choose another guidance"
        )


def classes_given(labels: Any) -> Any:
    """Labels, if there are any. Raises Refused if not."""
    if labels is None:
        raise Refused("this guidance leads to a class: give labels, one for each sample")
    return labels


def _fit(inner, guide):
    """Raises Refused for a guide that cannot guide."""
    own, other = denoiser_of(inner), denoiser_of(guide)
    if own.shape is not None and other.shape is not None and tuple(own.shape) != tuple(other.shape):
        raise Refused(f"the guide is for samples of shape {list(other.shape)}, the model for {list(own.shape)}")


def same_classes(inner: Denoise, guide: Denoise) -> None:
    """Raises Refused for a guide that counts other classes."""
    own, other = denoiser_of(inner).classes, denoiser_of(guide).classes
    if None not in (own, other) and own != other:
        raise Refused(f"the guide knows {other} classes, the model {own}; both are told of the same, so choose another")
