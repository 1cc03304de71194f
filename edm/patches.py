"""What the patchwise ideal denoiser is asked for at every evaluation (Kamb and Ganguli 2024, LS; arXiv 2412.20292).

A pixel p sees the k×k patch around it, and is what it would be if that were the whole image. For images y_n, equally
likely, with ‖·‖_p over the patch, clipped at the border (zeros around both images would add nothing to a difference):

    r_np = softmax_n(−‖x − y_n‖²_p / 2σ²),     D(x; σ)_p = Σ_n r_np·y_np

‖x‖²_p is the same for all n, and falls out. What is left, x·y − ½‖y‖², is a product of matrices for each pixel, and its
sum over a patch two products with bands of ones, one for the rows and one for the columns: as quick for any k.
"""

from __future__ import annotations

import math
from numbers import Integral
from typing import Any

import torch

from edm.base.devices import precisely
from edm.base.errors import Refused, shown
from edm.mixtures import Level, of_some

CHUNK = 1 << 19  # numbers of one [P, B, N] block of weights on a processor: 4 MiB, which it has near
ROOM = 1 << 25  # the same of other devices, where beginning an operation is what takes the time: 256 MiB
KEPT = 1 << 23  # numbers of all images that are kept as pixels see them: 64 MiB

Found = tuple[torch.Tensor, torch.Tensor]  # D [P, C, B], log Σ_n exp(…) [P, B]


