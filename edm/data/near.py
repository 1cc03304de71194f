"""Which of the samples that a run has learned are nearest to others: by the distance of their coordinates.

Where that is less than a third of the distance to the second nearest, a sample is a copy (Yoon et al. 2023). Of points
that fill d dimensions evenly, chance alone makes (1/3)^d of them seem to be copies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from edm.base.errors import Refused
from edm.data import sources

if TYPE_CHECKING:
    from edm.base.protocols import Source
    from edm.base.types import Indices
    from edm.data.split import Split

SHARE = 1 / 3  # of the distance to the second nearest, below which a sample is a copy
MOST = 1 << 25  # numbers of all samples that are learned: larger sets are not looked through
_AT_ONCE = 500


def known(split: Split) -> torch.Tensor | None:
    """All samples that a run learns [N, …], as their source has them. None: they are without end, too many, fewer than
    two, or on a line, where the third of a gap says nothing."""
    shape = tuple(split.source.shape)
    few = split.kept is not None and 2 <= len(split.kept) <= MOST / np.prod(shape)
    return read(split.source, split.kept)[0] if few and split.kept is not None and shape != (1,) else None


def read(source: Source, numbers: Indices) -> tuple[torch.Tensor, torch.Tensor | None]:
    """(samples of these numbers as their source has them, their classes or None), some at a time."""
    numbers = np.asarray(numbers)
    parts = [sources.stored(source, part) for part in np.array_split(numbers, max(1, -(-len(numbers) // _AT_ONCE)))]
    labels = [label for _, label in parts if label is not None]
    return torch.cat([part for part, _ in parts]), torch.cat(labels) if labels else None


def two_nearest(samples: torch.Tensor, learned: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Of samples [n, …] in [−1, 1]: (the number of the one of `learned` [N, …] that is nearest [n], and its distance as
    a share of that to the second nearest [n]), on the CPU. learned: as a source has them. Raises Refused for one."""
    if len(learned) < 2:
        raise Refused("there is one training image only, and no second nearest")
    rows = samples.detach().cpu().float().flatten(1)
    parts = [sources.scaled(part).flatten(1) for part in learned.split(_AT_ONCE)]
    squares = torch.cat([part.square().sum(1) - 2 * (rows @ part.T) for part in parts], 1)
    index = squares.topk(2, largest=False).indices
    there = sources.scaled(learned[index.flatten()]).flatten(1).view(*index.shape, -1)
    distances, order = (there - rows[:, None]).norm(dim=2).sort(1)
    return index.gather(1, order)[:, 0], distances[:, 0] / distances[:, 1].clamp(min=1e-12)
