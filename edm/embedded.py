"""Points on a plane through the origin of a space of more dimensions: y = P·z with P [d, k] of orthonormal columns.

Across the plane there is noise alone, whose mean is 0, so that everything is known from what lies in it:

    D(x; σ) = P·D_k(Pᵀx; σ),     log p(x; σ) = log p_k(Pᵀx; σ) + log N(x − P·Pᵀx; 0, σ²I_{d−k})
"""

from __future__ import annotations

import copy
import math
from functools import lru_cache
from typing import Any

import numpy as np
import torch

from edm.base.devices import precisely
from edm.base.errors import Refused
from edm.base.transfers import sent
from edm.exact import GaussianMixture

MOST = 1024  # dimensions
_SEED = 0x91A9E  # of the planes


class Embedded:
    """The exact denoiser of points of `inner` that lie on a plane.

    inner: of points [B, k]; basis: P [d, k]. It lives where `inner` does. shape, classes, labels, sigma_data: as of
    `edm.exact.GaussianMixture`; plane: the first two columns of P [2, d], float64, by which it is drawn.
    """

    sigma_min, sigma_max, header = 0.0, math.inf, None

    def __init__(self, inner: GaussianMixture, basis: Any):
        self.inner = inner
        self._basis = torch.as_tensor(np.asarray(basis, dtype=np.float64)).to(inner.means.device)
        dimensions, self.dim = self._basis.shape
        if inner.shape != (self.dim,) or dimensions < self.dim:
            raise Refused(f"a basis of shape {[dimensions, self.dim]} does not hold points of shape {[*inner.shape]}")
        self.shape, self.classes, self.labels = (dimensions,), inner.classes, inner.labels
        self.sigma_data = inner.sigma_data * math.sqrt(self.dim / dimensions)

    @property
    def plane(self) -> np.ndarray:
        return np.ascontiguousarray(self._basis[:, :2].T.cpu().numpy())

    @property
    def means(self) -> torch.Tensor:
        """Of the components [K, d]."""
        return self._lifted(self.inner.means)

    def to(self, device: torch.device | str) -> Embedded:
        """Itself if it is on `device`, else a copy that is there."""
        if self._basis.device == torch.empty(0, device=device).device:
            return self
        moved = copy.copy(self)
        moved.inner, moved._basis = self.inner.to(device), sent(self._basis, device)
        return moved

    def round_sigma(self, sigma: Any) -> Any:
        """σ itself: it knows every level."""
        return sigma

    def __call__(self, x: torch.Tensor, sigma: Any, labels: Any = None) -> torch.Tensor:
        """D(x; σ) of x [B, d]; sigma a number or [B]; labels [B] integer classes, or None for all of them."""
        return self._lifted(self.inner(self._within(x), sigma, labels)).to(x.dtype)

    def both(self, x: torch.Tensor, sigma: Any, labels: Any = None) -> tuple[torch.Tensor, torch.Tensor]:
        """(D(x; σ), log p(x; σ)), for little more than one of them costs."""
        within = self._within(x)
        denoised, density = self.inner.both(within, sigma, labels)
        return self._lifted(denoised).to(x.dtype), density + self._across(x, within, sigma)

    def score(self, x: torch.Tensor, sigma: Any, labels: Any = None) -> torch.Tensor:
        """∇ log p(x; σ) = (D − x)/σ² (eq. 3)."""
        exact = self(precisely(x), sigma, labels)
        level = torch.as_tensor(sigma, dtype=exact.dtype, device=x.device).reshape(-1, 1)
        return ((exact - x) / level**2).to(x.dtype)

    def log_density(self, x: torch.Tensor, sigma: Any, labels: Any = None) -> torch.Tensor:
        """log p(x; σ) [B] in float64, in nats; σ > 0: a plane has no density in a space of more dimensions."""
        within = self._within(x)
        return self.inner.log_density(within, sigma, labels) + self._across(x, within, sigma)

    def sample(self, count: int, seed: int = 0, label: int | None = None) -> torch.Tensor:
        """`count` exact samples of the data [count, d], float32, on the CPU."""
        return self._lifted(self.inner.sample(count, seed, label), "cpu")

    def quantiles(self, uniforms: Any) -> torch.Tensor:
        """The data as a function of uniform numbers [B, 1 + k] in (0, 1): [B, d] in float32, on the CPU."""
        return self._lifted(self.inner.quantiles(uniforms), "cpu")

    def chosen(self, uniforms: Any) -> torch.Tensor:
        """The component of each of `quantiles`, int64 [B], on the CPU."""
        return self.inner.chosen(uniforms)

    def weights(self) -> torch.Tensor:
        """π_k [K] in float64."""
        return self.inner.weights()

    def distance(self, x: torch.Tensor) -> torch.Tensor:
        """How far x [B, d] lies from the plane [B], in float64."""
        return self._off(precisely(x), self._within(x)).norm(dim=1)

    def within(self, x: torch.Tensor) -> torch.Tensor:
        """Pᵀx: where x [B, d] lies along the plane [B, k], in the type of x."""
        return self._within(x).to(x.dtype)

    def _within(self, x):
        if x.shape[1:] != self.shape:
            raise Refused(f"x has shape {list(x.shape)}, but this distribution lives on [B, {self.shape[0]}]")
        return precisely(x) @ precisely(self._basis)

    def _lifted(self, within, device=None) -> torch.Tensor:
        basis = precisely(self._basis if device is None else self._basis.to(device))
        return (within.to(basis.dtype) @ basis.T).to(within.dtype)

    def _off(self, x, within):
        return x - within @ precisely(self._basis).T

    def _across(self, x, within, sigma):
        """log N(x − P·Pᵀx; 0, σ²) in the other dimensions."""
        off = self._off(precisely(x), within).square().sum(1)
        variance = torch.as_tensor(sigma, dtype=off.dtype, device=x.device).reshape(-1) ** 2
        others = self.shape[0] - self.dim
        return -0.5 * (off / variance + others * (2 * math.pi * variance).log()) if others else torch.zeros_like(off)


def in_plane(x: Any, plane: np.ndarray | None = None) -> Any:
    """Where points are drawn: x [B, d], a tensor or an array, along the rows of `plane` [2, d]; None: the first two
    coordinates. What is no point of more than two dimensions stays as it is."""
    if x.ndim != 2 or x.shape[1] <= 2:
        return x
    if plane is None:
        return x[:, :2]
    return x @ (torch.as_tensor(plane, dtype=x.dtype, device=x.device).T if isinstance(x, torch.Tensor) else plane.T)


def from_plane(places: torch.Tensor, dimensions: int, plane: np.ndarray | None = None) -> torch.Tensor:
    """The points [B, d] of the plane that are drawn at `places` [B, 2] (see `in_plane`)."""
    axes = torch.eye(2, dimensions) if plane is None else torch.as_tensor(plane)
    return places @ axes[: places.shape[1]].to(places)


@lru_cache(maxsize=16)
def basis(dimensions: int, dim: int) -> np.ndarray:
    """P [d, k] of a random plane, always the same one."""
    random = np.random.default_rng([_SEED, dimensions, dim]).standard_normal((dimensions, dim))
    columns, triangle = np.linalg.qr(random)
    return columns * np.sign(np.diagonal(triangle))
