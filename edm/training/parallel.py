"""Several processes, as PyTorch's torchrun starts them: who we are, and what the others have."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from inspect import signature
from typing import Any

import torch
from torch import distributed, nn
from torch.distributed.rendezvous import rendezvous

from edm.base import devices
from edm.training.later import Later


@dataclass(frozen=True)
class World:
    """rank: this process among `size`; device: the one it trains on."""

    rank: int
    size: int
    device: torch.device

    def total(self, *values: float) -> list[float]:
        """The sums of numbers over all processes."""
        if self.size == 1:
            return list(values)
        sums = torch.tensor(values, dtype=torch.float64, device=self.device)
        distributed.all_reduce(sums)
        return sums.tolist()

    def shared(self, loss: torch.Tensor, *told: float) -> tuple[torch.Tensor, Callable[[], list[float]]]:
        """(the sum of a loss over all processes, where it is; () -> the sums of the numbers that are told with it)."""
        if self.size == 1:
            return loss, lambda: list(told)
        sums = torch.stack([loss, *(torch.full_like(loss, number) for number in told)])
        distributed.all_reduce(sums)
        return sums[0], Later(sums[1:]).read

    def gather(self, value: Any) -> list:
        """That of each process."""
        if self.size == 1:
            return [value]
        values = [None] * self.size
        distributed.all_gather_object(values, value)
        return values

    def wrap(self, network: nn.Module) -> nn.Module:
        """The network with gradients averaged over all processes."""
        if self.size == 1:
            return network
        ids = [self.device] if self.device.type == "cuda" else None
        wrapped = nn.parallel.DistributedDataParallel
        known = signature(wrapped).parameters  # torch 2.14 calls it by another name
        buffers = "forward_sync_buffers" if "forward_sync_buffers" in known else "broadcast_buffers"
        options: dict[str, Any] = {buffers: False, "gradient_as_bucket_view": True}
        return wrapped(network, device_ids=ids, **options)


def _end_with(parent):
    """One of several processes must not outlive torchrun, which alone would end it."""
    import psutil

    while os.getppid() == parent and psutil.pid_exists(parent):  # Windows goes on giving the number of one that is gone
        time.sleep(1)
    os._exit(1)


def _meet(backend):
    """Find the other processes. Those that torchrun has started again must not find what the former have left."""
    again = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
    if again == "0":
        distributed.init_process_group(backend)
        return
    store, rank, size = next(rendezvous("env://"))
    own = distributed.PrefixStore(again, store)  # pyright: ignore[reportPrivateImportUsage]
    distributed.init_process_group(backend, store=own, rank=rank, world_size=size)


@contextmanager
def world(device: str = "auto") -> Iterator[World]:
    """The `World` of this process: of torchrun's environment, if it is there, else alone on `device`.

    Under torchrun each process takes the GPU of its local rank and talks through nccl; without GPUs, through gloo.
    Raises ValueError for a device that is not there, or of which not every process can have its own.
    """
    size = int(os.environ.get("WORLD_SIZE", 1))
    if size == 1:
        alone = devices.device(device)
        if alone.type == "cuda":
            alone = torch.device("cuda", alone.index or 0)  # torch.cuda.set_device wants a number
            torch.cuda.set_device(alone)
        yield World(0, 1, alone)
        return
    here = int(os.environ.get("LOCAL_WORLD_SIZE", size))
    own = devices.local(device, int(os.environ.get("LOCAL_RANK", 0)), here)
    if own.type == "cuda":
        torch.cuda.set_device(own)
    _meet("nccl" if own.type == "cuda" else "gloo")
    threading.Thread(target=_end_with, args=(os.getppid(),), name="torchrun's end", daemon=True).start()
    try:
        yield World(distributed.get_rank(), size, own)
    finally:
        distributed.destroy_process_group()
