"""The images of a run, read ahead of the step that needs them."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from edm.data import sources
from edm.data.split import Split

AHEAD = 3  # batches read ahead, each by a thread of its own


def batches(split: Split, seed: int, ranges: Iterable[tuple[int, int]]) -> Generator:
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
