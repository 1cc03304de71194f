"""The Fréchet distance of two sets of features, each taken as a Gaussian (FID, if they are Inception's).

    d² = ‖μ₁ − μ₂‖² + tr(Σ₁ + Σ₂ − 2·(Σ₁^½ Σ₂ Σ₁^½)^½)    (Dowson & Landau 1982, Heusel et al. 2017)

It is the squared 2-Wasserstein distance of the Gaussians, in the features' units squared. The last trace is the sum
of the singular values of L₁ᵀL₂, where Σ = LLᵀ: the same numbers as the roots of that symmetric product's eigenvalues,
without the product, in which small ones would drown. So it also holds where Σ has no inverse, as for fewer samples than
features.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch

from edm.base.errors import Refused


@dataclass(frozen=True)
class Moments:
    """mean [d] and covariance [d, d] (over n − 1) of `count` rows of features, in float64. count: None: not known."""

    mean: torch.Tensor
    covariance: torch.Tensor
    count: int | None

    @cached_property
    def root(self) -> torch.Tensor:
        """L [d, d] with LLᵀ = Σ; eigenvalues that rounding made negative are 0. Kept for the next distance."""
        eigenvalues, vectors = torch.linalg.eigh(self.covariance)
        return vectors * eigenvalues.clamp(min=0).sqrt()


class Running:
    """Moments of rows that come in parts, in memory of d² numbers (Chan, Golub & LeVeque 1979).

        μ = μ₁ + δ·n₂/n,   S = S₁ + S₂ + δδᵀ·n₁n₂/n   with δ = μ₂ − μ₁, S the sum of (x − μ)(x − μ)ᵀ

    The same parts in the same order give the same bits.
    """

    def __init__(self):
        self.count = 0
        self._mean: torch.Tensor = torch.zeros(())
        self._scatter: torch.Tensor = torch.zeros(())

    def add(self, features: torch.Tensor) -> None:
        """Features [n, d], n ≥ 1. Raises ValueError for another shape or width, NaN or infinity."""
        features = checked(features, 1)
        if self.count and features.shape[1:] != self._mean.shape:
            raise Refused(f"features are {len(self._mean)} and {features.shape[1]} wide; take all from one extractor")
        number, mean = len(features), features.mean(0)
        centred = features - mean
        scatter, total = centred.T @ centred, self.count + number
        if self.count == 0:
            self._mean, self._scatter = mean, scatter
        else:
            shift = mean - self._mean
            self._mean = self._mean + shift * (number / total)
            self._scatter = self._scatter + scatter + torch.outer(shift, shift) * (self.count * number / total)
        self.count = total

    @property
    def moments(self) -> Moments:
        """Of all rows so far. Raises ValueError for fewer than 2."""
        if self.count < 2:
            raise Refused(f"there are {self.count} samples; give 2 or more")
        scatter = (self._scatter + self._scatter.T) / 2  # a product rounds its two halves apart; files keep them equal
        return Moments(self._mean, scatter / (self.count - 1), self.count)


def checked(features: torch.Tensor, least: int = 2) -> torch.Tensor:
    """Features [n, d] in float64 on the CPU. Raises ValueError unless they are finite, and `least` rows or more."""
    features = torch.as_tensor(features).cpu().double()
    if features.ndim != 2 or not features.shape[1]:
        raise Refused(f"features have shape {list(features.shape)}; they must be [n, d], one row for each sample")
    if len(features) < least:
        raise Refused(f"there are {len(features)} samples; give {least} or more")
    if not torch.isfinite(features).all():
        raise Refused("features contain NaN or infinity; look for them in the samples")
    return features


def moments(features: torch.Tensor) -> Moments:
    """Of features [n, d], n ≥ 2. Raises ValueError for too few rows, another shape, NaN or infinity."""
    running = Running()
    running.add(checked(features))
    return running.moments


def frechet_distance(first: Moments | torch.Tensor, second: Moments | torch.Tensor) -> float:
    """d² ≥ 0 between two sets of features [n, d], or their `Moments`; 0 if the moments are equal.

    Between n true samples each it is not 0, but about 1/n times a number that grows with d: compare with that.
    Raises ValueError for features of different width, fewer than 2 samples, NaN or infinity.
    """
    first, second = (side if isinstance(side, Moments) else moments(side) for side in (first, second))
    if first.mean.shape != second.mean.shape:
        raise Refused(f"features are {len(first.mean)} and {len(second.mean)} wide; take both from the same extractor")
    shift = (first.mean - second.mean).square().sum()
    cross = torch.linalg.svdvals(first.root.T @ second.root).sum()
    spread = first.covariance.trace() + second.covariance.trace() - 2 * cross
    return max(float(shift + spread), 0.0)
