"""What can be trained on, by name. A source gives samples by their number:

    shape (…)            of one sample; images are (C, H, W)
    classes, class_names how many, and what they are called (may be empty)
    size                 how many samples there are; None: endless, sample k being a function of k
    marks                uint64 [size]: what tells each sample from all others (`edm.data.marks`); of finite sources
    labels               of a finite set with classes: those of all samples, int64 [size]
    names                of a finite set: what its samples are called, or ()
    held                 of a finite set that says so: the numbers of those to validate on, int64
    exact                of an endless source, where it has one: its exact denoiser
    read(indices)        (samples [B, *shape], integer classes [B] or None); images may be uint8

To add one, put a `Reader`, or just a function of `edm.data.settings.Data`, into SOURCES.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from edm import data
from edm.base.choices import Choice, knobs_of
from edm.base.errors import Refused
from edm.data import scenes, sets

if TYPE_CHECKING:
    from edm.base.protocols import DataLike, Source
    from edm.base.types import Indices

KINDS = {"images": "folder", "points": "points"}  # what can be brought, and who reads it
# where classes may stand, if not in folders or in a file that tells them: files' names, a distribution's parts
LABELS = ("names", "parts")
DOWNLOADS = "datasets"  # where torchvision's sets lie, unless a path is given


class DataError(Refused):
    """The data cannot be read."""


def _torchvision(settings):
    from edm.data import torchvision_sets

    return torchvision_sets.opened(settings.dataset, settings.path or DOWNLOADS, settings.download)


def _folder(settings):
    return source_of(brought(settings), settings)


def _scenes(settings):
    return scenes.Scenes(resolution=settings.resolution)


def _scenes_shape(settings):
    return scenes.Scenes(resolution=settings.resolution).shape


def _toys() -> list[str]:
    return [name for name, dataset in data.DATASETS.items() if len(dataset.shape) == 1 and name != "drawn"]


def _mixture(settings):
    return sets.Mixture(data.chosen(settings), parts=settings.labels == "parts")


def _toy(name):
    dataset = data.DATASETS[name]
    return Reader(name, dataset.title, _mixture, knobs=("dimensions", *(("labels",) if dataset.parts else ())))


@dataclass(frozen=True)
class Reader(Choice):
    """How data of one kind are opened, from an `edm.data.settings.Data`; knobs: of its fields, those that it reads.

    file: what its path must name; "": none is needed. place: where its files lie unless a path is given.
    shape(settings) -> that of a sample, where it is known before the data are opened, or None.
    """

    file: str = ""
    place: str | None = None
    shape: Callable | None = None


def _downloaded(name, title, shape):
    return Reader(name, title, _torchvision, knobs=("path", "download"), place=DOWNLOADS, shape=lambda settings: shape)


def _folder_shape(settings):
    size = settings.resolution
    return (1 if settings.greyscale else 3, size, size) if size else None


# Each entry: Data -> a source.
SOURCES: dict[str, Callable] = {
    **{name: _toy(name) for name in _toys()},
    **{
        reader.name: reader
        for reader in (
            Reader(
                "points", "Points in a file", lambda settings: sets.Mixture(data.chosen(settings)),
                knobs=("path", "columns", "dimensions"), file="table, such as a .csv or .npy file",
            ),
            Reader(
                "folder", "A folder of images", _folder,
                knobs=("path", "resolution", "greyscale", "crop", "leave_out", "labels"),
                file="folder, archive or file", shape=_folder_shape,
            ),
            Reader("digits", "Digits", lambda settings: sets.Digits()),
            Reader("scenes", "Scenes", _scenes, knobs=("resolution",), shape=_scenes_shape),
            Reader("emoji", "Emoji", lambda settings: sets.Emoji()),
            _downloaded("mnist", "MNIST", (1, 32, 32)),
            _downloaded("fashion_mnist", "FashionMNIST", (1, 32, 32)),
            _downloaded("cifar10", "CIFAR-10", (3, 32, 32)),
        )
    },
}  # fmt: skip


def offered() -> dict[str, Callable]:
    """All data that can be trained on: SOURCES, and distributions of points whose exact denoiser was added since."""
    return SOURCES | {name: _toy(name) for name in _toys() if name not in SOURCES}


def names() -> list[str]:
    """The names of all data that can be trained on."""
    return list(offered())


def readers(knob: str) -> list[str]:
    """The data for which a field of `edm.data.settings.Data` matters, or may."""
    told = {name: knobs_of(offered(), name) for name in offered()}
    return [name for name, knobs in told.items() if knobs is None or knob in knobs]


def labels(name: str) -> str | None:
    """What the field `labels` may say of these data; None: nothing, or they say it themselves."""
    return None if name not in readers("labels") else "names" if file_of(name) else "parts"


def file_of(name: str) -> str:
    """What the path of these data must name; "" where none is needed."""
    return getattr(offered()[name], "file", "")


def placed(settings: DataLike) -> Any:
    """The settings with the whole path of their files, so that they are found from any folder."""
    path = settings.path or getattr(offered()[settings.dataset], "place", None)
    return settings if path is None else settings.changed(path=os.path.abspath(path))


def open_source(settings: DataLike) -> Source:
    """The source of an `edm.data.settings.Data`. Raises DataError (a ValueError) or OSError with a sentence."""
    with _told():
        return offered()[settings.dataset](settings)


def brought(settings: Any, thorough: bool = False) -> Any:
    """What the path of these data holds, an `edm.data.Brought`; None of data that nobody has to bring.

    thorough: see whether images are whole, too, as far as that is quick. Raises DataError.
    """
    if not file_of(settings.dataset):
        return None
    limits = data.Limits() if thorough or settings.leave_out else data.Limits(looked=-1)
    with _told():
        how = {"columns": settings.columns, "labels": settings.labels, "leave_out": settings.leave_out}
        found = data.bring(settings.path, limits=limits, **how)
        kind = KINDS[found.kind]
        if kind != settings.dataset:
            raise Refused(f"{settings.path} holds {found.kind}, which the dataset {kind!r} reads: --dataset {kind}")
    return found


def source_of(found: Any, settings: Any) -> Source:
    """The source of an `edm.data.settings.Data` of which it is known what its path holds."""
    if found is None or found.kind == "points":
        return open_source(settings)
    with _told():
        return found.source(settings.resolution, settings.crop, 1 if settings.greyscale else 3)


def shape_of(settings: DataLike) -> tuple[int, ...] | None:
    """The shape of a sample of an `edm.data.settings.Data`; None where only a look at all images would tell it."""
    known = getattr(offered()[settings.dataset], "shape", None)
    if known is not None:
        return known(settings)
    try:
        return tuple(open_source(settings).shape)
    except DataError:
        return None


def read(source: Source, indices: Indices) -> tuple[torch.Tensor, torch.Tensor | None]:
    """(float32 samples in [−1, 1], classes or None). Raises DataError."""
    samples, labels = stored(source, indices)
    return scaled(samples), labels


def stored(source: Source, indices: Indices) -> tuple[torch.Tensor, torch.Tensor | None]:
    """(samples as the source has them, classes or None), on the CPU. Raises DataError."""
    with _told():
        samples, labels = source.read(np.asarray(indices))
        return samples.cpu(), None if labels is None else torch.as_tensor(labels).cpu()


def scaled(samples: torch.Tensor) -> torch.Tensor:
    """Samples as a source has them, as float32: u8/127.5 − 1 for images of 8 bits."""
    return samples.float().div_(127.5).sub_(1) if samples.dtype == torch.uint8 else samples.float()


class Renumbered:
    """A source whose classes have other numbers, and names. table: the new number of each."""

    def __init__(self, source: Source, class_names: Sequence[str], classes: int, table: Sequence[int]):
        self._source, self._table = source, torch.as_tensor(table, dtype=torch.int64)
        self.shape, self.size, self.class_names, self.classes = source.shape, source.size, tuple(class_names), classes
        self.names, self.marks = getattr(source, "names", ()), getattr(source, "marks", None)
        self.held = getattr(source, "held", ())
        labels = getattr(source, "labels", None)
        self.labels = None if labels is None else self._table[torch.as_tensor(labels)]

    def read(self, indices: Indices) -> tuple[torch.Tensor, torch.Tensor | None]:
        samples, labels = self._source.read(indices)
        return samples, None if labels is None else self._table[torch.as_tensor(labels)]


def as_learned(source: Source, class_names: Sequence[str]) -> Source:
    """The source with its classes in the order in which a model knows them, where they are the same ones."""
    class_names = tuple(class_names)
    if class_names == tuple(source.class_names) or sorted(class_names) != sorted(source.class_names):
        return source
    numbers = {name: number for number, name in enumerate(class_names)}
    return Renumbered(source, class_names, source.classes, [numbers[name] for name in source.class_names])


@contextmanager
def _told():
    """What is wrong with the data is told apart from what is wrong with anything else."""
    try:
        yield
    except (Refused, FileNotFoundError, PermissionError) as error:
        raise DataError(str(error)) from error


def sigma_data(source: Source) -> float:
    """σ_data of what a run learns: measured, where its source does not know it."""
    known = getattr(source, "spread", None)
    return spread(source) if known is None else float(known)


def spread(source: Source, count: int = 10_000) -> float:
    """σ_data: the standard deviation of a coordinate, around that coordinate's mean, over at most `count` samples."""
    number = min(count, source.size or count)
    chosen = np.arange(number) if source.size is None else np.linspace(0, source.size - 1, number).astype(int)
    total = squares = torch.zeros((), dtype=torch.float64)
    for part in np.array_split(chosen, -(-number // 500)):
        samples = read(source, part)[0].double()
        total, squares = total + samples.sum(0), squares + samples.square().sum(0)
    return float((squares / number - (total / number) ** 2).mean().clamp(min=0).sqrt())
