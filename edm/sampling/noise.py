"""Random numbers that belong to samples, not to batches.

Sample k of a run with seed S has streams of its own, which depend on (S, k) only. So an image is the same
alone, in any batch, in any order, at any precision and on any device.
"""

from __future__ import annotations

import math
import operator
import threading
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import islice

import numpy as np
import torch

from edm.base.devices import check_type
from edm.base.errors import Refused, shown
from edm.base.streams import Purpose
from edm.base.transfers import sent

AHEAD = 1 << 20  # numbers of noise kept ready
KEPT = 1 << 19  # of those that are kept for another run of the same samples: 4 MiB


def seeds(seed: int, count: int, start: int = 0) -> list[int]:
    """One seed for each of the samples k = start … start + count − 1 of a run: seed·2³² + k.

    Raises ValueError for what is not a whole number of 0 or more: it would be a sample of another run.
    """
    seed, count, start = _whole(seed, "seed"), _whole(count, "count"), _whole(start, "start")
    return [(seed << 32) + k for k in range(start, start + count)]


def _whole(value, name: str) -> int:
    try:
        value = operator.index(value)
    except TypeError:
        raise Refused(f"{name} {shown(value)} is not a whole number; give integers of 0 or more") from None
    if value < 0:
        raise Refused(f"{name} {shown(value)} is negative; give integers of 0 or more")
    return value


def _streams(seeds: Iterable[int], purpose: Purpose) -> list[np.random.Generator]:
    return [np.random.default_rng([_whole(seed, "seed"), purpose]) for seed in seeds]


def _draw(streams, shape) -> torch.Tensor:
    return torch.from_numpy(np.stack([stream.standard_normal(shape) for stream in streams]))


def latents(
    seeds: Iterable[int], shape: Iterable[int], dtype: torch.dtype = torch.float32, device: torch.device | str = "cpu"
) -> torch.Tensor:
    """Unit normal noise [len(seeds), *shape]; row k depends on seeds[k] only.

    Raises ValueError if there is no seed, or one that is not a whole number of 0 or more, and for float64 where the
    device has none.
    """
    return _normals(seeds, Purpose.LATENT, shape, dtype, device)


def low_noise(
    seeds: Iterable[int], shape: Iterable[int], dtype: torch.dtype = torch.float32, device: torch.device | str = "cpu"
) -> torch.Tensor:
    """The unit normal noise in the low-resolution images of these samples, [len(seeds), *shape]: as `latents`, and
    independent of them."""
    return _normals(seeds, Purpose.LOW, shape, dtype, device)


def _normals(seeds, purpose, shape, dtype, device) -> torch.Tensor:
    check_type(dtype, device)
    streams = _streams(seeds, purpose)
    if not streams:
        raise Refused("seeds is empty; give one seed for each sample")
    return sent(_draw(streams, tuple(shape)), device, dtype)


def noise_source(seeds: Iterable[int]) -> Callable[[int, torch.Tensor], torch.Tensor]:
    """The `noise(i, x)` of `edm.sample` for these samples: unit normal, shaped like x, from each sample's stream.

    Each call continues the streams, so use one source for one run. Raises ValueError when called with a batch of
    another size than there are seeds.
    """
    seeds = list(seeds)
    blocks: Iterator[torch.Tensor] | None = None
    ahead: list[torch.Tensor] = []

    def noise(index: int, x: torch.Tensor) -> torch.Tensor:
        nonlocal blocks
        if len(x) != len(seeds):
            raise Refused(f"the batch holds {len(x)} samples, but the noise source has {len(seeds)} seeds")
        if not ahead:
            if blocks is None:
                draws = max(1, min(32, AHEAD // x.numel()))  # for several steps at once: one call a sample costs more
                blocks = _remembered(tuple(_whole(seed, "seed") for seed in seeds), (draws, *x.shape[1:]))
            ahead.extend(sent(next(blocks).clone(), x.device, x.dtype).unbind()[::-1])
        return ahead.pop().to(x)

    return noise


def _blocks(seeds, shape) -> Iterator[torch.Tensor]:
    """Noise for shape[0] steps after each other [steps, B, …], again and again."""
    streams = _streams(seeds, Purpose.CHURN)
    while True:
        yield _draw(streams, shape).transpose(0, 1)


def _remembered(seeds, shape) -> Iterator[torch.Tensor]:
    """The same blocks; of few numbers, the first are those that were drawn for whoever asked before."""
    most = KEPT // (len(seeds) * math.prod(shape))
    if most:
        kept = _kept(seeds, shape)
        yield from map(kept.block, range(most))
    yield from islice(_blocks(seeds, shape), most, None)


class _Kept:
    """Blocks that were drawn, for all who ask for the same: while a knob moves, the samples stay the same."""

    def __init__(self, blocks):
        self._blocks, self._drawn, self._lock = blocks, [], threading.Lock()

    def block(self, index) -> torch.Tensor:
        with self._lock:
            self._drawn.extend(islice(self._blocks, max(0, index + 1 - len(self._drawn))))
            return self._drawn[index]


@lru_cache(maxsize=8)
def _kept(seeds, shape) -> _Kept:
    return _Kept(_blocks(seeds, shape))
