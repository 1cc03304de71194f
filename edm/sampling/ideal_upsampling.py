"""The ideal upsampler: the exact denoiser of a finite set of images, told a noisy low-resolution one.

    D(x; σ | z, σ_c) = Σ_i w_i·y_i,   w_i ∝ exp(−‖x − y_i‖²/2σ² − ‖z − A·y_i‖²/2σ_c²)

which is the denoiser of the points [y_i, (σ/σ_c)·A·y_i], asked at [x, (σ/σ_c)·z]: what z says of y_i is as good as
more coordinates of x. It is what every trained upsampler tends to, and tells whether one is right.
"""

from __future__ import annotations

import copy
from typing import Any

import torch

from edm.base.devices import precisely
from edm.base.errors import Refused
from edm.base.transfers import sent
from edm.exact import PointSet
from edm.sampling.denoisers import Around
from edm.sampling.upsampling import lowered


class IdealUpsampler:
    """Of images [K, C, H, W], equally likely, whose low-resolution images have `size` pixels on a side.

    labels: [K] integer classes, or None.
    """

    def __init__(self, images: Any, size: int, labels: Any = None):
        self.set = PointSet(images, labels)
        self.size = size
        self.shape, self.classes = self.set.shape, self.set.classes

    def given(self, z: torch.Tensor, sigma_c: float) -> IdealGiven:
        """The denoiser of the images of which z [B, C, size, size] are the low-resolution ones with noise of σ_c > 0.

        Raises Refused for images of another size, and for σ_c = 0, with which all but one image would be impossible.
        """
        wanted = (self.shape[0], self.size, self.size)
        if tuple(z.shape[1:]) != wanted:
            raise Refused(f"the low-resolution images have shape {list(z.shape)}; they must be {['B', *wanted]}")
        if not sigma_c > 0:
            raise Refused(f"sigma_c = {sigma_c}: must be above 0, or no image but one is possible")
        return IdealGiven(self.set, precisely(z), float(sigma_c))


class IdealGiven(Around):
    """An ideal upsampler with the low-resolution images of a batch: a denoiser of x alone, or of k times the batch."""

    def __init__(self, inner: PointSet, z: torch.Tensor, sigma_c: float):
        super().__init__(inner)
        low = lowered(precisely(inner.points), z.shape[-1])
        self._told = -_squares(z, low) / (2 * sigma_c**2)  # [B, K]

    def weights(self, x: torch.Tensor, sigma: Any, labels: Any = None) -> torch.Tensor:
        """w [B, K] in the most precise type, of x [B, C, H, W]; sigma a number or [B]; labels [B] or None."""
        level = sigma if isinstance(sigma, torch.Tensor) else torch.tensor(float(sigma), dtype=torch.float64)
        sigma = precisely(sent(level, x.device)).reshape(-1, 1)
        told = self._told.repeat(len(x) // len(self._told), 1)
        logits = told - _squares(precisely(x), precisely(self.inner.points)) / (2 * sigma**2)
        if labels is not None:
            own, asked = self.inner.labels, torch.as_tensor(labels).to(x.device)[:, None]
            logits = logits.masked_fill((own != asked) & (asked >= 0), -torch.inf)
        return logits.softmax(1)

    def __call__(self, x: torch.Tensor, sigma: Any, labels: Any = None) -> torch.Tensor:
        found = self.weights(x, sigma, labels) @ precisely(self.inner.points).flatten(1)
        return found.view(x.shape).to(x.dtype)

    def to(self, device: torch.device | str) -> IdealGiven:
        moved = super().to(device)
        moved._told = sent(self._told, device)
        return moved

    def part(self, rows: slice) -> IdealGiven:
        made = copy.copy(self)
        chosen = torch.arange(rows.start or 0, rows.stop, device=self._told.device)
        made._told = self._told[chosen % len(self._told)]
        return made


def _squares(a, b):
    """‖a_i − b_k‖² [B, K] of images."""
    exactly = "donot_use_mm_for_euclid_dist"  # products of large numbers would drown small differences
    return torch.cdist(a.flatten(1), b.flatten(1), compute_mode=exactly).square()
