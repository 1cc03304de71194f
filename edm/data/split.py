"""A source of data divided into images to train on and images to validate on; and divided as it was, for a run that
goes on."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from edm.base.errors import Refused
from edm.base.paths import expanded
from edm.base.streams import Purpose
from edm.data import identity
from edm.data.settings import data_learned

if TYPE_CHECKING:
    from edm.base.protocols import HeaderLike, Source
    from edm.base.types import Indices, StrPath
    from edm.data.settings import Data

HELD_OUT_SHARE, HELD_OUT_MOST = 0.05, 1000
_VALIDATION_START = 1 << 40  # of endless sources: samples that no run reaches


class Split:
    """A source divided into training and validation. Finite ones hold out the same samples for every seed.

    holdout: how many; None: those that the data say are for that (`held` of a source), else 5 %, at most 1000. With 0,
    validation is on training data. held: the numbers of those that a run has held out so far, instead. examples: how
    many of the others are trained on, the same ones whatever the seed, and those of fewer among them; None: all.
    Raises ValueError if there are not so many, or none would be left.
    kept: the numbers of those that are trained on; None: of a source without end, all.
    taught: the classes of which there are images to train on; (): all, or that is not known.
    """

    def __init__(
        self, source: Source, holdout: int | None, held: np.ndarray | None = None, examples: int | None = None
    ):
        self.source, size, self.held_out, self.held, self.taught = source, source.size, True, np.arange(0), ()
        self.kept: np.ndarray | None = None
        if size is None:
            self.kept = None if examples is None else np.arange(examples)
            return
        shuffled = np.random.default_rng(Purpose.ORDER).permutation(size)
        if held is None:
            told = np.isin(shuffled, getattr(source, "held", ()))
            count = min(int(size * HELD_OUT_SHARE), HELD_OUT_MOST) if holdout is None else holdout
            held = shuffled[told] if holdout is None and told.any() else _first(shuffled, told)[:count]
        if len(held) >= size:
            raise Refused(f"holdout = {len(held)}: the dataset has {size} images, so none would be left to train on")
        self.held, self.held_out = held, len(held) > 0
        self._held, self.kept = held if self.held_out else shuffled, np.setdiff1d(np.arange(size), held)
        if examples is not None:
            if examples > len(self.kept):
                raise Refused(
                    f"examples = {examples}: there are {len(self.kept)} to train on; give fewer, or none for all"
                )
            self.kept = np.sort(shuffled[~np.isin(shuffled, held)][:examples])
            self._held = held if self.held_out else self.kept
        if (labels := getattr(source, "labels", None)) is not None:
            there = np.unique(np.asarray(labels)[self.kept]).tolist()
            self.taught = tuple(there) if len(there) < source.classes else ()

    def training(self, images: Indices, seed: int) -> np.ndarray:
        """The sample numbers of images k of a run: each sample once in every epoch, in an order of its own."""
        images = np.asarray(images)
        if self.kept is None:
            return images + ((seed % (1 << 20)) << 42)
        epochs, places = images // len(self.kept), images % len(self.kept)
        chosen = np.empty_like(images)
        for epoch in np.unique(epochs):
            inside = epochs == epoch
            chosen[inside] = self.kept[order(seed, int(epoch), len(self.kept))[places[inside]]]
        return chosen

    def validation(self, count: int) -> np.ndarray:
        """At most `count` sample numbers to validate on."""
        if self.source.size is None:
            return _VALIDATION_START + np.arange(count)
        return self._held[:count]


def _first(shuffled, told) -> np.ndarray:
    """All samples, those first that the data say are there to validate on."""
    return np.concatenate([shuffled[told], shuffled[~told]]) if told.any() else shuffled


def divided(
    source: Source, settings: Any, header: HeaderLike | None, checkpoint: StrPath | None, accept: bool
) -> tuple[Source, Split, str]:
    """(source, its `Split`, what has to be known of them in a sentence or "") for a run of `edm.Training` settings.

    header: of the checkpoint from which it goes on; None: it begins. accept: other data than it has learned so far.
    Raises OtherData unless it is accepted, and ValueError for data that cannot be accepted.
    """
    data = settings.data
    if header is None or header.training is None or checkpoint is None:
        return source, Split(source, data.holdout, examples=data.examples), ""
    before = identity.Contents.read(expanded(checkpoint).absolute().parent.parent)
    changed = identity.changes(source, data, header, before)
    source = identity.fitting(source, header) if data.conditional else source
    if changed and not accept:
        raise identity.OtherData(
            f"the data are not those that this run has learned so far: {', '.join(changed)}. Bring them back, or go on "
            "with them as they are: --accept-data"
        )
    split, notes = resumed(source, data, header), []
    if changed:
        notes = [f"goes on with other data, as accepted: {', '.join(changed)}"]
        if header.data is not None and source.size is not None and len(header.data.held_marks):
            notes += [f"{len(split.held)} of {len(header.data.held_marks)} images that were held out are still there"]
    if header.data is None and source.size is not None:
        if changed:  # any of them may have been trained on
            split = Split(source, data.holdout, split.held[:0], data.examples)
        else:
            notes += [
                "the checkpoint does not say which data it has learned: that they are these, and which of them were "
                "held out, is taken on trust"
            ]
    if not split.held_out and data.holdout != 0:
        notes += ["validation is on images of the training from here on: none is left that was held out"]
    return source, split, "; ".join(notes)


def resumed(source: Source, settings: Data, header: HeaderLike) -> Split:
    """The source of a run (`edm.data.settings.Data`) that goes on from a checkpoint, divided as it was: what was
    held out and is still there stays held out, and nothing that was trained on joins it. Raises ValueError for a
    holdout that has grown, and for another number of examples."""
    before = data_learned(header) or settings
    then, examples = before.holdout, settings.examples
    if examples != before.examples:
        told = "all samples" if before.examples is None else f"{before.examples} samples"
        raise Refused(f"examples = {examples}: this run has learned {told}; leave it as it was, or train a new run")
    held = identity.still_held(source, header.data)
    if held is None:
        held = Split(source, then).held
    if settings.holdout is None or settings.holdout == then or source.size is None:
        return Split(source, then, held, examples)
    if settings.holdout > len(held):
        raise Refused(
            f"holdout = {settings.holdout}: this run has held out {len(held)} images and trained on the others; "
            "give no more, or train a new run"
        )
    return Split(source, then, held[: settings.holdout], examples)


@lru_cache(maxsize=4)
def order(seed: int, epoch: int, size: int) -> np.ndarray:
    """In which order an epoch takes `size` samples: their places, kept for the next call and not to be written into."""
    places = np.random.default_rng([seed, Purpose.ORDER, epoch]).permutation(size)
    places.setflags(write=False)
    return places