class Patchwise:
    """D(x; σ) of images [N, d], each of `shape` (C, H, W), and their classes [N] or None, by patches of one side."""

    def __init__(self, images: torch.Tensor, labels: torch.Tensor | None, shape: tuple[int, ...], side: int):
        self._images, self._labels, self._shape, self._side = images, labels, shape, side
        self._pixels = shape[1] * shape[2]
        self._ready: dict[tuple[int | None, int], Patches] = {}

    def __call__(self, x: torch.Tensor, sigma: Level, labels: torch.Tensor | None) -> torch.Tensor:
        """[B, d] of x [B, d] in the most precise type there. On the CPU a class is asked for alone; elsewhere, where
        labels are not looked at, all images are, and those of other classes weigh nothing."""
        if self._labels is None or labels is None or x.device.type != "cpu":
            return self._over(x, sigma, None, labels)
        made = torch.empty_like(x)
        for label in labels.unique().tolist():
            own = (labels == label).nonzero()[:, 0]
            made = made.index_copy(0, own, self._over(x[own], of_some(sigma, own), label, None))
        return made

    def _over(self, x, sigma, label, labels):
        """Over the images of a class, or over all: a part of them after the other, so that memory stays bounded."""
        seen = x.view(len(x), self._shape[0], self._pixels).permute(2, 1, 0)  # [P, C, B]
        room = CHUNK if x.device.type == "cpu" else ROOM
        parts = self._numbers(label).split(max(1, room // self._pixels))
        found = None
        for k, part in enumerate(parts):
            patches, step, asked = self._patches(label, k, part), max(1, room // (self._pixels * len(part))), []
            for start in range(0, len(x), step):
                span = slice(start, start + step)
                other = None if labels is None else self._of_others(part, labels[span])
                asked.append((seen[:, :, span], of_some(sigma, span), other))
            if len(parts) == 1:
                return _rows([patches.denoised(*some) for some in asked], x)
            made = [patches.both(*some) for some in asked]
            now = torch.cat([mean for mean, _ in made], 2), torch.cat([total for _, total in made], 1)
            found = now if found is None else _joined(found, now)
        assert found is not None  # there are several parts
        mean, total = found
        unknown = total <= torch.finfo(total.dtype).min / 2  # none of them is of the class
        return _rows([mean.masked_fill(unknown[:, None], math.nan)], x)

    def _of_others(self, part, labels):
        """Which images of a part are not of the class of each sample [N, B]."""
        return None if self._labels is None else self._labels[part, None] != labels

    def _numbers(self, label):
        if label is None:
            return torch.arange(len(self._images), device=self._images.device)
        return (self._labels == label).nonzero()[:, 0]

    def _patches(self, label, k, part) -> Patches:
        """A part of the images as pixels see them: made once, where all are few."""
        if (label, k) in self._ready:
            return self._ready[label, k]
        made = Patches(precisely(self._images[part]).view(-1, *self._shape), self._side)
        if self._images.numel() <= KEPT:
            self._ready[label, k] = made
        return made


class Patches:
    """Images [N, C, H, W] that a pixel knows, P = H·W of them, all of one type."""

    def __init__(self, images: torch.Tensor, patch: int):
        pixels = images.flatten(2).permute(2, 1, 0)  # [P, C, N]
        self._colors = images.shape[1]
        self._known = torch.cat([pixels, -0.5 * pixels.square().sum(1, keepdim=True)], 1)
        self._rows, self._columns = (_band(side, patch, images) for side in images.shape[2:])

    def denoised(self, x: torch.Tensor, sigma: Level, other: torch.Tensor | None = None) -> torch.Tensor:
        """D(x; σ) [P, C, B] of x [P, C, B]. other [N, B]: images that are not of the sample's class."""
        return self._mean(self._logits(x, sigma, other).softmax(2))

    def both(self, x: torch.Tensor, sigma: Level, other: torch.Tensor | None = None) -> Found:
        """(D, log Σ_n exp(…)), both finite where there is none of the class: 0, and as little as can be."""
        logits = self._logits(x, sigma, other)
        limits = torch.finfo(x.dtype)
        peak = logits.amax(2, keepdim=True).clamp(min=limits.min)
        weights = (logits - peak).exp_()
        total = weights.sum(2, keepdim=True).clamp(min=limits.tiny)
        return self._mean(weights / total), (peak + total.log())[:, :, 0]

    def _mean(self, weights):
        return self._known[:, : self._colors] @ weights.mT

    def _logits(self, x, sigma, other) -> torch.Tensor:
        """−‖x − y_n‖²_p / 2σ² [P, B, N], up to what all n share."""
        inverse = 1 / (sigma * sigma)
        asked = torch.cat([x, torch.ones_like(x[:, :1])], 1) * inverse
        logits = self._over_patches(asked.mT @ self._known)
        return logits if other is None else logits.masked_fill(other.T, -math.inf)

    def _over_patches(self, values):
        """The sum over the patch around each pixel."""
        height, width = len(self._rows), len(self._columns)
        down = self._rows @ values.reshape(height, -1)
        return (self._columns @ down.view(height, width, -1)).view_as(values)


def _joined(first: Found, second: Found) -> Found:
    """What two parts of the images make together."""
    (mean, total), (other, more) = first, second
    together = torch.logaddexp(total, more)
    return mean + (more - together).exp()[:, None] * (other - mean), together


def _rows(found, x):
    """D [B, d] of several [P, C, B]."""
    return torch.cat(found, 2).permute(2, 1, 0).flatten(1) if found else x


def side(patch: Any, shape: tuple[int, ...]) -> int | None:
    """The side of the patches; None where they are the whole image, wherever they lie. Raises Refused."""
    if patch is None:
        return None
    if len(shape) != 3:
        raise Refused(
            f"patch = {shown(patch, 40)}: points of shape {list(shape)} have no pixels; give images [K, C, H, W]"
        )
    whole = 2 * max(shape[1:]) - 1
    if not isinstance(patch, Integral) or isinstance(patch, bool) or patch < 3 or patch % 2 == 0:
        raise Refused(f"patch = {shown(patch, 40)}: must be odd, at least 3; from {whole} on it is the whole image")
    return int(patch) if patch < whole else None


def _band(length, patch, like) -> torch.Tensor:
    """[n, n], with ones where two places of a line are within one patch."""
    places = torch.arange(length, device=like.device)
    return ((places[:, None] - places).abs() <= patch // 2).to(like.dtype)
