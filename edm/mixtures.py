"""What a mixture of Gaussians is asked for at every evaluation, of all its components at once, in few operations.

With variances s_k² and t_k = σ² + s_k². Where all have one width, what they share falls out of the softmax:

    ℓ_k = log π_k + (x·μ_k − ½‖μ_k‖²)/t,     r = softmax(ℓ),     D = (σ²·Σ_k r_k μ_k + s²·x)/t

so that a call is one product of matrices, one softmax and one product. With several widths, −½‖x‖²/t_k − ½d·log t_k is
part of ℓ_k. In float64 that is exact enough for any σ ≥ 1e-4. Where it is not, and for covariances, which have axes of
their own, x − μ_k is worked out for each pair.

Inside, samples are columns and components rows: of points in the plane, products are quick so, and a softmax down the
columns is several times as quick as along short rows. With many coordinates it is the other way round; there, in
float32 too, products are exact enough, as it is at large σ that a sample's way is decided.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from numbers import Real
from typing import Any, NamedTuple

import torch

from edm.base.errors import Refused
from edm.base.transfers import sent

COLUMNS = 8  # coordinates up to which samples are columns
LARGE = 1 << 19  # numbers of all means from which on those of no weight are passed over
NOTHING = 1e-20  # a weight that a mean of float64 does not show
SEEN = 1e-150  # of a class among all: its components are told apart as well as if it stood alone

Level = float | torch.Tensor  # σ: a number, or [1] or [B]


class Asked(NamedTuple):
    """logits [K, B]: ℓ, up to what all components of a sample share. mean(w [K, B], Σ_k w_k = 1) -> Σ_k w_k E[y | x, k]
    [d, B]. rest() -> what logits lack of log π_k N(x; …): [B], or a number."""

    logits: torch.Tensor
    mean: Callable[..., torch.Tensor]
    rest: Callable[[], Any]


class Mixture:
    """The numbers of a mixture, or of a part of it, that no call computes again.

    means [K, d], log_weights [K], variances [K, 1], or [K, d] along the axes `rotations` [K, d, d], or None; all of one
    type. width, weight: the variance and the log-weight that all share; None where they differ.
    """

    def __init__(
        self, means: torch.Tensor, log_weights: torch.Tensor, variances: torch.Tensor, rotations: torch.Tensor | None,
        width: float | None, weight: float | None,
    ):  # fmt: skip
        self._means, self._variances, self._rotations = means, variances, rotations
        self._log_weights, self._weight = log_weights[:, None], weight
        self._dim = means.shape[1]
        by_differences = differs(means.dtype, rotations, self._dim)
        self._lying = self._dim > COLUMNS and not by_differences
        self._sparse = means.numel() > LARGE and means.device.type == "cpu"  # a GPU's weights are not looked at
        if by_differences:
            self._ask = self._by_differences
            return
        self._halves = -0.5 * (means[:, None] @ means[:, :, None])[:, 0]  # of images, no copy of all is made for it
        if width is not None:
            self._ask = partial(self._of_one_width, width)
        else:
            self._ask = self._of_several_widths
            self._factors = torch.cat([means, self._halves, torch.full_like(self._halves, -0.5)], 1)
            self._sums = torch.cat([means, variances], 1)

    def denoised(self, x: torch.Tensor, sigma: Level, other: torch.Tensor | None = None) -> torch.Tensor:
        """D(x; σ) [B, d]. other [K, B]: components that are not of the sample's class."""
        asked = self._asked(x.T, sigma, other)
        return asked.mean(self._softmax(asked.logits)).T

    def pair(self, x: torch.Tensor, sigma: Level, other: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
        """(D of the sample's class, D of all) [B, d], from the same logits."""
        logits, mean, _ = self._ask(x.T, sigma)
        weights = (logits - logits.amax(0)).exp_()
        total = weights.sum(0)
        every = mean(weights, total) / total
        if other is None:
            return every.T, every.T
        weights = weights.masked_fill_(other, 0.0)
        total = weights.sum(0)
        if x.device.type == "cpu" and float(total.min()) > SEEN:
            return (mean(weights, total) / total).T, every.T
        return mean(self._softmax(logits.masked_fill(other, -math.inf))).T, every.T

    def logs(self, x: torch.Tensor, sigma: Level) -> torch.Tensor:
        """log π_k N(x; …) [K, B] up to what all components of a sample share."""
        return self._ask(x.T, sigma).logits

    def _softmax(self, logits) -> torch.Tensor:
        return logits.T.softmax(1).T if self._lying else logits.softmax(0)

    def log_sum(self, x: torch.Tensor, sigma: Level, other: torch.Tensor | None = None) -> torch.Tensor:
        """log Σ_k π_k N(x; …) [B], the sum being over the sample's class."""
        asked = self._asked(x.T, sigma, other)
        return asked.logits.logsumexp(0) + asked.rest()

    def both(
        self, x: torch.Tensor, sigma: Level, other: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """(D, log Σ_k …), both finite where there is none of the class: anything, and as little as can be."""
        logits, mean, rest = self._asked(x.T, sigma, other)
        limits = torch.finfo(x.dtype)
        peak = logits.amax(0).clamp(min=limits.min)
        weights = (logits - peak).exp_()
        total = weights.sum(0).clamp(min=limits.tiny)
        return (mean(weights, total) / total).T, peak + total.log() + rest()

    def _asked(self, x, sigma, other) -> Asked:
        asked = self._ask(x, sigma)
        return asked if other is None else asked._replace(logits=asked.logits.masked_fill(other, -math.inf))

    def _of_one_width(self, width, x, sigma) -> Asked:
        variance = sigma * sigma
        inverse = _inverse(variance + width)
        keep, pull = variance * inverse, width * inverse
        if isinstance(inverse, float):
            bias, beta = self._halves, inverse
            if self._weight is None:
                bias, beta = self._log_weights.add(bias, alpha=inverse), 1.0
            logits = self._product(self._means, x, bias, beta, inverse)
        else:
            bias = self._halves * inverse
            bias = bias if self._weight is not None else bias + self._log_weights
            logits = self._product(self._means, x * inverse, bias)

        def mean(weights, total=None):
            own, means = x if total is None else x * total, self._means
            if self._sparse:
                heavy = (weights > NOTHING).any(1).nonzero()[:, 0]
                if len(heavy) < len(means) // 4:
                    weights, means = weights[heavy], means[heavy]
            if isinstance(keep, float):
                return self._product(means.T, weights, own, pull, keep)
            return self._product(means.T, weights) * keep + own * pull

        def rest():
            shared = self._dim * _log_density_at_0(inverse) + (self._weight or 0.0)
            return shared - 0.5 * inverse * (x * x).sum(0)

        return Asked(logits, mean, rest)

    def _of_several_widths(self, x, sigma) -> Asked:
        variance = sigma * sigma
        inverse = 1 / (variance + self._variances)
        known = torch.cat([x, x.new_ones(1, x.shape[1]), (x * x).sum(0, keepdim=True)])
        constants = self._log_weights.add(inverse.log(), alpha=0.5 * self._dim)
        alike = inverse.shape[1] == 1  # for all samples: then what is multiplied with it is a few coordinates wide
        if alike:
            logits = self._product(self._factors * inverse, known, constants)
        else:
            logits = torch.addcmul(constants, self._product(self._factors, known), inverse)

        def mean(weights, total=None):
            if alike:
                sums = self._product((self._sums * inverse).T, weights)
            else:
                sums = self._product(self._sums.T, weights * inverse)
            return sums[:-1] * variance + sums[-1:] * x

        return Asked(logits, mean, lambda: self._dim * _log_density_at_0(1.0))

    def _by_differences(self, x, sigma) -> Asked:
        rotations, widths = self._rotations, self._variances[:, :, None]
        local = x - self._means[:, :, None]  # [K, d, B]
        if rotations is not None:
            local = rotations.mT @ local
        inverse = 1 / (sigma * sigma + widths)
        roots = inverse.log().sum(1) * (0.5 * self._dim / widths.shape[1])
        logits = (self._log_weights + roots).sub((local * local * inverse).sum(1), alpha=0.5)

        def mean(weights, total=None):
            pulled = local * (widths * inverse)
            pulled = pulled if rotations is None else rotations @ pulled
            return self._means.T @ weights + (pulled * weights[:, None]).sum(0)

        return Asked(logits, mean, lambda: self._dim * _log_density_at_0(1.0))

    def _product(self, left, right, bias=None, beta=1.0, alpha=1.0) -> torch.Tensor:
        """beta·bias + alpha·left·right; lying down, what is row by row in memory is its transpose."""
        if self._lying:
            left, right, bias = right.T, left.T, None if bias is None else bias.T
        made = left @ right if bias is None else torch.addmm(bias, left, right, beta=beta, alpha=alpha)
        return made.T if self._lying else made


def differs(dtype: torch.dtype, rotations: Any, dim: int) -> bool:
    """Whether x − μ is worked out for each pair, and not ‖x − μ‖² by products, for which float32 is too coarse in the
    plane."""
    return rotations is not None or (dtype != torch.float64 and dim <= COLUMNS)


def level(sigma: Any, x: torch.Tensor, zero: bool = True) -> Level:
    """σ: a number, where the host has one for all; else [1] or [B] beside x in the most precise type there. What comes
    from the host must be above 0, or 0 where `zero`."""
    if not isinstance(sigma, Real):
        levels = (sigma if isinstance(sigma, torch.Tensor) else torch.as_tensor(sigma, dtype=torch.float64)).flatten()
        if len(levels) not in (1, len(x)):
            raise Refused(f"sigma holds {len(levels)} values for a batch of {len(x)}; give one, or one for each sample")
        on_host = levels.device.type == "cpu"
        if on_host and len(levels) > 1:
            _check_level(float(levels.detach().min()), zero)
        if not on_host or len(levels) > 1 or levels.requires_grad:
            return sent(levels, x.device, torch.float64)
        sigma = levels
    number = float(sigma)
    _check_level(number, zero)
    return number


def of_some(values: Any, some: Any) -> Any:
    """The values of some samples (a slice, or their numbers), where each has its own."""
    return values[some] if isinstance(values, torch.Tensor) and len(values) > 1 else values


def _check_level(sigma, zero):
    if not (sigma >= 0 if zero else sigma > 0):
        raise Refused(f"sigma = {sigma:g}: must be greater than 0, or 0 where every Gaussian is wide")


def _inverse(total: Any) -> Any:
    """1/total; ∞ of a number so small that its square is 0, as of tensors."""
    return 1 / total if isinstance(total, torch.Tensor) or total else math.inf


def _log_density_at_0(inverse):
    """−½ log 2πt of 1/t: log N(0; 0, t)."""
    if isinstance(inverse, torch.Tensor):
        return 0.5 * (inverse / (2 * math.pi)).log()
    return 0.5 * math.log(inverse / (2 * math.pi)) if inverse else -math.inf
