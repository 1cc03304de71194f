"""Copies: samples that are one of the images that their model was trained on, and hardly any other.

Beside each sample stands the training image that is nearest to it, by the distance of their pixels. Where that is less
than a third of the distance to the second nearest, the sample is called a copy (Yoon et al. 2023).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from edm.base.errors import Refused
from edm.data import sources

if TYPE_CHECKING:
    from edm.base.protocols import Source
    from edm.base.types import Indices

SHARE = 1 / 3  # of the distance to the second nearest, below which a sample is a copy
MOST = 1 << 25  # numbers of all training images: larger sets are not looked through
_AT_ONCE = 500


@dataclass(frozen=True, eq=False)
class Known:
    """Training images [N, C, H, W], as their source has them, and what each of them is called, or ""."""

    images: torch.Tensor
    names: tuple[str, ...]


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


def images_of(source: Source, held: Indices = ()) -> Known | None:
    """The images of a source (`edm.data.sources`) without those of the numbers `held`. None: it is of points, without
    end, or too large."""
    size = source.size
    if len(source.shape) != 3 or size is None or size * int(np.prod(source.shape)) > MOST:
        return None
    numbers = np.setdiff1d(np.arange(size), np.asarray(held, dtype=np.int64))
    parts = [sources.stored(source, part) for part in np.array_split(numbers, -(-len(numbers) // _AT_ONCE))]
    images = torch.cat([part for part, _ in parts])
    names = getattr(source, "names", ())
    if names:
        return Known(images, tuple(names[k] for k in numbers))
    labels = [label for _, some in parts if some is not None for label in some.tolist()]
    known = bool(source.class_names and labels)
    return Known(images, tuple(source.class_names[k] for k in labels) if known else ("",) * len(numbers))


def nearest(samples: torch.Tensor, known: Known) -> Nearest:
    """The training images that are nearest to samples [n, C, H, W] in [−1, 1]. Raises Refused for fewer than two."""
    if len(known.images) < 2:
        raise Refused("there is one training image only, and no second nearest")
    rows = samples.detach().cpu().float().flatten(1)
    parts = [sources.scaled(part).flatten(1) for part in known.images.split(_AT_ONCE)]
    squares = torch.cat([part.square().sum(1) - 2 * (rows @ part.T) for part in parts], 1)
    index = squares.topk(2, largest=False).indices
    there = sources.scaled(known.images[index.flatten()]).flatten(1).view(*index.shape, -1)
    distances, order = (there - rows[:, None]).norm(dim=2).sort(1)
    return Nearest(index.gather(1, order)[:, 0], distances[:, 0] / distances[:, 1].clamp(min=1e-12))
