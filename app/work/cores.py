"""Images on several cores: the page computes with one thread an operation, so a batch is divided instead."""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import torch

from app.work import graphs
from app.work.slots import CORES
from edm.sampling.denoisers import ask

# Numbers in a part that is worth a thread: four images of 3×32×32. Digits of 8×8 became slower (0.69 -> 0.87 s for 16
# of them): their operations are so short that Python, which runs one thread at a time, is what takes the time.
LEAST = 4 * 3 * 32 * 32
FEW = 8 * 8 * 8  # the same of a network that computes as a graph, without Python (`app.work.graphs`): 9.6 -> 5.2 ms
_pool = ThreadPoolExecutor(max(CORES - 1, 1), thread_name_prefix="cores")


def parts(count: int, shape: Sequence[int], least: int = LEAST) -> int:
    """In how many parts so many images of that shape are computed at the same time; 1 for points.

    least: numbers in one of them.
    """
    return max(min(CORES, count * math.prod(shape) // least, count), 1) if len(shape) == 3 else 1


def _sizes(count, number):
    """Where each part of a batch ends, the first at its beginning."""
    return [round(count * k / number) for k in range(number + 1)]


def _number(denoiser, x, labels, each) -> int:
    """In how many parts a batch is computed. each: with a noise level of its own."""
    if x.device.type != "cpu":
        return 1
    number, network = parts(len(x), x.shape[1:]), graphs.of(denoiser)
    if number > 1 or network is None or each:
        return number
    number = parts(len(x), x.shape[1:], FEW)
    sizes = {b - a for a, b in pairwise(_sizes(len(x), number))}
    return number if number > 1 and all(network.ready(size, x, labels) for size in sizes) else 1


def divided(denoiser, x, sigma, labels=None):
    """D(x; σ) of images x [B, C, H, W], parts of a large batch at the same time; sigma a number or [B]."""
    each = torch.is_tensor(sigma) and sigma.numel() > 1
    number = _number(denoiser, x, labels, each)
    if number < 2:
        return ask(denoiser, x, sigma, labels)

    @torch.no_grad()  # which is a matter of each thread
    def part(rows):
        return ask(denoiser, x[rows], sigma[rows] if each else sigma, None if labels is None else labels[rows])

    first, *others = (slice(a, b) for a, b in pairwise(_sizes(len(x), number)))
    waiting = [_pool.submit(part, rows) for rows in others]
    return torch.cat([part(first), *(future.result() for future in waiting)])
