"""What a step needs, as one block of memory that goes to the step's device in one copy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
import torch

from edm.base.devices import precise
from edm.base.transfers import pinned

_ALIGNED = 16  # bytes; each tensor begins at a multiple


@dataclass(frozen=True)
class Batch:
    """Images that a device takes at once. numbers: k of each; samples as their source has them; labels of them, or
    None; drawn: the random numbers of their loss (`edm.training.loss`)."""

    numbers: np.ndarray
    samples: torch.Tensor
    labels: torch.Tensor | None
    drawn: dict[str, torch.Tensor]


def packed(batches: Sequence[Batch], device: torch.device) -> Callable[[], list[Batch]]:
    """() -> the batches of a step on the device. To pack them, in any thread, does not touch it; to unpack them does
    not wait for a CUDA GPU, which fetches them by a stream of its own, beside the step before."""
    if device.type == "cpu":
        return lambda: [*batches]
    layouts, size = [], 0
    for batch in batches:
        layout = {}
        for name, tensor in _tensors(batch).items():
            dtype = precise(device) if tensor.dtype == torch.float64 else tensor.dtype
            end = size + tensor.numel() * dtype.itemsize
            layout[name] = slice(size, end), dtype, tensor.shape
            size = -(-end // _ALIGNED) * _ALIGNED
        layouts.append(layout)
    block = torch.empty(size, dtype=torch.uint8)
    for batch, layout in zip(batches, layouts, strict=True):
        for name, tensor in _tensors(batch).items():
            _seen(block, *layout[name]).copy_(tensor)
    return partial(_unpacked, pinned(block, device), [batch.numbers for batch in batches], layouts, device)


def _unpacked(block, numbers, layouts, device):
    block, batches = _sent(block, device), []
    for k, layout in zip(numbers, layouts, strict=True):
        tensors = {name: _seen(block, *place) for name, place in layout.items()}
        batches.append(Batch(k, tensors.pop("samples"), tensors.pop("labels", None), tensors))
    return batches


def _tensors(batch) -> dict[str, torch.Tensor]:
    labels = {} if batch.labels is None else {"labels": batch.labels}
    return {"samples": batch.samples, **labels, **batch.drawn}


def _seen(block, place, dtype, shape):
    return block[place].view(dtype).view(shape)


def _sent(block, device):
    if device.type != "cuda":
        return block.to(device, non_blocking=True)
    stream, now = _stream(device), torch.cuda.current_stream(device)
    with torch.cuda.stream(stream):
        there = block.to(device, non_blocking=True)
    now.wait_stream(stream)
    there.record_stream(now)
    return there


@lru_cache(maxsize=64)
def _stream(device):
    return torch.cuda.Stream(device)
