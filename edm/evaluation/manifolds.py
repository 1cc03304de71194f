"""Improved precision and recall (Kynkäänniemi et al. 2019): how much of each set of features the other covers.

ball of a row    everything within its distance to its k-th nearest neighbour in its own set; k = 3
precision      share of model rows that lie in the ball of some data row: are samples plausible?
recall         share of data rows that lie in the ball of some model row: is all of the data reached?
"""

from __future__ import annotations

from collections.abc import Sequence

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
    model, data = _prepared(model, data, neighbours)
    return _covered(model, data, neighbours), _covered(data, model, neighbours)


def precision_recall_without(
    model: torch.Tensor, data: torch.Tensor, groups: Sequence[range], neighbours: int = NEIGHBOURS
) -> tuple[list[float], list[float]]:
    """The same (precisions, recalls) without each of some groups of the model's rows, for the jackknife."""
    model, data = _prepared(model, data, neighbours)
    radii = _radii(data, neighbours)
    inside = torch.cat([(squares <= radii).any(1) for squares in _squares(model, data)]).double()
    precisions = [float(_others(inside, group).mean()) for group in groups]
    nearest = _nearest_by_group(model, groups, neighbours + 1)
    without = torch.stack([_radii_without(nearest, k, group) for k, group in enumerate(groups)])
    reached = torch.zeros(len(groups), dtype=torch.int64)
    for squares in _squares(data, model):
        reached += torch.stack([(squares <= radii).any(1).sum() for radii in without])
    return precisions, (reached.double() / len(data)).tolist()


def _prepared(model, data, neighbours):
    """Both, checked, around the data's middle, from which squares lose the fewest digits."""
    if neighbours < 1:
        raise Refused(f"neighbours = {neighbours}: must be 1 or more")
    model, data = (checked(features, neighbours + 2) for features in (model, data))
    if model.shape[1] != data.shape[1]:
        raise Refused(f"features are {model.shape[1]} and {data.shape[1]} wide; take both from the same extractor")
    middle = data.mean(0)
    return model - middle, data - middle


def _covered(rows, centres, neighbours) -> float:
    """The share of `rows` that lie in a ball around some centre."""
    radii = _radii(centres, neighbours)
    return float(torch.cat([(d <= radii).any(1) for d in _squares(rows, centres)]).double().mean())


def _radii(rows, neighbours) -> torch.Tensor:
    """Squared, of the ball of each row: the first of its own set is itself."""
    return torch.cat([d.kthvalue(neighbours + 1).values for d in _squares(rows, rows)])


def _nearest_by_group(rows, groups, count) -> torch.Tensor:
    """For each row the squared distances to the `count` nearest of each group [rows, groups, count]; ∞ where a group
    has fewer."""
    found = []
    for squares in _squares(rows, rows):
        of_groups = [squares[:, group.start : group.stop].sort(1).values[:, :count] for group in groups]
        padded = [torch.nn.functional.pad(d, (0, count - d.shape[1]), value=torch.inf) for d in of_groups]
        found.append(torch.stack(padded, 1))
    return torch.cat(found)


def _radii_without(nearest, k, group) -> torch.Tensor:
    """The balls of all rows but those of group k, which have none (−1)."""
    rows, groups, count = nearest.shape
    others = nearest[:, [j for j in range(groups) if j != k]].reshape(rows, -1)
    radii = others.kthvalue(count).values
    radii[group.start : group.stop] = -1
    return radii


def _others(rows, group):
    return torch.cat([rows[: group.start], rows[group.stop :]])


def _squares(rows, centres):
    """Blocks of the squared distances [rows, centres], by products; 0 where they cannot be told from it."""
    lengths = centres.square().sum(1)
    for part in rows.split(max(1, CHUNK // len(centres))):
        sizes = part.square().sum(1)[:, None] + lengths
        squares = torch.addmm(sizes, part, centres.T, alpha=-2)
        yield torch.where(squares > _EQUAL * sizes, squares, 0.0)
