"""The data that a model has learned, and true images of them as the first stage of a cascade."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from edm.base import streams
from edm.base.errors import Refused
from edm.base.transfers import sent
from edm.data import identity, sources
from edm.data.settings import data_learned
from edm.data.split import Split, resumed
from edm.experiments import models
from edm.sampling.upsampling import lowered

if TYPE_CHECKING:
    from edm.experiments.model import Model

_START, _ROOM, _TRIED = 5 << 40, 1 << 33, 96  # of endless data: numbers that no run reaches, and how many are looked at


def learned(model: Model) -> Split:
    """The data that a trained model has learned, divided as its run did. Nothing is downloaded. Raises Refused if they
    are unknown or not on this machine."""
    header, data = model.header, data_learned(model.header)
    if header is None or data is None:
        raise Refused(f"{model.title} does not say what it was trained on, so there are no data to measure it on")
    try:
        source = sources.open_source(data.changed(download=False))
    except (Refused, OSError) as error:
        raise Refused(f"the data of {model.title} cannot be read on this machine: {error}") from None
    if tuple(source.shape) != tuple(model.shape):
        raise Refused(
            f"the data of {model.title} now have the shape {list(source.shape)}, but it works on {list(model.shape)}"
        )
    known = header.data is not None
    source = identity.fitting(source, header) if known else sources.as_learned(source, header.class_names)
    return resumed(source, data, header)


class TrueImages:
    """A base of `edm.sampling.cascade` that makes no mistakes: the low-resolution images of true images, which the run
    of an upsampler has held out. Which one sample k gets depends on its seed and its class only; where there are few,
    some get the same."""

    def __init__(self, model: Model):
        assert model.low is not None
        self._split, self._size = learned(model), model.low.resolution

    def drawn(self, seeds: Iterable[int], labels: Any, like: torch.Tensor) -> torch.Tensor:
        """A·y [B, C, h, w] of images of these classes [B], or of any (None), of the type and on the device of `like`.

        Raises Refused for a class of which there is none."""
        seeds = list(seeds)
        told = [-1] * len(seeds) if labels is None else torch.as_tensor(labels).tolist()
        numbers = np.array([self.number(seed, label) for seed, label in zip(seeds, told, strict=True)])
        images, _ = sources.read(self._split.source, numbers)
        return sent(lowered(images, self._size), like.device, like.dtype)

    def number(self, seed: int, label: int) -> int:
        """Which image of the data it is; label: −1 for any."""
        u = streams.uniforms(seed >> 32, streams.Purpose.LOW_IMAGE, [seed % (1 << 32)], 1)[0, 0]
        pool = self._endless(u) if self._split.source.size is None else self._split.validation(self._split.source.size)
        if label >= 0:
            pool = pool[self._classes(pool) == label]
        if not len(pool):
            raise Refused(f"no image that was held out is of class {label}; choose another class, or a model as base")
        return int(pool[0 if self._split.source.size is None else int(u * len(pool))])

    def _endless(self, u) -> np.ndarray:
        return _START + int(u * _ROOM) * _TRIED + np.arange(_TRIED)

    def _classes(self, pool) -> np.ndarray:
        source = self._split.source
        if (labels := getattr(source, "labels", None)) is not None:
            return np.asarray(labels)[pool]
        if (classes_at := getattr(source, "classes_at", None)) is not None:
            return classes_at(pool)
        _, read = sources.read(source, pool)
        return np.full(len(pool), -1) if read is None else read.numpy()


def of(model: Model) -> TrueImages:
    """Those of an upsampler, opened once."""
    return _opened(model.name, model.identity)


@lru_cache(maxsize=4)
def _opened(name, _identity) -> TrueImages:
    return TrueImages(models.load(name))
