"""The data that samples are compared with: read once in a process, and kept.

Of a finite set it is all of it, up to a limit; of an endless one, samples that nothing else reads. A run of seed 0
sees at most 10¹¹ samples (2^36.5) and validates from 2⁴⁰; the runs of other seeds begin at multiples of 2⁴².
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from edm import data as exact_data
from edm.base import streams
from edm.base.errors import Refused
from edm.data import sources
from edm.data.settings import Data
from edm.evaluation.distances import data_floor
from edm.evaluation.features import Features, of_dataset, to_8_bits
from edm.evaluation.frechet import Moments, frechet_distance, moments

if TYPE_CHECKING:
    from edm.data.sources import Source

CLASSIFIER, CLASSIFIER_HELD_OUT = 1 << 41, 5 << 39  # where numbers of an endless set begin, for each purpose
REFERENCE, FRESH = 3 << 40, 7 << 39
MOST, POINTS = 10_000, 4000  # samples of a finite set, and of endless points, to compare with unless told
_REPEATS = 8  # of true points, whose distance differs by half between one draw and another
_PART = 500


@dataclass(frozen=True)
class TrueData:
    """Samples of the data, and what is known of them.

    rows: features [M, d] of images, or the points [M, d] themselves. frequencies: of the classes [K], or None.
    features, moments: of images, else None. exact: the data's exact denoiser, where it has one.
    """

    data: Data
    source: Source
    rows: torch.Tensor
    frequencies: torch.Tensor | None
    features: Features | None = None
    moments: Moments | None = None

    @property
    def exact(self) -> Any:
        known = exact_data.learned(self.data)
        return None if known is None else known.denoiser

    def frechet(self, samples: torch.Tensor) -> float:
        """d² between images [n, C, H, W] in [−1, 1] and these; not of points."""
        assert self.features is not None and self.moments is not None
        return frechet_distance(self.features.of(to_8_bits(samples)), self.moments)

    def labels(self, seed: int, start: int, stop: int, taught: Sequence[int] = ()) -> torch.Tensor | None:
        """Classes of samples k = start … stop − 1 of a run, with the data's frequencies; each depends on (seed, k).

        taught: the only classes that are drawn; (): all. Raises ValueError if the data have none of them.
        """
        if self.frequencies is None:
            return None
        chances = self.frequencies
        if taught:
            chances = torch.zeros_like(chances).scatter(0, torch.tensor(taught), chances[list(taught)])
        if not chances.any():
            raise Refused(f"{self.data.dataset} has no images of the classes that the model was taught")
        u = torch.from_numpy(streams.uniforms(seed, streams.Purpose.TRUE_LABEL, np.arange(start, stop), 1)[:, 0])
        return torch.searchsorted(chances.cumsum(0) / chances.sum(), u).clamp(max=int(chances.nonzero().max()))


def settings_of(data: Data | str) -> Data:
    """The data of that name, or as it is. Raises ValueError for a name that nothing is known by."""
    if isinstance(data, str) and data not in sources.names():
        raise Refused(f"there is no data {data!r} to compare with; there are {', '.join(sources.names())}")
    return Data(dataset=data) if isinstance(data, str) else data


@lru_cache(maxsize=4)
def source(data: Data, class_names: Sequence[str] = ()) -> Source:
    """The opened source of the data, its classes in the order of a model's `class_names`."""
    return sources.as_learned(sources.open_source(data), class_names)


@lru_cache(maxsize=8)
def read(data: Data, count: int, device: str = "cpu", class_names: Sequence[str] = ()) -> TrueData:
    """`count` samples to compare with, or all that there are; evenly chosen if there are more.

    device: where features are computed. class_names: of a model, where it counts the classes in another order.
    """
    opened = source(data, class_names)
    size = opened.size
    if size is None:
        numbers = REFERENCE + np.arange(count)
    else:
        numbers = np.linspace(0, size - 1, min(count, size)).round().astype(np.int64)
    samples, labels = _read(opened, numbers)
    frequencies = None
    if opened.classes and size is None:
        frequencies = torch.full((opened.classes,), 1 / opened.classes, dtype=torch.float64)
    elif opened.classes and labels is not None:
        frequencies = torch.bincount(labels, minlength=opened.classes).double() / len(labels)
    if len(opened.shape) == 1:
        return TrueData(data, opened, samples.double(), frequencies)
    images = to_8_bits(samples)
    features = of_dataset(data.dataset, lambda: images, device)
    rows = features.of(images)
    return TrueData(data, opened, rows, frequencies, features, moments(rows))


@lru_cache(maxsize=16)
def floor(data: Data, count: int, reference: int, device: str = "cpu") -> float:
    """What `count` true samples read in place of a model's: the least to hope for.

    Images: d² of fresh ones of an endless set, or of as many drawn from a finite set, some of them twice.
    Points: the sliced Wasserstein distance, the mean of eight draws.
    """
    known = read(data, reference, device)
    if known.features is None:
        return data_floor(exact_data.learned(data), count, known.rows, _REPEATS)
    if known.source.size is None:
        numbers = FRESH + np.arange(count)
    else:
        numbers = streams.uniforms(0, streams.Purpose.TRUE_SAMPLE, np.arange(count), 1)[:, 0] * known.source.size
    samples, _ = _read(known.source, numbers.astype(np.int64))
    return known.frechet(samples)


def _read(opened, numbers):
    """Samples [n, …], images as 8 bits where they are, and classes [n] or None."""
    parts = [sources.read(opened, part) for part in np.array_split(numbers, -(-len(numbers) // _PART))]
    samples, labels = zip(*parts, strict=True)
    return torch.cat(samples), None if labels[0] is None else torch.cat(labels)
