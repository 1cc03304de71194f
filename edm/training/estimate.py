"""What a run will take, before it begins: a few steps on a small share of its batch, and arithmetic.

A network that is too large to be tried is not built: its operations and activations are counted on the "meta" device,
and the speed of this machine is that of a product of matrices.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from edm.base import devices
from edm.base.devices import out_of_memory
from edm.data import sources
from edm.files import checkpoints
from edm.networks import parameters
from edm.preconditioning import Denoiser
from edm.sampling.settings import Sampling
from edm.training.fitting import shares
from edm.training.loader import AHEAD
from edm.training.loop import train
from edm.training.loss import AT_ONCE
from edm.training.parallel import World
from edm.training.settings import Training
from edm.training.state import header_of
from edm.training.validation import SIGMAS

if TYPE_CHECKING:
    from edm.base.protocols import Source
    from edm.data.settings import Data

SECONDS = 0.6  # to be spent on timing, about
GROWTH = 6  # of the images in a step, from one on, for as long as there is time
PROCESS = 450 << 20  # bytes of a process with torch, before it has a network
SLACK = 1.15  # of what is freed late, or lies between what is in use
EVALUATION = 1 / 3  # of a step: its time, and about its memory, for as many images
EFFICIENCY = 0.5  # of a network's convolutions, beside a large product of matrices
LARGEST = {"cpu": (256 << 20, 15e9), "cuda": (4 << 30, 10e12)}  # (bytes, operations of an image) that are tried


@dataclass(frozen=True)
class Estimate:
    """seconds: of the run, reports included, once it has started. bytes: the most memory; on a GPU that of one GPU,
    else of all processes. parameters: of the network. rate: images/s while it trains."""

    seconds: float
    bytes: int
    parameters: int
    rate: float


@dataclass(frozen=True)
class Cost:
    """seconds and bytes (of activations) of training on an image."""

    seconds: float
    bytes: float


def estimate(settings: Training, device: str = "auto") -> Estimate:
    """Time and memory of a run with these settings, from its first image, on a device such as cpu, cuda:0 or cuda*2.

    Within a factor of about 2, where nothing else keeps the device busy. Raises ValueError or OSError with a sentence
    for settings, data or devices that do not fit. Takes about a second; of large networks a few.
    """
    place, several = devices.device(devices.option(device)), devices.count(device)
    share, micro = shares(settings, several)
    source = opened(settings.data)
    header = header_of(settings, source, settings.design.sigma_data or 0.5)
    number = round(_with_blocks(header, lambda network: [parameters(network)])[0])
    weights = 4 * number * (4 + len(settings.ema))  # with gradients and Adam's two moments
    cost = _quickest(settings, source, place, micro) if _is_small(header, weights, place) else None
    cost = cost or _counted(settings, header, place)
    rate = (several if place.type == "cuda" else 1) / cost.seconds
    seconds = settings.images / rate + settings.images // settings.tick * _report(settings) * cost.seconds
    ahead = AHEAD * share * 4 * float(np.prod(header.shape))
    evaluated = EVALUATION * max(settings.samples, min(settings.validation, AT_ONCE))
    memory = weights + SLACK * cost.bytes * max(micro, evaluated)
    if place.type == "cpu":
        memory = several * (memory + ahead + PROCESS)
    return Estimate(seconds, int(memory), number, rate)


@lru_cache(maxsize=2)
def opened(data: Data) -> Source:
    """The data, which people try several networks on. Nothing is fetched for an estimate."""
    return sources.open_source(data.changed(download=False) if data.download else data)


def _report(settings) -> float:
    """Images of training that take as long as the validation and the samples of a tick."""
    calls = len(SIGMAS) * settings.validation + (2 * Sampling().steps - 1) * settings.samples
    return EVALUATION * calls


def _with_blocks(header, count):
    """A list of what a network has, counted on two that have few blocks: the rest grows in proportion to them."""
    counts, blocks = [], header.network.blocks
    for number in (1, 2):
        with torch.device("meta"):
            counts.append(np.array(count(checkpoints.build(header.network.changed(blocks=number)).to("meta")), float))
    return counts[0] + (blocks - 1) * (counts[1] - counts[0])


def _is_small(header, weights, place) -> bool:
    """Whether trying it is certain to take neither long nor much memory."""
    network, pixels = header.network, int(np.prod(header.shape[1:]))
    widest = network.channels * max(network.channel_mult, default=1)
    activations = 4 * pixels * widest * (network.blocks + 1) * 30  # tensors that a block keeps, generously
    most, operations = LARGEST[place.type]
    return weights + activations <= most and 6 * (weights / 16) * pixels <= operations


def _quickest(settings, source, place, micro) -> Cost | None:
    """By taking steps; None if they do not fit into the memory that is left on the device.

    On the CPU by one thread, too: where other programs keep the cores busy, several threads wait for each other in
    loops, which counts as time of their own.
    """
    threads = torch.get_num_threads()
    costs = [tried(settings, source, place, micro)]
    if place.type == "cpu" and threads > 1 and costs[0] is not None:
        torch.set_num_threads(1)
        try:
            costs.append(tried(settings, source, place, micro))
        finally:
            torch.set_num_threads(threads)
    known = [cost for cost in costs if cost is not None]
    return None if len(known) < len(costs) else min(known, key=lambda cost: cost.seconds)


def tried(settings: Training, source: Source, place: torch.device, micro: int) -> Cost | None:
    """By taking steps with as many threads as there are; None if they do not fit into memory."""
    clock, number = _clock(place), 1
    try:
        with closing(_steps(settings, source, place, number)) as steps:
            held = _held(next(steps).state.network, steps)
            end = clock() + SECONDS
            took = more = min(_seconds(place, next, steps) for _ in range(3))
        while number < micro and clock() + 4 * took < end:
            last, fewer, number = took, number, min(GROWTH * number, micro)
            with closing(_steps(settings, source, place, number)) as steps:
                next(steps)
                next(steps)
                took = statistics.median(_seconds(place, next, steps) for _ in range(3))
            more = max((took - last) / (number - fewer), took / number / 2)  # for each further image
    except (RuntimeError, MemoryError) as error:
        if not out_of_memory(error):
            raise
        return None
    # read beside the steps, which may have to wait for it
    read = _seconds(torch.device("cpu"), sources.read, source, np.arange(number) % (source.size or number))
    return Cost(max((took + more * (micro - number)) / micro, read / number), held)


def _steps(settings, source, place, number) -> Generator[Any]:
    """The events of a run that reports nothing, `number` images in a step."""
    quiet = {"tick": 10**9, "checkpoint": 10**10, "images": 10**11, "samples": 1, "validation": 1, "compile": False}
    design = {"sigma_data": settings.design.sigma_data or 0.5}
    small = settings.changed(batch=number, micro_batch=None, design=design, **quiet)
    return train(small, World(0, 1, place), source=source)


def _held(network, steps) -> int:
    """Bytes that a step keeps from the way there for the way back."""
    storages, own = {}, {p.untyped_storage().data_ptr() for p in network.parameters()}

    def keep(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            storages[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        next(steps)
    return sum(storages.values())


def _seconds(place, act, *arguments) -> float:
    """What something takes; on the CPU of this thread's own time, so that it does not count what else goes on there."""
    clock = _clock(place)
    began = clock()
    act(*arguments)
    return clock() - began


