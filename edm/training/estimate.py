"""What a run will take, before it begins: a few steps on a small share of its batch, and arithmetic.

A network that is too large to be tried, or whose GPU is busy, is not built: its operations and activations are counted
on the "meta" device (`edm.training.counting`). How long they take is known of many GPUs (`edm.base.peaks`); of others
a product of matrices tells it.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Generator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from edm.base.devices import out_of_memory
from edm.data import sources
from edm.sampling.settings import Sampling
from edm.training import arithmetic, counting
from edm.training.fitting import shares
from edm.training.goals import GOALS
from edm.training.hardware import hardware
from edm.training.loop import train
from edm.training.memory import Remedies, memory, most_kept, remedies, shaped, unfit
from edm.training.parallel import World
from edm.training.settings import Training
from edm.training.state import header_of
from edm.training.validation import SIGMAS

if TYPE_CHECKING:
    from edm.base.peaks import Peak
    from edm.base.protocols import Source
    from edm.data.settings import Data
    from edm.training.counting import Count

SECONDS = {"cpu": 0.6, "cuda": 2.4}  # to be spent on timing, about; a GPU's libraries try what is quickest at each size
GROWTH = 6  # of the images in a step, from one on, for as long as there is time
EVALUATION = 1 / 3  # of a step: its time, for as many images
LARGEST = {"cpu": (256 << 20, 15e9), "cuda": (4 << 30, 10e12)}  # (bytes, operations of an image) that are tried

# Measured on an H100, and in accord with the times of the paper's runs on V100 and A100, within a factor of 1.5
EFFICIENCY = 0.5  # of a network's convolutions, beside a large product of matrices
WINOGRAD = 1.3  # the same without tensor cores: 3×3 convolutions take fewer multiplications than are counted
TENSOR_CORES = 0.3
BANDWIDTH = 0.7
LAUNCH = 12e-6  # seconds of the host for each kernel
STEP = 5e-3  # and for each step
COMPILED = {"traffic": 0.5, "kernels": 0.4, "seconds": 0.8}  # of what it is without
COMPILING = {"cpu": 1.5, "cuda": 0.3}  # seconds for each layer with weights; for the CPU in C++
AGAIN = 4 / 3  # of a step that computes its blocks twice
DETERMINISTIC = 1.15


@dataclass(frozen=True)
class Estimate:
    """seconds: of the run, reports and compilation included, once it has started. bytes: the most memory; on a GPU that
    of one GPU, else of all processes. parameters: of the network. rate: images/s while it trains. precision: in which
    it computes; why: that one, where its settings leave it open.

    parts: of what the bytes are. operations: of training on an image, on a GPU. total, free: bytes of memory there;
    None: not known. remedies: (title, {field: value}) of changes with which a run that does not fit would.
    """

    seconds: float
    bytes: int
    parameters: int
    rate: float
    parts: Mapping[str, int] = field(default_factory=dict)
    operations: float = 0.0
    total: int | None = None
    free: int | None = None
    remedies: Remedies = ()
    gpu: bool = False
    precision: str = "fp32"
    why: str = ""

    @property
    def warning(self) -> str:
        """A sentence if the run is likely not to fit, with what would; "": it is not."""
        return unfit(self.bytes, self.total, self.free, self.remedies, self.gpu)

    def fits(self, memory: int | None = None) -> bool:
        """Whether so many bytes are enough; None: those that are free. What is not known is enough."""
        memory = self.free if memory is None else memory
        return memory is None or self.bytes <= memory


@dataclass(frozen=True)
class Cost:
    """seconds and bytes (of activations) of training on an image; cast: bytes of weights in 16 bits."""

    seconds: float
    bytes: float
    cast: float = 0.0


def estimate(settings: Training, device: str = "auto", card: str | None = None, trial: bool = True) -> Estimate:
    """Time and memory of a run with these settings, from its first image, on a device such as cpu, cuda:0 or cuda*2.

    card: a GPU by name, such as "V100", instead of those that are here; the data need not be here either. trial:
    whether steps may be tried. Within a factor of about 2, where nothing else keeps the device busy. Raises ValueError
    or OSError with a sentence for settings, data, devices or cards that do not fit. Takes about a second; of large
    networks a few.
    """
    there = hardware(device, card)
    _, micro = shares(settings, there.several)
    source = (card and shaped(settings)) or opened(settings.data)
    settings, why = arithmetic.chosen(settings, source.shape, there.place, micro)
    header = header_of(settings, source, settings.design.sigma_data or 0.5)
    number, layers = counting.sized(header)
    cost = None
    if trial and there.idle and _is_small(header, 4 * number * (4 + len(settings.ema)), there.place):
        cost = _quickest(settings, source, there.place, micro)
    cost = cost or _counted(settings, header, there, micro, number)
    if settings.compile:
        cost = Cost(COMPILED["seconds"] * cost.seconds, cost.bytes, cost.cast) if there.peak is None else cost
    rate = (there.several if there.gpu else 1) / cost.seconds
    seconds = settings.images / rate + settings.images // settings.tick * _report(settings) * cost.seconds
    seconds += COMPILING["cuda" if there.gpu else "cpu"] * layers if settings.compile else 0
    seconds = seconds if settings.minutes is None else 60 * settings.minutes
    parts = memory(settings, header, there, number, cost.bytes, cost.cast)
    operations = counting.counted(header, settings.precision).operations if there.gpu else 0.0
    room = min((size for size in (there.total, there.free) if size is not None), default=None)
    fitting = () if room is None or sum(parts.values()) <= room else remedies(settings, header, there, room)
    memory_there, computed = (there.total, there.free, fitting, there.gpu), (settings.precision, why)
    return Estimate(seconds, sum(parts.values()), number, rate, parts, operations, *memory_there, *computed)


@lru_cache(maxsize=2)
def opened(data: Data) -> Source:
    """The data, which people try several networks on. Nothing is fetched for an estimate."""
    return sources.open_source(data.changed(download=False) if data.download else data)


def _report(settings) -> float:
    """Images of training that take as long as the validation and the samples of a tick."""
    drawn = (2 * Sampling().steps - 1) * settings.samples if GOALS[settings.learns].draws else 0
    calls = len(SIGMAS) * settings.validation + drawn
    return EVALUATION * calls


def _is_small(header, weights, place) -> bool:
    """Whether trying it is certain to take neither long nor much memory."""
    pixels = int(np.prod(header.shape[1:]))
    most, operations = LARGEST["cpu" if place.type == "cpu" else "cuda"]
    return weights + most_kept(header) <= most and 6 * (weights / 16) * pixels <= operations


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
    """By taking steps with as many threads as there are; None if they do not fit into memory, or a GPU cannot take
    them: why that is, its first run tells."""
    clock, number = _clock(place), 1
    try:
        with closing(_steps(settings, source, place, number)) as steps:
            kept = counting.Kept(next(steps).state.network)
            with kept.watched():
                next(steps)
            end = clock() + SECONDS["cuda" if place.type == "cuda" else "cpu"]
            took = more = min(_seconds(place, _step, steps) for _ in range(3))
        while number < micro and clock() + 4 * took < end:
            last, fewer, number = took, number, min(GROWTH * number, micro)
            with closing(_steps(settings, source, place, number)) as steps:
                next(steps)
                next(steps)
                took = statistics.median(_seconds(place, _step, steps) for _ in range(3))
            more = max((took - last) / (number - fewer), took / number / 2)  # for each further image
    except (RuntimeError, MemoryError) as error:
        if place.type == "cpu" and not out_of_memory(error):
            raise
        return None
    finally:
        if place.type == "cuda":
            torch.cuda.empty_cache()  # for whoever else computes there
    # read beside the steps, which may have to wait for it
    read = _seconds(torch.device("cpu"), sources.read, source, np.arange(number) % (source.size or number))
    return Cost(max((took + more * (micro - number)) / micro, read / number), kept.bytes, kept.cast)


def _steps(settings, source, place, number) -> Generator[Any]:
    """The events of a run that reports nothing, `number` images in a step."""
    quiet = {"tick": 10**9, "checkpoint": 10**10, "images": 10**11, "samples": 1, "validation": 1, "compile": False}
    design = {"sigma_data": settings.design.sigma_data or 0.5}
    small = settings.changed(batch=number, micro_batch=None, design=design, **quiet)
    return train(small, World(0, 1, place), source=source)


def _step(steps) -> float:
    """Take a step. Its loss is there when a GPU has done it, and not before."""
    return next(steps).loss


def _seconds(place, act, *arguments) -> float:
    """What something takes; on the CPU of this thread's own time, so that it does not count what else goes on there."""
    clock = _clock(place)
    began = clock()
    act(*arguments)
    _wait(place)
    return clock() - began


