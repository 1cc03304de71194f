"""Images out of arrays, as a source: values become eight bits, and pictures the size that is wanted, as they are read.

Arrays stay as they are, on the disk if they can be mapped from there. All of a set are scaled alike: whole numbers and
floating-point ones from 0 … 255, 0 … 1 or −1 … 1 are taken as such, others by what the set uses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image

from edm.base.errors import Refused
from edm.data import depths, images, marks
from edm.data.folders import RESOLUTIONS, check, rows

if TYPE_CHECKING:
    from edm.base.types import Indices

_PIECE = 1 << 24  # values that are looked at at once


@dataclass(frozen=True, eq=False)
class Stack:
    """Images of one array. raw: as it is. axes: how they lie (`layouts.axes`). told: it, in a sentence."""

    raw: np.ndarray
    axes: str
    told: str

    @property
    def count(self) -> int:
        return self.raw.shape[self.axes.index("n")]

    @cached_property
    def shape(self) -> tuple[int, int, int]:
        """(channels, H, W)."""
        if self.axes in ("n1", "n3", "n3i"):
            channels = int(self.axes[1])
            side = round((self.raw.shape[1] // channels) ** 0.5)
            return channels, side, side
        sizes = dict(zip(self.axes, self.raw.shape, strict=True))
        return sizes.get("c", 1), sizes["h"], sizes["w"]

    def picked(self, indices: np.ndarray | slice) -> np.ndarray:
        """Those of these numbers, in the array's own kind of numbers, [B, H, W, C]."""
        if self.axes == "hwcn":
            return self.raw[:, :, :, indices].transpose(3, 0, 1, 2)
        found, (channels, high, wide) = self.raw[indices], self.shape
        if self.axes in ("nchw", "n3"):
            return found.reshape(-1, channels, high, wide).transpose(0, 2, 3, 1)
        return found.reshape(-1, high, wide, channels)

    def pieces(self) -> Iterator[tuple[int, np.ndarray]]:
        """(number of the first, images [B, H, W, C]) of some at a time."""
        step = max(1, _PIECE // max(1, int(np.prod(self.shape))))
        for first in range(0, self.count, step):
            yield first, self.picked(slice(first, first + step))


def ends(
    stacks: Sequence[Stack], work: Callable[[Callable], Any] | None = None,
    progress: Callable[[int, int], Any] | None = None,
) -> tuple[float, float]:  # fmt: skip
    """(the smallest value, the largest). work, progress: as of `edm.data.bring`.

    Raises Refused, naming the array, for values that are not finite."""
    low, high, done, look = np.inf, -np.inf, 0, work or (lambda piece: piece()[0])
    bytes_alone = all(stack.raw.dtype == np.uint8 for stack in stacks)
    for stack in stacks:
        for first, piece in stack.pieces():
            if bytes_alone and high > 1:  # these are taken as they are, and need not all be read
                return low, high
            low, high, done = *look(partial(_wider, low, high, stack, first, piece)), done + len(piece)
            if progress is not None:
                progress(done, sum(stack.count for stack in stacks))
    return low, high


def _wider(low, high, stack, first, piece):
    """-> ((the smallest value so far, the largest), pixels looked at)."""
    low, high = min(low, float(piece.min())), max(high, float(piece.max()))
    if piece.dtype.kind == "f" and not (np.isfinite(low) and np.isfinite(high) and np.isfinite(piece.sum())):
        finite = np.isfinite(piece).all(axis=(1, 2, 3))
        if not finite.all():
            number, bad = first + int(np.argmin(finite)), int((~np.isfinite(piece)).sum())
            raise Refused(
                f"{stack.told} has {bad:,} values that are not finite (NaN or infinite), the first in image "
                f"{number + 1} of {stack.count:,}; replace them, or leave these images out"
            )
    return (low, high), piece.shape[0] * piece.shape[1] * piece.shape[2]


def scale(dtype: np.dtype, low: float, high: float) -> tuple[float, float, str]:
    """(the value that becomes 0, the one that becomes 255, a sentence about it or "") for values of such a range."""
    if dtype == np.uint8 and high > 1:
        return 0, 255, ""
    if dtype.kind == "b" or (dtype.kind in "ui" and low >= 0 and high <= 1):
        return 0, 1, "the values are 0 and 1, which became black and white"
    its = {"u": f"{8 * dtype.itemsize}-bit", "i": "whole-number", "f": "floating-point"}[dtype.kind]
    if dtype == np.uint16 and high - low >= depths.NEARLY_ALL * 65536:
        return 0, 65535, f"{its} values from 0 to 65,535 were scaled to 0 … 255"
    if low >= 0 and 128 <= high <= 255:
        return 0, 255, "" if dtype.kind != "f" else f"{its} values were taken from 0 to 255"
    if dtype.kind == "f":
        for bottom, top in ((0, 1), (-0.5, 0.5), (-1, 1)):
            if bottom - 1e-3 <= low and high <= top + 1e-3:
                return bottom, top, depths.told(its, bottom, top)
    return low, high, depths.told(its, low, high)


def interleaved(stack: Stack) -> bool:
    """Whether flat colour images keep the three colours of a pixel together: neighbours are more alike that way."""
    some = stack.raw[: min(stack.count, 64)].astype(np.float64)
    side = stack.shape[1]
    apart, together = some.reshape(-1, 3, side, side), some.reshape(-1, side, side, 3).transpose(0, 3, 1, 2)

    def roughness(pictures: np.ndarray) -> float:
        return float(np.abs(np.diff(pictures, axis=2)).mean() + np.abs(np.diff(pictures, axis=3)).mean())

    return bool(roughness(together) < 0.8 * roughness(apart))


class Stacked:
    """A source (`edm.data.sources`) of the images of several arrays, one after the other.

    labels: int64 [N] or None. held: the numbers of those that the files keep to validate on. ends: of the values, those
    that become 0 and 255. resolution, crop, channels: as in `edm.data.folders.ImageFolder`.
    """

    def __init__(
        self,
        stacks: Sequence[Stack],
        labels: np.ndarray | None,
        class_names: Sequence[str],
        held: np.ndarray,
        ends: tuple[float, float],
        resolution: int | None = None,
        crop: bool = False,
        channels: int = 3,
    ):
        check(resolution, crop, channels)
        self._stacks, self._ends, self._crop = tuple(stacks), ends, bool(crop)
        self._starts = np.cumsum([0, *(stack.count for stack in stacks)])
        self.size, self.names, self.held = int(self._starts[-1]), (), held
        self.labels = None if labels is None else torch.from_numpy(np.asarray(labels, dtype=np.int64))
        self.class_names, self.classes = tuple(class_names), len(class_names)
        self.areas = np.concatenate([np.full(one.count, one.shape[1] * one.shape[2], np.int64) for one in stacks])
        self.shape = self._shape(resolution, channels)

    @cached_property
    def marks(self) -> np.ndarray:
        """What tells each image from the others (`edm.data.marks`), by its values and its label."""
        found = [
            marks.of_arrays(
                piece, None if self.labels is None else self.labels[start + first :][: len(piece)], start + first
            )
            for start, stack in zip(self._starts, self._stacks, strict=False)
            for first, piece in stack.pieces()
        ]
        return np.concatenate(found)

    def read(self, indices: Indices) -> tuple[torch.Tensor, torch.Tensor | None]:
        """The images of these indices [B], in any order: uint8 [B, C, H, W], and int64 labels [B] or None."""
        indices = rows(indices, self.size)
        found = np.empty((len(indices), *self.shape), dtype=np.uint8)
        for start, stack in zip(self._starts, self._stacks, strict=False):
            chosen = np.flatnonzero((indices >= start) & (indices < start + stack.count))
            if len(chosen):
                found[chosen] = self._pixels(stack.picked(indices[chosen] - start))
        return torch.from_numpy(found), None if self.labels is None else self.labels[torch.from_numpy(indices)]

    def _pixels(self, pictures):
        """[B, H, W, C] -> uint8 [B, *self.shape]."""
        if pictures.dtype != np.uint8 or self._ends != (0, 255):
            pictures = depths.scaled(pictures, *self._ends)
        if pictures.shape[1:3] == self.shape[1:] and pictures.shape[3] == self.shape[0]:
            return pictures.transpose(0, 3, 1, 2)
        if pictures.shape[1:3] == self.shape[1:] and pictures.shape[3] == 1:
            return np.broadcast_to(pictures.transpose(0, 3, 1, 2), (len(pictures), *self.shape))
        flat = pictures[:, :, :, 0] if pictures.shape[3] == 1 else pictures
        return np.stack([images.fitted(Image.fromarray(one), self._crop, self.shape) for one in flat])

    def _shape(self, resolution, channels):
        low, high = RESOLUTIONS
        sides = sorted({stack.shape[1:] for stack in self._stacks})
        told = self._stacks[0].told
        if resolution is None and len(sides) > 1:
            raise Refused(
                f"{told} has images of {_by(sides[0])}, and others are {_by(sides[1])}; give a resolution, and crop"
            )
        if not self._crop and any(tall != wide for tall, wide in sides):
            odd = next(side for side in sides if side[0] != side[1])
            raise Refused(f"the images in {told} are {_by(odd)}, not square; use crop to take their central squares")
        side = sides[0][0] if resolution is None else resolution
        if not low <= side <= high:
            raise Refused(f"the images in {told} are {side}×{side}; give a resolution from {low} to {high}")
        return channels, side, side


def _by(sides) -> str:
    return f"{sides[1]}×{sides[0]}"
