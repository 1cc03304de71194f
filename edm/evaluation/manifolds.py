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
_EQUAL = 1e-12  # of what two rows measure squared: what rounding leaves of their distance, where they are equal


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
    middle = data.mean(0)  # from which squares lose the fewest digits
    model, data = model - middle, data - middle
    return _covered(model, data, neighbours), _covered(data, model, neighbours)


def _covered(rows, centres, neighbours) -> float:
    """The share of `rows` that lie in a ball around some centre."""
    radii = torch.cat([d.kthvalue(neighbours + 1).values for d in _squares(centres, centres)])  # the first is itself
    return float(torch.cat([(d <= radii).any(1) for d in _squares(rows, centres)]).double().mean())


def _squares(rows, centres):
    """Blocks of the squared distances [rows, centres], by products; 0 where they cannot be told from it."""
    lengths = centres.square().sum(1)
    for part in rows.split(max(1, CHUNK // len(centres))):
        sizes = part.square().sum(1)[:, None] + lengths
        squares = torch.addmm(sizes, part, centres.T, alpha=-2)
        yield torch.where(squares > _EQUAL * sizes, squares, 0.0)