def _wait(place) -> None:
    """Until a GPU has done what it was asked to."""
    if place.type != "cpu":
        getattr(torch, place.type).synchronize()


def _clock(place):
    return time.thread_time if place.type == "cpu" else time.perf_counter


def _counted(settings, header, there, micro, number) -> Cost:
    """By counting what one image takes, without doing it."""
    count = counting.counted(header, settings.precision)
    if there.peak is None:
        seconds = count.operations / (EFFICIENCY * _speed(there.place, settings.precision))
    else:
        seconds = _on(there.peak, count, settings, micro, number)
    seconds *= AGAIN if settings.checkpointing and count.inputs else 1
    seconds *= DETERMINISTIC if settings.deterministic and there.gpu else 1
    return Cost(seconds, count.kept(settings.checkpointing), count.cast)


def _on(peak: Peak, count: Count, settings: Training, micro: int, number: int) -> float:
    """Seconds of an image on a GPU, which computes, or waits for its memory, or for the host."""
    speed = peak.speed(settings.precision, settings.tf32)
    less = COMPILED if settings.compile else dict.fromkeys(COMPILED, 1.0)
    efficiency = WINOGRAD if speed == peak.fp32 else TENSOR_CORES
    device = count.operations / (efficiency * speed) + less["traffic"] * count.traffic / (BANDWIDTH * peak.bandwidth)
    host = less["kernels"] * count.kernels * LAUNCH
    adam = number * (32 + 12 * len(settings.ema)) / (BANDWIDTH * peak.bandwidth)
    return max(device, host / micro) + (STEP + adam) / micro


def _speed(place, precision) -> float:
    """Operations a second of a product of matrices on the device."""
    size = 512 if place.type == "cpu" else 4096
    dtype = torch.float32 if precision == "fp32" or place.type == "cpu" else torch.float16
    matrix = torch.ones(size, size, device=place, dtype=dtype)
    return 2 * size**3 / min(_seconds(place, torch.matmul, matrix, matrix) for _ in range(4))
