"""Scenes: one softly lit solid on the ground, drawn from known factors; endless, class-conditional, RGB, 32×32 pixels
unless others are asked for.

Image k of seed S depends on (S, k) only.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch

from edm.base import streams
from edm.base.errors import Refused
from edm.data import scenes_light

if TYPE_CHECKING:
    from edm.base.types import Indices

SHAPE = (3, 32, 32)
CLASSES = tuple(scenes_light.SOLIDS)
RANGES = {  # least and largest value of each factor; of both its columns if it has two
    "label": ((0, len(CLASSES) - 1),),
    "hue": ((0.0, 1.0),),
    "light": ((-1.8, 1.8), (0.55, 1.1)),
    "position": ((-0.5, 0.5), (-0.6, 0.6)),
    "size": ((0.7, 1.0),),
    "rotation": ((-math.pi / 4, math.pi / 4),),
    "palette": ((0.0, 1.0),),
}

_RESOLUTIONS, _SUPERSAMPLES = (4, 1024), (1, 8)
_BLOCK = 1 << 14  # pixels at a time: their columns stay in the cache, whatever the batch


def _whole(name: str, value, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not low <= value <= high:
        raise Refused(f"{name} {value!r} cannot be used; give a whole number from {low} to {high}")


def factors(indices: Indices, seed: int = 0) -> dict[str, np.ndarray]:
    """What the images `indices` (whole numbers from 0) of run `seed` show, a dict of arrays of length B, evenly drawn.

    label:     int64, place in CLASSES
    hue:       0 to 1, around the ring of colours
    light:     [B, 2] azimuth (0: from behind the viewer, positive: from the right) and elevation, radians
    position:  [B, 2] x (to the right) and z (to the viewer) on the ground; the picture is 3.8 wide there
    size:      about the solid's radius, in the same unit
    rotation:  about the upright axis, radians, counterclockwise from above
    palette:   0 to 1, around the ring of backgrounds

    RANGES holds each one's range. Raises ValueError for a negative index or a seed outside 0 … 2⁶⁴ − 1.
    """
    _whole("seed", seed, 0, 2**64 - 1)
    indices = np.asarray(indices)
    if indices.size and indices.dtype.kind not in "iu":
        raise Refused(f"indices are of type {indices.dtype}; give whole numbers from 0")
    if indices.size and indices.min() < 0:
        raise Refused(f"index {indices.min()} is negative; images are counted from 0")
    drawn = streams.uniforms(int(seed), streams.Purpose.SCENE, indices, sum(len(ranges) for ranges in RANGES.values()))
    values = {"label": np.minimum((drawn[:, 0] * len(CLASSES)).astype(np.int64), len(CLASSES) - 1)}
    column = 1
    for name, ranges in list(RANGES.items())[1:]:
        low, high = np.array(ranges).T
        rows = low + (high - low) * drawn[:, column : column + len(ranges)]
        values[name] = rows if len(ranges) > 1 else rows[:, 0]
        column += len(ranges)
    return values


def _checked(factors) -> dict[str, np.ndarray]:
    if set(factors) != set(RANGES):
        raise Refused(f"factors are {', '.join(map(str, factors))}; give {', '.join(RANGES)}, each once")
    count = np.size(factors["label"])
    checked = {}
    for name, ranges in RANGES.items():
        shape = (count, len(ranges)) if len(ranges) > 1 else (count,)
        try:
            values = np.asarray(factors[name], dtype=np.float64)
        except (TypeError, ValueError):
            raise Refused(f"factor {name!r} is not made of numbers; give an array of shape {shape}") from None
        if values.shape != shape:
            raise Refused(f"factor {name!r} has the shape {values.shape}; give {shape}, as there are {count} labels")
        for column, (low, high) in zip(values.reshape(count, len(ranges)).T, ranges, strict=True):
            bad = column[~((column >= low - 1e-9) & (column <= high + 1e-9))]
            if len(bad):
                raise Refused(f"factor {name!r} is {bad[0]:g}; give values from {low:g} to {high:g}")
        checked[name] = values
    if (checked["label"] % 1).any():
        raise Refused(f"a label is not a whole number; give integers from 0 to {len(CLASSES) - 1}")
    return checked


def render(factors: dict[str, np.ndarray], resolution: int = 32, supersample: int = 3) -> np.ndarray:
    """The pictures of `factors` as uint8 [B, 3, resolution, resolution], with supersample² rays a pixel on the solid.

    resolution: 4 to 1024 pixels; supersample: 1 to 8. Raises ValueError for a factor that is missing, of another
    length than the labels or out of its range in RANGES, and for another resolution or supersample.
    """
    _whole("resolution", resolution, *_RESOLUTIONS)
    _whole("supersample", supersample, *_SUPERSAMPLES)
    factors = _checked(factors)
    labels = factors["label"].astype(int)
    images = np.empty((len(labels), 3, resolution, resolution), dtype=np.uint8)
    together = max(1, _BLOCK // resolution**2)
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        for start in range(0, len(rows), together):
            block = rows[start : start + together]
            stage = scenes_light.stage(CLASSES[label], {name: values[block] for name, values in factors.items()})
            images[block] = scenes_light.picture(stage, int(resolution), int(supersample))
    return images


def checked_resolution(resolution: int | None) -> int:
    """The size of scenes that are asked for in these pixels; None: 32. Raises Refused for one they do not come in."""
    size = SHAPE[-1] if resolution is None else resolution
    if size < SHAPE[-1] and SHAPE[-1] % size:
        raise Refused(f"resolution {size}: scenes of less than {SHAPE[-1]} pixels are their averages; use 4, 8 or 16")
    return size


class Scenes:
    """The endless dataset of `seed`. size: None, as there is no last image; classes: number of CLASSES. spread: σ_data
    of the first 10,000 images of seed 0, which take seconds to draw, as `edm.data.sources.spread` measures it; None
    for a resolution at which it was not.

    resolution: of less than 32 pixels, images are the means of those of 32; of more, drawn so large.
    """

    spread: float | None = 0.4363426430785632
    shape, classes, class_names, size = SHAPE, len(CLASSES), CLASSES, None

    def __init__(self, seed: int = 0, resolution: int | None = None):
        factors([], seed)
        self.seed, size = seed, checked_resolution(resolution)
        self.shape = (SHAPE[0], size, size)
        if self.shape != SHAPE:
            self.spread = 0.43280301906593466 if size == 16 else None

    def classes_at(self, indices: Indices) -> np.ndarray:
        """The labels of these images, int64 [B], without drawing them."""
        return factors(indices, self.seed)["label"]

    def read(self, indices: Indices) -> tuple[torch.Tensor, torch.Tensor]:
        """Images [B, *shape], uint8, and labels [B], int64. Raises ValueError unless indices are whole and ≥ 0."""
        shown, size = factors(indices, self.seed), self.shape[-1]
        drawn, labels = render(shown, max(size, SHAPE[-1])), torch.from_numpy(shown["label"])
        if size < SHAPE[-1]:
            cell = SHAPE[-1] // size
            means = drawn.reshape(len(drawn), SHAPE[0], size, cell, size, cell).mean((3, 5), dtype=np.float32)
            drawn = np.rint(means).astype(np.uint8)
        return torch.from_numpy(drawn), labels
