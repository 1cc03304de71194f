"""The images of a run, read ahead of the step that needs them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import numpy as np
import torch

from edm.data import sources
from edm.data.split import Split
from edm.training.parcels import Batch, packed

AHEAD = 3  # batches read ahead, each by a thread of its own


def batches(split: Split, seed: int, ranges: Iterable[tuple[int, int]]) -> Generator:
    """(numbers k, samples, labels) for each (first, last) in the iterator `ranges`, read ahead in threads."""

    def fetch(span):
        images = np.arange(*span)
        return images, *sources.stored(split.source, split.training(images, seed))

    with closing(_ahead(fetch, ranges)) as ready:
        for images, samples, labels in ready:
            yield images, sources.scaled(samples), labels  # only now: what waits takes a quarter of the memory


def parcels(
    split: Split,
    seed: int,
    steps: Iterable[Sequence[tuple[int, int]]],
    draw: Callable[[np.ndarray], dict[str, torch.Tensor]],
    device: torch.device,
) -> Generator[Callable[[], list[Batch]]]:
    """What each step needs on its device (`edm.training.parcels`), read, drawn and packed ahead in threads.

    steps: of each the (first, last) numbers k of the images that are taken at once. draw(numbers k) -> the random
    numbers of their loss.
    """

    def fetch(spans):
        found = []
        for span in spans:
            images = np.arange(*span)
            samples, labels = sources.stored(split.source, split.training(images, seed))
            samples = samples if samples.dtype == torch.uint8 else samples.float()
            found.append(Batch(images, samples, labels, draw(images)))
        return packed(found, device)

    return _ahead(fetch, steps)


def _ahead(fetch, jobs) -> Generator:
    """fetch(job) of each job in the iterator `jobs`, in their order, some of them ahead in threads."""
    jobs = iter(jobs)
    with ThreadPoolExecutor(AHEAD, thread_name_prefix="loader") as pool:
        waiting: deque = deque()
        try:
            while True:
                while len(waiting) < AHEAD and (job := next(jobs, None)) is not None:
                    waiting.append(pool.submit(fetch, job))
                if not waiting:
                    return
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
