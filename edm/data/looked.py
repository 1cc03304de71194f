"""Samples of a data set as they are looked at before anything is trained on them: how far apart they lie, how many are
there twice, and in which steps their values come.

Of a large set, or one without end, a choice is looked at: the same one every time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from edm.base.errors import Refused
from edm.base.streams import Purpose
from edm.data import sources
from edm.exact import PointSet

if TYPE_CHECKING:
    from edm.base.protocols import Source

NUMBERS = 1 << 24  # of all samples that are looked at
MOST = 10_000  # samples that are
_ENDLESS = 2000  # samples of a set without end
_AT_ONCE = 200
_LEVELS = 1 << 13  # values of a coordinate: more are no steps
_EVEN = 0.02  # of a step: how far from whole multiples of it values may lie
_SWEEPS = 6
_WIDEST = 1000  # samples of which the widest direction is found
FEW = 8  # coordinates, of which distances are computed in float64
BYTE = 2 / 255  # a step of 8 bits, between −1 and 1


@dataclass(frozen=True, eq=False)
class Looked:
    """rows: [M, d], float64 of few coordinates, else float32. labels: [M] or None. same: [M], a number that equal rows
    share. count: how many samples there are, None: without end. shape: of one. classes: how many, 0: none.
    sigma_data: of the whole.

    step: between two values that a coordinate may have, None: any. exact: the denoiser of a distribution that is known.
    """

    rows: torch.Tensor
    labels: torch.Tensor | None
    same: torch.Tensor
    count: int | None
    shape: tuple[int, ...]
    classes: int
    sigma_data: float
    step: float | None
    exact: Any = None

    @property
    def duplicates(self) -> int:
        """How many of the rows are equal to one before them."""
        return len(self.rows) - len(self.same.unique())

    def farthest(self) -> float:
        """The distance of the two samples that lie farthest apart, as far as a few sweeps from end to end find them."""
        place, found = self.rows.mean(0), 0.0
        for sweep in range(_SWEEPS):
            distances = (self.rows - place).norm(dim=1)
            found = max(found, float(distances.max())) if sweep else found
            place = self.rows[int(distances.argmax())]
        return found

    def widest(self) -> float:
        """The standard deviation along the direction in which it is largest."""
        some = self.rows[:: max(1, len(self.rows) // _WIDEST)].double()
        some = some - some.mean(0)
        products = some @ some.T if len(some) < some.shape[1] else some.T @ some
        return float((torch.linalg.eigvalsh(products)[-1].clamp(min=0) / len(some)).sqrt())


def look(
    source: Source, seed: int = 0, most: int = NUMBERS, among: np.ndarray | None = None
) -> Iterator[float | Looked]:  # fmt: skip
    """Yields the share of samples that have been read, and at last what was looked at.

    seed: of the choice, where there are more than `most` numbers in all samples, or more than 10,000 samples.
    among: the numbers of the only samples that count; None: all.
    Raises Refused for a single sample, or samples that are all equal.
    """
    exact = getattr(source, "exact", None)
    if isinstance(exact, PointSet) and among is None:
        rows, labels, count, exact = exact.points, exact.labels, len(exact.points), None
        chosen = _chosen(count, max(2, min(MOST, most // rows[0].numel())), seed)
        rows, labels = rows[chosen], None if labels is None else labels[chosen]
    else:
        count, exact = (source.size, exact) if among is None else (len(among), None)
        room = max(2, min(MOST, most // int(np.prod(source.shape))))
        numbers = _chosen(count, room, seed) if count is not None else np.arange(min(room, _ENDLESS))
        numbers = numbers if among is None else among[numbers]
        read = []
        for part in np.array_split(numbers, -(-len(numbers) // _AT_ONCE)):
            yield len(read) * _AT_ONCE / len(numbers)
            read.append(sources.stored(source, part))
        rows = torch.cat([samples for samples, _ in read])
        labels = None if read[0][1] is None else torch.cat([label for _, label in read])
    same = _same(rows)
    if len(rows) < 2 or not same.any():
        what = "there is one sample only" if len(rows) < 2 else f"all {len(rows):,} samples are equal"
        raise Refused(f"{what}: nothing can be learned of it; bring more, and different ones")
    step, values = _step(rows), sources.scaled(rows).flatten(1) if rows.dtype == torch.uint8 else rows.flatten(1)
    values = values.double() if values.shape[1] <= FEW else values.float()
    spread = float(values.var(0, correction=0).double().mean().sqrt())
    known = exact.sigma_data if exact is not None else getattr(source, "spread", None)
    sigma_data = spread if known is None else float(known)
    yield Looked(values, labels, same, count, tuple(source.shape), source.classes, sigma_data, step, exact)


def _chosen(count, room, seed) -> np.ndarray:
    """The numbers of at most `room` samples of `count`, rising."""
    if count <= room:
        return np.arange(count)
    return np.sort(np.random.default_rng([seed, Purpose.LOOK]).permutation(count)[:room])


def _same(rows) -> torch.Tensor:
    """A number for each row [M], which equal rows share."""
    array = np.ascontiguousarray(rows.flatten(1).numpy()) + 0  # −0 is 0
    known: dict[bytes, int] = {}
    return torch.tensor([known.setdefault(row.tobytes(), len(known)) for row in array])


def _step(rows) -> float | None:
    """The step between two values that a coordinate may have, where all values are whole steps apart."""
    if rows.dtype == torch.uint8:
        levels = rows.unique().long().numpy()
        return float(np.gcd.reduce(np.diff(levels))) * BYTE if len(levels) > 1 else None
    columns = rows.double().flatten(1)
    columns = columns.T if columns.shape[1] <= 2 else columns.reshape(1, -1)
    steps = [_between(column.unique().numpy()) for column in columns]
    known = [step for step in steps if step != 0]
    return None if None in known or not known else min(step for step in known if step)


def _between(levels) -> float | None:
    """The step of rising values; None: they are no whole steps apart, 0: there is one of them only."""
    gaps = np.diff(levels)
    gaps = gaps[gaps > 1e-6 * (levels[-1] - levels[0])]  # rounding is no step
    if not len(gaps):
        return 0.0
    if len(levels) > _LEVELS:
        return None
    ratios = gaps / gaps.min()
    return float(gaps.min()) if np.abs(ratios - ratios.round()).max() < _EVEN else None
