"""Improved precision and recall (Kynkäänniemi et al. 2019): how much of each set of features the other covers.

ball of a row    everything within its distance to its k-th nearest neighbour in its own set; k = 3
precision      share of model rows that lie in the ball of some data row: are samples plausible?
recall         share of data rows that lie in the ball of some model row: is all of the data reached?
"""

from __future__ import annotations

import torch

from edm.base.errors import Refused
from edm.evaluation.frechet import checked

NEIGHBOURS = 3
CHUNK = 1 << 22  # distances at a time: 32 MiB


def precision_recall(model: torch.Tensor, data: torch.Tensor, neighbours: int = NEIGHBOURS) -> tuple[float, float]:
    """(precision, recall), each 0 to 1, of features [n, d] of a model's samples against features [m, d] of the data.

    Both depend on the number of rows, so compare at equal numbers, and take n = m.
    Raises ValueError for features of different width, `neighbours` + 1 rows or fewer, NaN or infinity.
    """
    if neighbours < 1:
        raise Refused(f"neighbours = {neighbours}: must be 1 or more")
    model, data = (checked(features, neighbours + 2) for features in (model, data))
    if model.shape[1] != data.shape[1]:
        raise Refused(f"features are {model.shape[1]} and {data.shape[1]} wide; take both from the same extractor")
    return _covered(model, data, neighbours), _covered(data, model, neighbours)


def _covered(rows, centres, neighbours) -> float:
    """The share of `rows` that lie in a ball around some centre."""
    radii = torch.cat([d.kthvalue(neighbours + 1).values for d in _distances(centres, centres)])  # the first is itself
    return float(torch.cat([(d <= radii).any(1) for d in _distances(rows, centres)]).double().mean())


def _distances(rows, centres):
    """Blocks of the distances [rows, centres]; exact zeros between equal rows, so not by products."""
    for part in rows.split(max(1, CHUNK // len(centres))):
        yield torch.cdist(part, centres, compute_mode="donot_use_mm_for_euclid_dist")
