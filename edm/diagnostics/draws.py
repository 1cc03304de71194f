"""Where the clean samples of a measurement come from: of each model, data that say something about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from edm.base.errors import Refused
from edm.data import sources
from edm.data.settings import Data
from edm.data.split import Split
from edm.evaluation.copies import Known, images_of
from edm.exact import PointSet
from edm.experiments.true_images import learned

if TYPE_CHECKING:
    import torch

    from edm.base.types import Indices
    from edm.experiments.models import Model

HELD_OUT = "held out"
TRAINED_ON = "the training images: this run held none out"
FRESH = "fresh samples"
WHOLE = "the data set itself"


@dataclass(frozen=True)
class Draw:
    """draw(indices) -> (y [B, …] in float32, labels [B] int64 or None); row k depends on indices[k] only.

    words: which samples they are, one of the constants of this module. size: how many there are, None: endless;
    finite ones begin again after the last. shape: of one sample.
    """

    words: str
    size: int | None
    shape: tuple[int, ...]
    read: Callable

    def __call__(self, indices: Indices) -> tuple[torch.Tensor, torch.Tensor | None]:
        return self.read(np.asarray(indices, dtype=np.int64))


def held_out(model: Model) -> Draw:
    """The samples on which the loss of an `edm.models.Model` is to be measured, in a fixed, shuffled order.

    A trained model: those that its run validated on, in the same order. They are images that it held out, if it held
    any out (`words` says so), or of an endless source fresh samples that no run reaches. An exact denoiser: of a finite
    set, the set itself; of a distribution, the fresh samples that models trained on it get.
    Nothing is downloaded. Raises ValueError if the data are unknown or not on this machine.
    """
    if not model.trained and isinstance(model.denoiser, PointSet):
        return _of(taught(model), WHOLE)
    if not model.trained:
        return _of(Split(sources.open_source(Data(dataset=model.name)), None), FRESH)
    split = taught(model)
    if model.header is not None and model.header.held_out and not split.held_out:
        raise Refused(f"the data of {model.title} have changed: none of the images that it held out is left")
    return _of(split, FRESH if split.source.size is None else HELD_OUT if split.held_out else TRAINED_ON)


def taught(model: Model) -> Split:
    """The data that an `edm.models.Model` has learned, divided as its run did; of an exact denoiser, all of them.

    Nothing is downloaded. Raises ValueError if the data are unknown or not on this machine.
    """
    if not model.trained and isinstance(model.denoiser, PointSet):
        named = model.name in sources.SOURCES and len(model.shape) == 3
        return Split(sources.open_source(Data(dataset=model.name)) if named else _points(model.denoiser), 0)
    return learned(model)


def training_images(model: Model) -> Known | None:
    """The images that an `edm.models.Model` was trained on, or that it is the exact denoiser of, for
    `edm.evaluation.copies`. None: it is of points, of a set without end, or of one too large or not on this machine."""
    if len(model.shape) != 3:
        return None
    try:
        split = taught(model)
        return None if split.kept is None else images_of(split.source, only=split.kept)
    except (Refused, OSError):
        return None


def _points(denoiser: PointSet) -> Any:
    """A point set as a source of `edm.data.sources`."""
    points, labels = denoiser.points.cpu(), None if denoiser.labels is None else denoiser.labels.cpu()
    return SimpleNamespace(
        size=len(points),
        shape=denoiser.shape,
        read=lambda indices: (points[indices], None if labels is None else labels[indices]),
    )


def _of(split, words) -> Draw:
    source = split.source
    if source.size is None:
        (start,) = split.validation(1)
        return Draw(words, None, tuple(source.shape), lambda indices: sources.read(source, start + indices))
    numbers = split.validation(source.size)
    return Draw(
        words, len(numbers), tuple(source.shape), lambda indices: sources.read(source, numbers[indices % len(numbers)])
    )
