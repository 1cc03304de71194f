"""Guidance by a classifier of noisy samples: D_w(x; σ, c) = D(x; σ) + w·σ²·∇ log p(c | x; σ)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from numbers import Real
from typing import Any, Self

import torch

from edm.base.errors import Refused
from edm.base.exactness import exact
from edm.base.transfers import sent
from edm.exact import GaussianMixture
from edm.given import classes_of
from edm.sampling.denoisers import Around, Denoise, conditional, denoiser_of, evaluations_at, on, pair
from edm.sampling.guidance.guided import Guided, Interval
from edm.sampling.guidance.pairs import checked_without, classes_given

NEAR_1 = 0.02  # as far from it probabilities may sum up to, in half precision
LogProbability = Callable[..., torch.Tensor]  # log p(c | x; σ) [B, C] of x [B, …], which is not scaled, and σ


class Classified(Guided):
    """log_probability: log p(c | x; σ) [B, C] of (x, σ), differentiable in x. At w = 0 it is not evaluated.

    Labels are passed on to the denoiser, if it is conditional and `told`: then w adds to what the class does there. The
    gradient is in float32, or wider where x is; an exact mixture tells σ² times it, D_c − D, by itself.
    """

    neutral = 0.0

    def __init__(self, inner: Denoise, log_probability: LogProbability, weight: float, interval: Interval | None,
                 rescale: float = 0.0, told: bool = True):  # fmt: skip
        super().__init__(inner, weight, interval, rescale)
        if not callable(log_probability):
            raise Refused(f"log_probability must be a function of (x, sigma), not {type(log_probability).__name__}")
        self.log_probability = log_probability
        self._tells = told and conditional(inner)
        if conditional(inner) and not told:
            checked_without(inner)
        shape, own = getattr(_object(log_probability), "shape", None), denoiser_of(inner).shape
        if isinstance(shape, tuple) and own is not None and shape != tuple(own):
            raise Refused(f"the classifier is for samples of shape {list(shape)}, the denoiser for {list(own)}")

    @property
    def classes(self) -> int | None:
        known = getattr(_object(self.log_probability), "classes", None)
        return known if isinstance(known, int) else super().classes or None

    def to(self, device: torch.device | str) -> Self:
        """The same with denoiser and classifier on that device, if it can be moved; a copy."""
        moved, given = super().to(device), self.log_probability
        owner = getattr(given, "__self__", None)
        moved.log_probability = on(given, device) if owner is None else getattr(on(owner, device), given.__name__)
        return moved

    def _labels(self, x: torch.Tensor, labels: Any) -> torch.Tensor:
        return sent(classes_of("labels", classes_given(labels), len(x), self.classes), x.device)

    def _plain(self, x: torch.Tensor, sigma: Any, labels: Any) -> torch.Tensor:
        return super()._plain(x, sigma, labels if self._tells else None)

    def _evaluated(self, sigma: Any) -> int:
        return evaluations_at(self.inner, sigma) + 1

    def _guided(self, x: torch.Tensor, sigma: Any, labels: Any, weight: float) -> tuple[torch.Tensor, torch.Tensor]:
        owner = self._exact
        if owner is not None and owner is _asked(self.inner):
            own, every = pair(self.inner, x, sigma, labels)
            plain, pull = own if self._tells else every, own - every
        else:
            plain, pull = self._plain(x, sigma, labels), self._pull(owner, x, sigma, labels)
        return plain + weight * pull.to(plain.dtype), plain

    @property
    def _exact(self) -> GaussianMixture | None:
        """The exact denoiser whose posterior the classifier is, if it is one's; that of patches has no density."""
        owner = _object(self.log_probability)
        if not isinstance(owner, GaussianMixture) or getattr(owner, "patch", None) is not None:
            return None
        return owner if self.log_probability == owner.log_class_probability else None

    def _pull(self, exact, x, sigma, labels) -> torch.Tensor:
        """σ²·∇ log p(c | x; σ)."""
        if exact is not None:
            own, every = exact.pair(x, sigma, labels)
            return own - every
        if not isinstance(sigma, Real):
            sigma = sent(torch.as_tensor(sigma), x.device)
            variance: Any = sigma.square().view(-1, *[1] * (x.ndim - 1))
        else:
            variance = float(sigma) ** 2
        return variance * gradient(self.log_probability, x, sigma, labels)


def gradient(log_probability: LogProbability, x: torch.Tensor, sigma: Any, labels: torch.Tensor) -> torch.Tensor:
    """∇ log p(c | x; σ) [B, …] of each sample's class, in float32 or wider. Raises Refused where there is none."""
    wide = x.dtype if x.dtype == torch.float64 else torch.float32
    with ExitStack() as stack:
        if torch.is_inference_mode_enabled():
            stack.enter_context(torch.inference_mode(False))
        if x.device.type != "cpu":
            stack.enter_context(exact())
        stack.enter_context(torch.enable_grad())
        at = x.detach().to(wide, copy=True).requires_grad_()
        logs = log_probability(at, sigma)
        _check(logs, labels)
        chosen = logs.gather(1, labels[:, None].clone())
        (found,) = torch.autograd.grad(chosen.sum(), at, allow_unused=True)
    if found is None:
        raise Refused("log_probability does not depend on its x in a way that can be differentiated")
    if found.device.type == "cpu" and not torch.isfinite(found).all():
        raise Refused(f"the gradient of log_probability is not finite at sigma = {_said(sigma)}")
    return found


def _check(logs, labels):
    count = len(labels)
    if not isinstance(logs, torch.Tensor) or not logs.is_floating_point():
        raise Refused(
            f"log_probability returned {type(logs).__name__}; it must return numbers [B, C], log p(c | x; sigma)"
        )
    if logs.ndim != 2 or len(logs) != count:
        raise Refused(f"log_probability returned {list(logs.shape)} for {count} samples; it must return [{count}, C]")
    if labels.device.type == "cpu" and int(labels.max()) >= logs.shape[1]:
        raise Refused(f"labels contain {int(labels.max())}: the classifier knows {logs.shape[1]} classes, from 0")
    if not logs.requires_grad:
        raise Refused(
            "log_probability gives no gradient in x: it must be made of torch's operations, without no_grad or detach"
        )
    if labels.device.type == "cpu" and ((total := logs.detach().float().logsumexp(1).exp()) - 1).abs().max() > NEAR_1:
        raise Refused(
            f"log_probability returned rows whose probabilities sum to {float(total.max()):.3g}, not to 1: it must "
            "return log p(c | x; sigma), as torch.log_softmax makes it of what a network says, neither that nor p"
        )


def _asked(denoiser) -> Any:
    """What is within all that is around it, but for guidance."""
    while isinstance(denoiser, Around) and not isinstance(denoiser, Guided):
        denoiser = denoiser.inner
    return denoiser


def _object(function) -> Any:
    """The thing whose method a function is; else the function itself."""
    return getattr(function, "__self__", function)


def _said(sigma) -> str:
    return f"{sigma:g}" if isinstance(sigma, Real) else f"{torch.as_tensor(sigma).flatten()[0]:g}"
