"""The data that samples are compared with: read once in a process, and kept.

Of a finite set it is all of it, up to a limit; of an endless one, samples that nothing else reads. A run of seed 0
sees at most 10¹¹ samples (2^36.5) and validates from 2⁴⁰; the runs of other seeds begin at multiples of 2⁴².
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from edm import data as exact_data
from edm.base import streams
from edm.base.atomic import atomic, make
from edm.base.errors import Refused
from edm.data import identity, sources
from edm.data.settings import Data
from edm.evaluation import features as extractors
from edm.evaluation import statistics
from edm.evaluation.distances import data_floor
from edm.evaluation.features import FITTED, Features, of_dataset, to_8_bits
from edm.evaluation.frechet import Moments, Running, frechet_distance
from edm.evaluation.settings import PROTOCOLS

if TYPE_CHECKING:
    from edm.base.protocols import Source
    from edm.base.types import Device, StrPath

CLASSIFIER, CLASSIFIER_HELD_OUT = 1 << 41, 5 << 39  # where numbers of an endless set begin, for each purpose
REFERENCE, FRESH = 3 << 40, 7 << 39
MOST, POINTS = 10_000, 4000  # samples of a finite set, and of endless points, to compare with unless told
_REPEATS = 8  # of true points, whose distance differs by half between one draw and another
_PART = 500


@dataclass(frozen=True)
class TrueData:
    """Samples of the data, and what is known of them. They are read when they are first asked for.

    data, source: None where only statistics are known. numbers: of the samples. frequencies: of the classes [K], or
    None. features: of images, else None. statistics: gives moments that stand for those of the samples.
    keep: a folder in which moments and rows are kept for the next process.
    """

    data: Data | None
    source: Source | None
    numbers: np.ndarray
    frequencies: torch.Tensor | None
    features: Features | None = None
    statistics: Callable[[], Moments] | None = None
    keep: StrPath | None = None

    @property
    def rows(self) -> torch.Tensor:
        """Features [M, d] of the images, of at most 10 000 of them, evenly chosen; or the points [M, d] themselves."""
        return self._read[0]

    @property
    def moments(self) -> Moments | None:
        """Of the features of all images; None of points."""
        return self.statistics() if self.statistics else self._read[1]

    @cached_property
    def _read(self) -> tuple[torch.Tensor, Moments | None]:
        assert self.source is not None
        if self.features is None:
            return _samples(self.source, self.numbers)[0].double(), None
        place = None if self.keep is None else Path(self.keep) / f"reference-{self._identity()}"
        if place is not None and place.with_suffix(".npy").is_file() and place.with_suffix(".npz").is_file():
            rows = torch.from_numpy(np.load(place.with_suffix(".npy"), allow_pickle=False))
            return rows.double(), statistics.read(place.with_suffix(".npz"))[0]
        chosen = np.linspace(0, len(self.numbers) - 1, min(len(self.numbers), MOST)).round().astype(int)
        rows, measured, done = [], Running(), 0
        for part in _parts(self.numbers):
            found = self.features.rows(to_8_bits(_samples(self.source, part)[0]))
            measured.add(found)
            rows.append(found[chosen[(chosen >= done) & (chosen < done + len(part))] - done])
            done += len(part)
        rows = torch.cat(rows)
        if place is not None:
            make(place.parent)
            with atomic(place.with_suffix(".npy")) as file:
                np.save(file, rows.numpy())
            statistics.write(place.with_suffix(".npz"), measured.moments, self.features.digest)
        return rows.double(), measured.moments

    def _identity(self) -> str:
        """What tells these samples in these features from others, wherever the data lie."""
        assert self.data is not None and self.source is not None and self.features is not None
        known = identity.identify(self.source, self.data)
        found = known.document(complete=True) if known else self.data.document()
        found |= {"resolution": self.data.resolution, "greyscale": self.data.greyscale}
        told = json.dumps([found, len(self.numbers), self.features.name, self.features.digest], sort_keys=True)
        return hashlib.sha256(told.encode()).hexdigest()[:16]

    @property
    def exact(self) -> Any:
        """The data's exact denoiser, where it has one."""
        known = None if self.data is None else exact_data.learned(self.data)
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
            named = self.data.dataset if self.data else "the data"
            raise Refused(f"{named} has no images of the classes that the model was taught")
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
def read(
    data: Data, count: int, device: str = "cpu", class_names: Sequence[str] = (), features: Features | None = None,
    keep: StrPath | None = None,
) -> TrueData:  # fmt: skip
    """`count` samples to compare with, or all that there are; evenly chosen if there are more.

    device: where features are computed. class_names: of a model, where it counts the classes in another order.
    features: None: those for these data. keep: a folder for what has been computed.
    """
    opened = source(data, class_names)
    numbers = REFERENCE + np.arange(count)
    if opened.size is not None:
        numbers = np.linspace(0, opened.size - 1, min(count, opened.size)).round().astype(np.int64)
    frequencies = _frequencies(opened, numbers)
    if len(opened.shape) == 1:
        return TrueData(data, opened, numbers, frequencies)
    if features is None:
        some = numbers[:: -(-len(numbers) // FITTED)]
        features = of_dataset(data.dataset, lambda: to_8_bits(_samples(opened, some)[0]), device)
    return TrueData(data, opened, numbers, frequencies, features, keep=keep)


def save_statistics(
    path: StrPath, data: Data, reference: int | None = None, device: Device = "cpu", inception: StrPath | None = None,
    protocol: str = "plain",
) -> None:  # fmt: skip
    """Write the data's statistics, in the features in which `evaluate` with the same arguments compares, to a file.

    Raises Refused for points, and OSError where it cannot be written.
    """
    features = extractors.inception(inception, device) if inception else None
    known = read(data, reference or PROTOCOLS[protocol].reference or MOST, str(device), features=features)
    if known.features is None or known.moments is None:
        raise Refused(f"{data.dataset} has points, which are compared as they are; statistics are of images")
    statistics.write(path, known.moments, known.features.digest)


def _frequencies(opened, numbers) -> torch.Tensor | None:
    """Of the classes [K]: those of the samples; alike, where the data is endless."""
    if not opened.classes:
        return None
    if opened.size is None:
        return evenly(opened.classes)
    labels = getattr(opened, "labels", None)
    labels = _samples(opened, numbers)[1] if labels is None else torch.as_tensor(labels)[numbers]
    return None if labels is None else torch.bincount(labels, minlength=opened.classes).double() / len(labels)


def evenly(classes: int) -> torch.Tensor:
    """Frequencies [K] of classes of which nothing else is known."""
    return torch.full((classes,), 1 / classes, dtype=torch.float64)


@lru_cache(maxsize=16)
def floor(data: Data, count: int, reference: int, device: str = "cpu", features: Features | None = None) -> float:
    """What `count` true samples read in place of a model's: the least to hope for.

    Images: d² of fresh ones of an endless set, or of as many drawn from a finite set, some of them twice.
    Points: the sliced Wasserstein distance, the mean of eight draws.
    """
    known = read(data, reference, device, features=features)
    if known.features is None:
        return data_floor(exact_data.learned(data), count, known.rows, _REPEATS)
    assert known.moments is not None
    return frechet_distance(fresh(data, count, reference, device, features), known.moments)


@lru_cache(maxsize=2)
def fresh(data: Data, count: int, reference: int, device: str = "cpu", features: Features | None = None) -> Moments:
    """The moments of `count` true images in place of a model's; see `floor`."""
    known = read(data, reference, device, features=features)
    assert known.features is not None and known.source is not None
    if known.source.size is None:
        numbers = FRESH + np.arange(count)
    else:
        numbers = streams.uniforms(0, streams.Purpose.TRUE_SAMPLE, np.arange(count), 1)[:, 0] * known.source.size
    measured = Running()
    for part in _parts(numbers.astype(np.int64)):
        measured.add(known.features.rows(to_8_bits(_samples(known.source, part)[0])))
    return measured.moments


def _parts(numbers) -> list[np.ndarray]:
    return np.array_split(numbers, -(-len(numbers) // _PART))


def _samples(opened, numbers):
    """Samples [n, …], images as 8 bits where they are, and classes [n] or None."""
    samples, labels = zip(*(sources.read(opened, part) for part in _parts(numbers)), strict=True)
    return torch.cat(samples), None if labels[0] is None else torch.cat(labels)
