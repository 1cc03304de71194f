"""Pictures while a knob moves: a network in bf16, where the processor has that and it is quicker, as was measured here.

A hand that moves a knob wants to see something now; the picture that stays is float32.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import torch

from app.work.cores import parts
from app.work.shared import Work
from edm import models
from edm.base import precisions
from edm.sampling.computing import Computing, has_network, prepared
from edm.sampling.denoisers import Denoise, on

ROUNDS = 5  # in which both are timed, one after the other
WORTH = 0.7  # of the time of float32, or less: that takes up to a quarter less as a graph (`app.work.graphs`)

_pool = ThreadPoolExecutor(1, thread_name_prefix="hasty")


def hasty(model: models.Model, place: torch.device, count: int, work: Work) -> Callable[[Denoise], Denoise] | None:
    """What makes the model's denoiser compute so many images in bf16; None where it is not known to be quicker.

    It is measured when it is first asked for, in the background, and remembered.
    """
    if place.type != "cpu" or len(model.shape) < 3 or not precisions.fast_bf16(place):
        return None
    if not has_network(model.denoiser):
        return None
    found: Future = work.remember(
        ("hasty", model.identity, count.bit_length()), lambda: _pool.submit(quicker, model, place, count)
    )
    return _cast(place) if found.done() and not found.exception() and found.result() else None


def quicker(model: models.Model, place: torch.device, count: int) -> bool:
    """Whether the network is quicker in bf16 there, for so many images: by the time of the thread that computes."""
    x = torch.zeros(max(count // parts(count, model.shape), 1), *model.shape, device=place)
    labels = [torch.zeros(len(x), dtype=torch.long)] if model.classes else []
    plain = on(model.denoiser, place)
    cast = _cast(place)(plain)

    def seconds(denoiser):
        begun = time.thread_time()
        denoiser(x, 1.0, *labels)
        return time.thread_time() - begun

    with torch.no_grad():
        seconds(plain), seconds(cast)  # what is prepared once
        return statistics.median(seconds(cast) / seconds(plain) for _ in range(ROUNDS)) < WORTH


def _cast(place):
    return lambda denoiser: prepared(denoiser, Computing(precision="bf16"), place)
