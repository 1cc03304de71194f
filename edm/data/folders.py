"""Training images from a folder or an archive, decoded when they are asked for.

A *source* has `shape` (C, H, W), `classes` (0: none), `class_names`, `size`, `labels` (int64 [size] or None) and
`read(indices)`, which returns uint8 images [B, C, H, W] and int64 labels [B] or None. Opening checks all names, all
labels and the header of every image, and keeps no more than that; no file stays open between reads, so that threads,
forks and pickles can share a source.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from edm.base.errors import Refused
from edm.data import images
from edm.data.brought import Limits, places, sorting
from edm.data.brought.survey import Survey, survey

if TYPE_CHECKING:
    from edm.base.types import Indices, StrPath

RESOLUTIONS = (4, 1024)
MAX_BYTES = 2**28  # of one image file


def rows(indices: Indices, size: int) -> np.ndarray:
    """`indices` as an int64 array [B]. Raises IndexError unless they are whole numbers from 0 to size − 1."""
    indices = np.asarray(indices)
    if indices.ndim != 1 or (indices.size and indices.dtype.kind not in "iu"):
        raise IndexError(f"indices must be a list of whole numbers, not {indices.dtype} {list(indices.shape)}")
    if indices.size and (indices.min() < 0 or indices.max() >= size):
        raise IndexError(f"indices {indices.min()} … {indices.max()}: images are counted from 0 to {size - 1}")
    return indices.astype(np.int64)


class ImageFolder:
    """The images of a directory tree or of an archive (`edm.data.brought`), sorted by name.

    resolution: H = W of the result, 4 … 1024; by default that of the images, which must be square and of one size.
    crop: take the central square of images of any size, and resize it (Lanczos) to `resolution`.
    channels: 3 for RGB, 1 for greyscale; the images are converted. Transparent parts are laid over white, EXIF
    orientation is applied, and of an animation the first picture is taken.

    `names` and `marks` (`edm.data.marks`) say which images these are.

    Raises ValueError, here and from `read`, in sentences that name the file at fault.
    """

    def __init__(self, path: StrPath, resolution: int | None = None, crop: bool = False, channels: int = 3):
        check(resolution, crop, channels)
        limits = Limits(looked=-1)
        files = places.opened(path, limits)
        self._fill(survey(files, limits, sorting.sorted_out(files, limits)), resolution, crop, channels)

    @classmethod
    def of(cls, found: Survey, resolution: int | None = None, crop: bool = False, channels: int = 3) -> ImageFolder:
        """The images that a look has found (`edm.data.brought.survey`)."""
        check(resolution, crop, channels)
        made = cls.__new__(cls)
        made._fill(found, resolution, crop, channels)
        return made

    def _fill(self, found: Survey, resolution, crop, channels):
        self.path, self._files, self._crop = Path(found.files.place), found.files, bool(crop)
        self.names, self.size, self.marks, self.held = found.names, len(found.names), found.marks, found.held
        self.areas, self._scales = found.areas, found.scales
        self.class_names, self.classes = found.class_names, found.classes
        self.labels = None if found.labels is None else torch.tensor(found.labels, dtype=torch.int64)
        self._side = 0 if crop else _side(found)
        side = self._side if resolution is None else resolution
        low, high = RESOLUTIONS
        if not low <= side <= high:
            raise Refused(
                f"the images in {found.files.place} are {side}×{side}; give a resolution from {low} to {high}"
            )
        self.shape = (int(channels), side, side)

    def read(self, indices: Indices) -> tuple[torch.Tensor, torch.Tensor | None]:
        """The images of these indices [B], in any order: uint8 [B, C, H, W], and int64 labels [B] or None."""
        indices = rows(indices, self.size)
        found = np.empty((len(indices), *self.shape), dtype=np.uint8)
        for row, index in zip(found, indices, strict=True):
            row[...] = self._decoded(self.names[index])
        return torch.from_numpy(found), None if self.labels is None else self.labels[torch.from_numpy(indices)]

    def square(self, index: int) -> tuple[np.ndarray, int]:
        """(the central square of one image, uint8 [3, H, W], the pixels that were decoded for it), quickly.

        What is made to take long is refused: see `edm.data.images.square`."""
        name = self.names[index]
        data = self._files.contents(name, MAX_BYTES)
        return images.square(data, self._files.told(name), self.shape[-1], scales=self._scales)

    def _decoded(self, name: str) -> np.ndarray:
        place = self._files.told(name)
        with images.opened(io.BytesIO(self._files.contents(name, MAX_BYTES)), place) as image:
            if not self._crop and image.size != (self._side, self._side):
                raise Refused(f"{place} has changed since the set was opened; open the set again")
            return images.pixels(image, place, self._crop, self.shape, self._scales)


def check(resolution: int | None, crop: bool, channels: int) -> None:
    """Raises Refused for what an image cannot be brought to."""
    low, high = RESOLUTIONS
    if resolution is not None and (type(resolution) is not int or not low <= resolution <= high):
        raise Refused(f"resolution = {resolution!r}: must be a whole number from {low} to {high}")
    if crop and resolution is None:
        raise Refused("crop needs a resolution, to which the cropped images are brought")
    if channels not in (1, 3):
        raise Refused(f"channels = {channels!r}: must be 3 (RGB) or 1 (greyscale)")


def _side(found: Survey) -> int:
    """The side of images that are square and of one size."""
    side, sizes = int(found.stored[0, 1]), found.stored[:, 1:]
    for row in np.flatnonzero((sizes != side).any(1))[:1]:
        height, width = sizes[row].tolist()
        place = found.files.told(found.names[row])
        if width != height:
            raise Refused(f"{place} is {width}×{height}, not square; use crop to take its central square")
        first = f"{found.names[0]!r} is {side}×{side}; make them equal, or use crop and a resolution"
        raise Refused(f"{place} is {width}×{width} but {first}")
    return side
