"""Sources that need no file of their own: distributions of points, and images in memory (see `edm.data.sources`)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from edm import data
from edm.data import emoji

if TYPE_CHECKING:
    from edm.base.types import Indices


class Mixture:
    """Endless samples of an `edm.data.Dataset` of points. units: what they are in their file. parts: its parts count as
    classes."""

    size = None

    def __init__(self, dataset: data.Dataset, parts: bool = False):
        self._dataset, self.units = dataset, dataset.units
        self.shape, self.digest = dataset.shape, dataset.name  # that of points in a file says which
        self.class_names = dataset.parts if parts else dataset.class_names
        self.classes = len(dataset.parts) if parts else dataset.classes

    @property
    def exact(self) -> Any:
        """The exact denoiser."""
        return self._dataset.labelled if self.classes else self._dataset.denoiser

    def read(self, indices: Indices) -> tuple[torch.Tensor, torch.Tensor | None]:
        from edm.base.streams import Purpose, uniforms

        known = self._dataset.labelled
        chance = uniforms(0, Purpose.DATA, indices, 1 + getattr(known, "dim", self.shape[0]))
        return known.quantiles(chance), known.labels[known.chosen(chance)] if self.classes else None


class Pictures:
    """A set of images [N, C, H, W] that is in memory: of 8 bits, or between −1 and 1. names: of each of them, or ()."""

    def __init__(
        self, images: torch.Tensor, labels: torch.Tensor, class_names: Sequence[str], names: Sequence[str] = ()
    ):
        self._images, self.labels, self.names = images, labels, tuple(names)
        self.shape, self.size = tuple(images.shape[1:]), len(images)
        self.class_names, self.classes = tuple(class_names), len(class_names)

    @cached_property
    def marks(self) -> np.ndarray:
        from edm.data import marks

        return marks.of_arrays(self._images.numpy(), self.labels.numpy())

    def read(self, indices: Indices) -> tuple[torch.Tensor, torch.Tensor | None]:
        indices = np.asarray(indices)
        return self._images[indices], self.labels[indices]


class Digits(Pictures):
    """scikit-learn's digits, already between −1 and 1."""

    def __init__(self):
        points = data.load("digits").denoiser
        super().__init__(points.points, points.labels.clone(), tuple("0123456789"))


class Emoji(Pictures):
    """Noto's emoji, as they are in their file."""

    def __init__(self):
        known = emoji.read()
        super().__init__(
            torch.from_numpy(known.images), torch.from_numpy(known.labels), emoji.CLASSES, names=known.names
        )
