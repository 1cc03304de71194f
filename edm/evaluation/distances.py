"""How far a sampling result is from the data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from edm.base.errors import Refused


def sliced_wasserstein(x: torch.Tensor, y: torch.Tensor, projections: int = 64, seed: int = 0) -> float:
    """Sliced 2-Wasserstein distance between point clouds [A, d] and [B, d], in the data's units.

    The root mean square, over random directions, of the 1-D distance, which is exact between sorted
    projections; clouds of different size meet through their quantiles. In 1-D it is the 2-Wasserstein distance.
    """
    return distance_to(y, projections, seed)(x)


def distance_to(y: torch.Tensor, projections: int = 64, seed: int = 0) -> Callable[[torch.Tensor], float]:
    """x -> `sliced_wasserstein(x, y)`, for many clouds x: y [B, d] is projected and sorted once."""
    known = _cloud(y)
    directions = np.random.default_rng(seed).standard_normal((known.shape[1], projections))
    directions /= np.linalg.norm(directions, axis=0)
    there = _sorted(known, directions)

    def distance(x: torch.Tensor) -> float:
        cloud = _cloud(x)
        if cloud.shape[1] != known.shape[1] or not len(cloud) or not len(known):
            raise Refused(f"cannot compare clouds of shapes {list(cloud.shape)} and {list(known.shape)}")
        here = _sorted(cloud, directions)
        if len(cloud) == len(known):
            return float(np.sqrt(((here - there) ** 2).mean()))
        # the quantile functions are step functions: cut [0, 1] where either jumps
        cuts = np.unique(np.concatenate([np.arange(1, n + 1) / n for n in (len(cloud), len(known))]))
        before = np.concatenate([[0.0], cuts[:-1]])
        a, b = (_at(rows, (cuts + before) / 2) for rows in (here, there))
        return float(np.sqrt(((a - b) ** 2 @ (cuts - before)).mean()))

    return distance


def data_floor(dataset: Any, count: int, truth: torch.Tensor, repeats: int = 4) -> float:
    """What `sliced_wasserstein` to `truth` [M, d] is on average for `count` true samples: the least to hope for."""
    distance = distance_to(truth)
    return sum(distance(dataset.sample(count, seed=k)) for k in range(repeats)) / repeats


def _cloud(points) -> np.ndarray:
    return torch.as_tensor(points).cpu().double().flatten(1).numpy()


def _sorted(cloud, directions) -> np.ndarray:
    """Along each direction, in order [P, B]: NumPy sorts rows several times as quickly as torch columns."""
    return np.sort((cloud @ directions).T, axis=1)


def _at(rows, shares) -> np.ndarray:
    """The values of sorted rows [P, B] at shares of their length in (0, 1)."""
    count = rows.shape[1]
    return rows[:, np.minimum((shares * count).astype(int), count - 1)]
