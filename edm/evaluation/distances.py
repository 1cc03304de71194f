"""How far a sampling result is from the data."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from edm.base.errors import Refused


def sliced_wasserstein(x: torch.Tensor, y: torch.Tensor, projections: int = 64, seed: int = 0) -> float:
    """Sliced 2-Wasserstein distance between point clouds [A, d] and [B, d], in the data's units.

    The root mean square, over random directions, of the 1-D distance, which is exact between sorted
    projections; clouds of different size meet through their quantiles. In 1-D it is the 2-Wasserstein distance.
    """
    x, y = (torch.as_tensor(cloud).cpu().double().flatten(1) for cloud in (x, y))
    if x.shape[1] != y.shape[1] or not len(x) or not len(y):
        raise Refused(f"cannot compare clouds of shapes {list(x.shape)} and {list(y.shape)}")
    directions = torch.from_numpy(np.random.default_rng(seed).standard_normal((x.shape[1], projections)))
    directions = directions / directions.norm(dim=0)
    x, y = (x @ directions).sort(0).values, (y @ directions).sort(0).values
    if len(x) != len(y):
        # the quantile functions are step functions: cut [0, 1] where either jumps
        cuts = torch.cat([torch.arange(1, n + 1, dtype=torch.float64) / n for n in (len(x), len(y))]).unique()
        middle = (cuts + torch.cat([cuts.new_zeros(1), cuts[:-1]])) / 2
        width = torch.diff(cuts, prepend=cuts.new_zeros(1))
        x, y = (c[(middle * len(c)).long().clamp(max=len(c) - 1)] for c in (x, y))
    else:
        width = torch.full((len(x),), 1 / len(x), dtype=torch.float64)
    return float(((x - y).square() * width[:, None]).sum(0).mean().sqrt())


def data_floor(dataset: Any, count: int, truth: torch.Tensor, repeats: int = 4) -> float:
    """What `sliced_wasserstein` to `truth` [M, d] is on average for `count` true samples: the least to hope for."""
    return sum(sliced_wasserstein(dataset.sample(count, seed=k), truth) for k in range(repeats)) / repeats
