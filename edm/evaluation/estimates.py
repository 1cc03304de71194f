"""How sure numbers of a set of samples are: each without one of twenty groups of the samples (a jackknife).

The interval is `edm.base.intervals.jackknife`'s over the groups: what would change with other samples of the model. The
data that they are compared with stay as they are. Two sets that were drawn from the same latents are compared group by
group, so that what they have in common drops out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import torch

from edm.base.errors import Refused
from edm.base.intervals import jackknife
from edm.evaluation.features import Features
from edm.evaluation.frechet import Moments, frechet_distance, moments
from edm.evaluation.manifolds import precision_recall_without
from edm.evaluation.variety import inception_score

if TYPE_CHECKING:
    from typing import Protocol

    class Measured(Protocol):
        """A report of samples (`edm.evaluation.report`)."""

        @property
        def intervals(self) -> dict[str, Interval] | None: ...


GROUPS = 20
_LIMITS = {"frechet": (0, math.inf), "precision": (0, 1), "recall": (0, 1), "inception_score": (1, math.inf)}
FEWEST = 10  # samples of a group, in which neighbours can be looked for


@dataclass(frozen=True)
class Interval:
    """low, high: of the 95 % interval. without: the number itself, without each of the groups of samples."""

    low: float
    high: float
    without: tuple[float, ...]


def groups_of(count: int) -> list[range]:
    """Twenty groups of `count` samples that differ by one at most; fewer, where there are few samples. Raises Refused
    for too few."""
    number = min(GROUPS, count // FEWEST)
    if number < 2:
        raise Refused(f"{count} samples are too few for an interval; take {2 * FEWEST} or more")
    ends = [round(k * count / number) for k in range(number + 1)]
    return [range(*pair) for pair in pairwise(ends)]


def intervals(
    found: dict[str, float], features: Features, rows: torch.Tensor, data: torch.Tensor, truth: Moments
) -> dict[str, Interval]:
    """Those of the measures `found` of a model's rows [n, d] in these features, against rows of the data and their
    moments; of frechet, precision, recall and inception_score."""
    groups, without = groups_of(len(rows)), {}
    others = [torch.cat([rows[: group.start], rows[group.stop :]]) for group in groups]
    without["frechet"] = [frechet_distance(moments(kept), truth) for kept in others]
    without["precision"], without["recall"] = precision_recall_without(rows, data, groups)
    if features.logits is not None:
        without["inception_score"] = [inception_score(features.logits(kept)) for kept in others]
    return {name: _interval(name, found[name], values) for name, values in without.items() if name in found}


def _interval(name, value, without) -> Interval:
    least, most = _LIMITS[name]
    _, low, high = jackknife(value, without)
    return Interval(max(low, least), min(high, most), tuple(without))


def difference(one: Measured, other: Measured, name: str = "frechet") -> tuple[float, float, float]:
    """(one − other, low, high) of a measure of two `Report`s, with the 95 % interval of the difference.

    Both from the same latents, with as many samples: what they have in common drops out. Raises Refused where one has
    no intervals, or they are of different groups.
    """
    values: list[Any] = [getattr(report, name, None) for report in (one, other)]
    groups = [known[name].without for report in (one, other) if name in (known := report.intervals or {})]
    if None in values or len(groups) < 2 or len(groups[0]) != len(groups[1]):
        raise Refused(f"{name} of both has to have intervals, of as many samples: evaluate both with intervals=True")
    return jackknife(values[0] - values[1], [a - b for a, b in zip(*groups, strict=True)])
