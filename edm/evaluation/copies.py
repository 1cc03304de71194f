"""Copies: samples that are one of the images that their model was trained on, and hardly any other.

Beside each sample stands the training image that is nearest to it; whether it is a copy, `edm.data.near` says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from edm.data import identity, near
from edm.data.near import MOST, SHARE
from edm.data.settings import data_learned
from edm.data.split import Split

if TYPE_CHECKING:
    from edm.base.protocols import HeaderLike, Source
    from edm.base.types import Indices


@dataclass(frozen=True, eq=False)
class Known:
    """Training images [N, C, H, W], as their source has them; what each is called, or ""; and their classes [N], or
    None."""

    images: torch.Tensor
    names: tuple[str, ...]
    labels: torch.Tensor | None = None


@dataclass(frozen=True, eq=False)
class Nearest:
    """Of n samples: the number of the training image that is nearest to each [n], and its distance as a share of that
    to the second nearest [n]."""

    index: torch.Tensor
    share: torch.Tensor

    @property
    def copies(self) -> torch.Tensor:
        """Which of the samples are copies [n]."""
        return self.share < SHARE


def images_of(source: Source, held: Indices = (), only: Indices | None = None) -> Known | None:
    """The images of a source (`edm.data.sources`) without those of the numbers `held`; or `only` some. None: it is of
    points, without end, or too large."""
    if len(source.shape) != 3 or (only is None and source.size is None):
        return None
    numbers = np.setdiff1d(np.arange(source.size or 0), np.asarray(held, dtype=np.int64)) if only is None else only
    numbers = np.asarray(numbers)
    if len(numbers) * int(np.prod(source.shape)) > MOST:
        return None
    images, labels = near.read(source, numbers)
    names = getattr(source, "names", ())
    if names:
        return Known(images, tuple(names[k] for k in numbers), labels)
    if source.class_names and labels is not None:
        return Known(images, tuple(source.class_names[k] for k in labels.tolist()), labels)
    return Known(images, ("",) * len(numbers), labels)


def learned(source: Source, header: HeaderLike | None) -> Known | None:
    """The images of a source that the run has learned whose file has this header (`images_of`); None: no run's, all."""
    held = None if header is None else identity.still_held(source, header.data)
    data = data_learned(header)
    if data is None or data.examples is None:
        return images_of(source, () if held is None else held)
    return images_of(source, only=Split(source, data.holdout, held, data.examples).kept)


def nearest(samples: torch.Tensor, known: Known) -> Nearest:
    """The training images that are nearest to samples [n, C, H, W] in [−1, 1]. Raises Refused for fewer than two."""
    return Nearest(*near.two_nearest(samples, known.images))
