"""Images on several cores: the page computes with one thread an operation, so a batch is divided instead."""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import torch

from app.work.slots import CORES
from edm.sampling.denoisers import ask
from edm.sampling.denoisers import part as part_of

# Numbers in a part that is worth a thread: four images of 3×32×32. Digits of 8×8 became slower (0.69 -> 0.87 s for 16
# of them): their operations are so short that Python, which runs one thread at a time, is what takes the time.
LEAST = 4 * 3 * 32 * 32
_pool = ThreadPoolExecutor(max(CORES - 1, 1), thread_name_prefix="cores")


def parts(count: int, shape: Sequence[int]) -> int:
    """In how many parts so many images of that shape are computed at the same time; 1 for points."""
    return max(min(CORES, count * math.prod(shape) // LEAST, count), 1) if len(shape) == 3 else 1


def divided(denoiser, x, sigma, labels=None):
    """D(x; σ) of images x [B, C, H, W], parts of a large batch at the same time; sigma a number or [B]."""
    number = parts(len(x), x.shape[1:]) if x.device.type == "cpu" else 1
    if number < 2:
        return ask(denoiser, x, sigma, labels)
    each = torch.is_tensor(sigma) and sigma.numel() > 1

    @torch.no_grad()  # which is a matter of each thread
    def part(rows):
        own, level = part_of(denoiser, rows), sigma[rows] if each else sigma
        return ask(own, x[rows], level, None if labels is None else labels[rows])

    ends = [round(len(x) * k / number) for k in range(number + 1)]
    first, *others = (slice(a, b) for a, b in pairwise(ends))
    waiting = [_pool.submit(part, rows) for rows in others]
    return torch.cat([part(first), *(future.result() for future in waiting)])
