"""Closed-form denoisers: they need no training, and are the oracle for every test.

For a mixture of Gaussians with weights π_k, means μ_k and covariances Σ_k, noised to p(x; σ):

    r_k ∝ π_k·N(x; μ_k, Σ_k + σ²I),     D(x; σ) = Σ_k r_k·(μ_k + Σ_k (Σ_k + σ²I)⁻¹ (x − μ_k))

A finite set of points is the mixture with Σ_k = 0: D(x; σ) = Σ_k r_k·y_k. Responsibilities are computed in
float64 (float32 where the device has no other) and log space, in chunks of components, so that they are exact at any σ
and memory stays bounded. On a GPU nothing waits: what it is asked there, it does not look at.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch

from edm.base.devices import precisely
from edm.base.errors import Refused
from edm.base.transfers import sent
from edm.given import classes_of, numbers, shared, spectra
from edm.labelled import Labelled, like
from edm.mixtures import COLUMNS, Mixture, differs, level, of_some
from edm.patches import Patchwise, side

CHUNK = 1 << 19  # numbers in one [components, batch] block of responsibilities: 4 MiB
_COORDINATES = 256  # that are looked at together, of images: a whole copy in float64 would be as large as all else
KEPT = 1 << 23  # numbers of all means that are kept in the most precise type: 64 MiB


class GaussianMixture(Labelled):
    """The exact denoiser of a mixture of K Gaussians over points or images.

    means: [K, …]. stds_or_covariances: [K] (isotropic, ≥ 0), a single number, or [K, d, d] covariances.
    weights: [K], positive, normalized here; None: equal. labels: [K] class of each component, or None.
    It lives where the means are; the others may be anywhere. shape: of one sample. classes: how many (0: none).
    sigma_data: √ of the mean variance of a coordinate. Raises ValueError for parameters that do not fit together.
    """

    sigma_min, sigma_max, header = 0.0, math.inf, None  # it is exact at every level, and no file's

    def __init__(self, means: Any, stds_or_covariances: Any, weights: Any = None, labels: Any = None):
        device = means.device if isinstance(means, torch.Tensor) else "cpu"
        means = numbers("means", means)
        if means.ndim < 2 or len(means) == 0:
            raise Refused(f"means have shape {list(means.shape)}; they must be [K, ...] with K of 1 or more")
        self.shape = tuple(means.shape[1:])
        self.means = means.flatten(1)
        count, self._dim = self.means.shape
        self._rotations, self._variances = spectra(stds_or_covariances, count, self._dim)
        self._width = shared(self._variances)
        self._wide = bool((self._variances > 0).all())  # so that it has a density at σ = 0
        weights = torch.ones(count) if weights is None else numbers("weights", weights)
        if weights.shape != (count,) or not (weights > 0).all():
            raise Refused(f"weights must be {count} positive numbers, one for each mean")
        self._log_weights = (weights.double() / weights.double().sum()).log()
        self._weight = shared(self._log_weights)
        self.labels = None if labels is None else classes_of("labels", labels, count, host=True)
        self._count_classes()
        self.sigma_data = self._sigma_data()
        self._move(device)

    def to(self, device: torch.device | str) -> GaussianMixture:
        """This denoiser with its tensors on `device` (a copy)."""
        copy = object.__new__(type(self))
        copy.__dict__ = dict(self.__dict__)
        copy._move(device)
        return copy

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_ready": None}

    def _move(self, device):
        self._ready: Any = None  # a Mixture, or the Patchwise of patches
        for name, value in self.__dict__.items():
            if isinstance(value, torch.Tensor):
                self.__dict__[name] = sent(value, device)

    def round_sigma(self, sigma: Any) -> Any:
        """σ itself: it knows every level."""
        return sigma

    def __call__(self, x: torch.Tensor, sigma: Any, labels: Any = None) -> torch.Tensor:
        """D(x; σ) of x [B, …]; sigma a number or [B]; labels [B] integer classes, or None for all of them."""
        flat, sigma, labels = self._checked(x, sigma, labels)
        if self._fit(flat):
            denoised = self._whole().denoised(flat, sigma, self._others(labels))
        else:
            denoised, _ = self._by_parts(flat, sigma, labels)
        return like(x, denoised)

    def both(self, x: torch.Tensor, sigma: Any, labels: Any = None) -> tuple[torch.Tensor, torch.Tensor]:
        """(D(x; σ), log p(x; σ)), as `__call__` and `log_density` have them, for little more than one of them costs."""
        flat, sigma, labels = self._checked(x, sigma, labels)
        if self._fit(flat):
            denoised, density = self._whole().both(flat, sigma, self._others(labels))
        else:
            denoised, density = self._by_parts(flat, sigma, labels)
        return like(x, denoised), self._of_class(density, labels)

    def score(self, x: torch.Tensor, sigma: Any, labels: Any = None) -> torch.Tensor:
        """∇ log p(x; σ) = (D − x)/σ², shaped like x (eq. 3)."""
        exact, sigma = self(precisely(x), sigma, labels), level(sigma, x)
        if isinstance(sigma, torch.Tensor):
            sigma = sigma.view(-1, *[1] * (x.ndim - 1))
        return ((exact - x) / (sigma * sigma)).to(x.dtype)

    def log_density(self, x: torch.Tensor, sigma: Any = 0.0, labels: Any = None) -> torch.Tensor:
        """log p(x; σ) [B] in float64, in nats; sigma may be 0 where every component has a width."""
        flat, sigma, labels = self._checked(x, sigma, labels)
        if self._fit(flat):
            density = self._whole().log_sum(flat, sigma, self._others(labels))
        else:
            _, density = self._by_parts(flat, sigma, labels)
        return self._of_class(density, labels)

    def sample(self, count: int, seed: int = 0, label: int | None = None) -> torch.Tensor:
        """`count` exact samples of the data [count, …], float32, on the CPU."""
        random = np.random.default_rng(seed)
        probabilities = self._log_weights.cpu().double().exp().numpy()
        if label is not None:
            chosen = np.zeros(1) if self.labels is None else self.labels.cpu().numpy() == label
            if not chosen.any():
                raise Refused(f"label = {label}: no component of this distribution is of that class")
            probabilities = probabilities * chosen
        chosen = torch.from_numpy(random.choice(len(probabilities), count, p=probabilities / probabilities.sum()))
        return self._placed(chosen, torch.from_numpy(random.standard_normal((count, self._dim))))

    def quantiles(self, uniforms: Any) -> torch.Tensor:
        """The data as a function of uniform numbers [B, 1 + d] in (0, 1): [B, …] in float32, on the CPU."""
        uniforms = torch.as_tensor(uniforms).cpu().double()
        return self._placed(self.chosen(uniforms), torch.special.ndtri(uniforms[:, 1:]))

    def chosen(self, uniforms: Any) -> torch.Tensor:
        """The component of each of `quantiles`, int64 [B], on the CPU."""
        edges = self._log_weights.cpu().double().exp().cumsum(0)
        first = torch.as_tensor(uniforms).cpu().double()[:, 0]
        return torch.searchsorted(edges, first * edges[-1]).clamp(max=len(edges) - 1)

    def _placed(self, chosen, normal):
        """Points of the components `chosen` [B], `normal` [B, d] away from their means."""
        deviation = self._variances.cpu().double()[chosen].sqrt() * normal
        if self._rotations is not None:
            deviation = torch.einsum("bij,bj->bi", self._rotations.cpu().double()[chosen], deviation)
        return (self.means.cpu()[chosen].double() + deviation).float().view(-1, *self.shape)

    def weights(self) -> torch.Tensor:
        """π_k [K] in float64."""
        return self._log_weights.exp()

    def stds(self) -> torch.Tensor:
        """√ of the mean variance of each component [K], in float64: its width, if it is isotropic."""
        return self._variances.mean(1).sqrt()

    def _by_parts(self, flat, sigma, labels):
        """(D [B, d], log Σ_k π_k N(x; …) [B] over the class), for chunks of components one after the other; or of
        samples, where those are many and all means are kept."""
        if len(flat) > 1 and self._dim > COLUMNS and self._fit(flat[:1]):
            step = max(1, CHUNK // len(self.means))
            spans = [slice(start, start + step) for start in range(0, len(flat), step)]
            parts = [
                self._whole().both(flat[span], of_some(sigma, span), self._others(of_some(labels, span)))
                for span in spans
            ]
            denoised, density = (torch.cat(column) for column in zip(*parts, strict=True))
            return denoised, density
        total, mean = flat.new_full((len(flat),), -math.inf), torch.zeros_like(flat)
        for part, mixture in self._parts(flat):
            found, logs = mixture.both(flat, sigma, self._others(labels, part))
            total = torch.logaddexp(total, logs)
            mean = mean + (logs - total).exp()[:, None] * (found - mean)
        unknown = total <= torch.finfo(total.dtype).min / 2  # none of them is of the class
        return mean.masked_fill(unknown[:, None], math.nan), total.masked_fill(unknown, -math.inf)

    def _whole(self) -> Mixture:
        """All components, made ready for being asked: once for a device."""
        if self._ready is None:
            with torch.inference_mode(False):  # others may want a gradient of it
                self._ready = self._part(slice(None))
        return self._ready

    def _parts(self, flat):
        """All components in parts that are no more than a chunk each: (which, ready for being asked)."""
        if self._fit(flat):
            yield slice(None), self._whole()
            return
        size = max(1, CHUNK // (len(flat) * (self._dim if differs(flat.dtype, self._rotations, self._dim) else 1)))
        for start in range(0, len(self.means), size):
            part = slice(start, start + size)
            yield part, self._part(part)

    def _part(self, part) -> Mixture:
        means, log_weights, variances = (
            precisely(tensor[part]) for tensor in (self.means, self._log_weights, self._variances)
        )
        rotations = None if self._rotations is None else precisely(self._rotations[part])
        return Mixture(means, log_weights, variances, rotations, self._width, self._weight)

    def _fit(self, flat) -> bool:
        """Whether all components at once are as few numbers as a chunk."""
        if differs(flat.dtype, self._rotations, self._dim):
            return len(self.means) * max(len(flat), self._dim) * self._dim <= CHUNK
        return len(self.means) * len(flat) <= CHUNK and len(self.means) * self._dim <= KEPT

    def _checked(self, x, sigma, labels):
        """(x [B, d] in the most precise type, σ, labels), all beside each other."""
        if x.shape[1:] != self.shape:
            wanted = ", ".join(str(n) for n in self.shape)
            raise Refused(f"x has shape {list(x.shape)}, but this distribution lives on [B, {wanted}]")
        if x.device != self.means.device:
            raise Refused(
                f"x is on {x.device}, but this distribution on {self.means.device}; move one of them with .to"
            )
        return precisely(x.flatten(1)), level(sigma, x, zero=self._wide), self._known(labels, x)

    def _sigma_data(self) -> float:
        weights = self._log_weights.exp()[:, None]
        parts = (part.double() for part in self.means.split(_COORDINATES, 1))
        between = sum((weights * (part - (weights * part).sum(0)) ** 2).sum() for part in parts) / self._dim
        within = (weights * self._variances.mean(1, keepdim=True)).sum()
        return float((between + within).sqrt())


class PointSet(GaussianMixture):
    """The exact denoiser of a finite set of points or images [K, …], equally likely.

    labels: [K] integer classes, or None. D(x; σ) is defined for σ > 0.
    patch: of images, the side k of the patch that a pixel knows, odd, from 3 on: the patchwise ideal denoiser
    (`edm.patches`), which joins patches of several images, and has no density. From 2·side − 1 on, as with None, each
    pixel knows its whole image.
    """

    def __init__(self, points: Any, labels: Any = None, patch: int | None = None):
        super().__init__(points, 0.0, labels=labels)
        self.patch, self._side = patch, side(patch, self.shape)

    def __call__(self, x: torch.Tensor, sigma: Any, labels: Any = None) -> torch.Tensor:
        """D(x; σ) of x [B, …]; sigma a number or [B]; labels [B] integer classes, or None for all of them."""
        if self._side is None:
            return super().__call__(x, sigma, labels)
        flat, sigma, labels = self._checked(x, sigma, labels)
        if self._ready is None:
            self._ready = Patchwise(self.means, self.labels, self.shape, self._side)
        return like(x, self._ready(flat, sigma, labels))

    def both(self, x: torch.Tensor, sigma: Any, labels: Any = None) -> tuple[torch.Tensor, torch.Tensor]:
        """(D(x; σ), log p(x; σ)). Raises Refused for patches."""
        self._one_density()
        return super().both(x, sigma, labels)

    def log_density(self, x: torch.Tensor, sigma: Any = 0.0, labels: Any = None) -> torch.Tensor:
        """log p(x; σ) [B] in float64, in nats. Raises Refused for patches."""
        self._one_density()
        return super().log_density(x, sigma, labels)

    def log_class_probability(self, x: torch.Tensor, sigma: Any) -> torch.Tensor:
        """log p(c | x; σ) [B, C], see `Labelled`. Raises Refused for patches."""
        self._one_density()
        return super().log_class_probability(x, sigma)

    def _fit(self, flat) -> bool:
        return self._side is None and super()._fit(flat)

    def _one_density(self):
        if self._side is not None:
            raise Refused(
                f"a denoiser of patches of {self._side} has no density: each pixel has one of its own; leave patch out"
            )

    @property
    def points(self) -> torch.Tensor:
        """The points [K, …] (a copy: others ask this denoiser, too)."""
        return self.means.view(-1, *self.shape).clone()
