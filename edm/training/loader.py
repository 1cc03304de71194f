"""Which sample is image k of a run, and reading them ahead of the step that needs them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

import numpy as np

from edm.data import sources
from edm.errors import Refused
from edm.training.loss import ORDER

AHEAD = 3  # batches read ahead, each by a thread of its own
HELD_OUT_SHARE, HELD_OUT_MOST = 0.05, 1000
_VALIDATION_START = 1 << 40  # of endless sources: samples that no run reaches


class Split:
    """A source divided into training and validation. Finite ones hold out the same samples for every seed.

    holdout: how many; None: 5 %, at most 1000. With 0, validation is on training data. Raises ValueError if none
    would be left to train on.
    taught: the classes of which there are images to train on; (): all, or that is not known.
    """

    def __init__(self, source, holdout: int | None):
        self.source, size, self.held_out, self.taught = source, source.size, True, ()
        if size is None:
            return
        held = min(int(size * HELD_OUT_SHARE), HELD_OUT_MOST) if holdout is None else holdout
        if held >= size:
            raise Refused(f"holdout = {held}: the dataset has {size} images, so none would be left to train on")
        self.held_out = held > 0
        shuffled = np.random.default_rng(ORDER).permutation(size)
        self._held, self._kept = shuffled[:held] if held else shuffled, np.sort(shuffled[held:])
        if (labels := getattr(source, "labels", None)) is not None:
            there = np.unique(np.asarray(labels)[self._kept]).tolist()
            self.taught = tuple(there) if len(there) < source.classes else ()

    def training(self, images, seed: int) -> np.ndarray:
        """The sample numbers of images k of a run: each sample once in every epoch, in an order of its own."""
        images = np.asarray(images)
        if self.source.size is None:
            return images + ((seed % (1 << 20)) << 42)
        epochs, places = images // len(self._kept), images % len(self._kept)
        chosen = np.empty_like(images)
        for epoch in np.unique(epochs):
            inside = epochs == epoch
            chosen[inside] = self._kept[_order(seed, int(epoch), len(self._kept))[places[inside]]]
        return chosen

    def validation(self, count: int) -> np.ndarray:
        """At most `count` sample numbers to validate on."""
        if self.source.size is None:
            return _VALIDATION_START + np.arange(count)
        return self._held[:count]


@lru_cache(maxsize=4)
def _order(seed, epoch, size):
    order = np.random.default_rng([seed, ORDER, epoch]).permutation(size)
    order.setflags(write=False)
    return order


def batches(split: Split, seed: int, ranges) -> Iterator:
    """(numbers k, samples, labels) for each (first, last) in the iterator `ranges`, read ahead in threads."""
    ranges = iter(ranges)

    def fetch(first, last):
        images = np.arange(first, last)
        return images, *sources.stored(split.source, split.training(images, seed))

    with ThreadPoolExecutor(AHEAD, thread_name_prefix="loader") as pool:
        waiting: deque = deque()
        try:
            while True:
                while len(waiting) < AHEAD and (span := next(ranges, None)) is not None:
                    waiting.append(pool.submit(fetch, *span))
                if not waiting:
                    return
                images, samples, labels = waiting.popleft().result()
                yield images, sources.scaled(samples), labels  # only now: what waits takes a quarter of the memory
        finally:
            for future in waiting:
                future.cancel()