def _clock(place):
    return time.thread_time if place.type == "cpu" else time.perf_counter


def _counted(settings, header, place) -> Cost:
    """By counting what one image takes, without doing it."""
    from torch.utils.flop_counter import FlopCounterMode

    def count(network):
        denoiser = Denoiser(network.train(), header.preconditioning.build(), header.shape)
        x, labels = torch.zeros(1, *header.shape), torch.zeros(1, dtype=torch.long) if header.classes else None
        storages = {}

        def keep(tensor):
            storages[tensor.untyped_storage()._cdata] = tensor
            return tensor

        with FlopCounterMode(display=False) as counter:
            with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
                loss = (denoiser(x, torch.ones(1), labels) - x).square().sum()
            loss.backward()
        own = {p.untyped_storage()._cdata for p in network.parameters()}
        held = sum(tensor.untyped_storage().nbytes() for key, tensor in storages.items() if key not in own)
        return counter.get_total_flops(), held

    operations, held = map(float, _with_blocks(header, count))
    return Cost(operations / (EFFICIENCY * _speed(place, settings.precision)), held)


def _speed(place, precision) -> float:
    """Operations a second of a product of matrices on the device."""
    size = 4096 if place.type == "cuda" else 512
    dtype = torch.float32 if precision == "fp32" or place.type == "cpu" else torch.float16
    matrix = torch.ones(size, size, device=place, dtype=dtype)
    return 2 * size**3 / min(_seconds(place, lambda: (matrix @ matrix)[0, 0].item()) for _ in range(4))
