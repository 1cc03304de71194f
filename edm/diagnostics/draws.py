"""Where the clean samples of a measurement come from: of each model, data that say something about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np

from edm.base.errors import Refused
from edm.data.settings import data_learned
from edm.exact import PointSet

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
    from edm.data import identity, sources
    from edm.data.settings import Data
    from edm.data.split import Split, resumed

    if not model.trained and isinstance(model.dataset.denoiser, PointSet):
        return _of(Split(_points(model.dataset.denoiser), 0), WHOLE)
    if not model.trained:
        return _of(Split(sources.open_source(Data(dataset=model.dataset.name)), None), FRESH)
    data = data_learned(model.header)
    if data is None:
        raise Refused(f"{model.title} does not say what it was trained on, so there are no data to measure it on")
    try:
        source = sources.open_source(data.changed(download=False))
    except (Refused, OSError) as error:
        raise Refused(f"the data of {model.title} cannot be read on this machine: {error}") from None
    if tuple(source.shape) != tuple(model.shape):
        raise Refused(
            f"the data of {model.title} now have the shape {list(source.shape)}, but it works on {list(model.shape)}"
        )
    known = model.header.data is not None
    source = identity.fitting(source, model.header) if known else sources.as_learned(source, model.header.class_names)
    split = resumed(source, data, model.header)
    if model.header.held_out and not split.held_out:
        raise Refused(f"the data of {model.title} have changed: none of the images that it held out is left")
    return _of(split, FRESH if source.size is None else HELD_OUT if split.held_out else TRAINED_ON)


def _points(denoiser: PointSet):
    """A point set as a source of `edm.data.sources`."""
    points, labels = denoiser.points.cpu(), None if denoiser.labels is None else denoiser.labels.cpu()
    return SimpleNamespace(
        size=len(points),
        shape=denoiser.shape,
        read=lambda indices: (points[indices], None if labels is None else labels[indices]),
    )


def _of(split, words) -> Draw:
    from edm.data.sources import read

    source = split.source
    if source.size is None:
        (start,) = split.validation(1)
        return Draw(words, None, tuple(source.shape), lambda indices: read(source, start + indices))
    numbers = split.validation(source.size)
    return Draw(words, len(numbers), tuple(source.shape), lambda indices: read(source, numbers[indices % len(numbers)]))
