"""What a run holds in memory, and what would fit where it does not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from edm.base.errors import Refused
from edm.data import sources
from edm.training import arithmetic, counting
from edm.training.fitting import shares
from edm.training.goals import GOALS
from edm.training.hardware import Hardware, hardware
from edm.training.loader import AHEAD
from edm.training.loss import AT_ONCE
from edm.training.settings import Training
from edm.training.state import header_of

if TYPE_CHECKING:
    from edm.files.checkpoints import Header

PROCESS = 450 << 20  # bytes of a process with torch, before it has a network
CONTEXT = 500 << 20  # bytes of a GPU for CUDA's context: PyTorch's kernels
WORKSPACE = 350 << 20  # bytes that cuBLAS and cuDNN compute in
SLACK = 1.15  # of what is freed late, or lies between what is in use
EVALUATED = {"cpu": 1 / 3, "cuda": 1 / 8}  # of a step: its activations, for as many images
MOST_GPUS = 64

Remedies = tuple[tuple[str, dict[str, str]], ...]


@dataclass(frozen=True)
class Shaped:
    """What is known of data without a look at them, in the place of their source. classes: as few as there may be."""

    shape: tuple[int, ...]
    classes: int = 0
    class_names: tuple[str, ...] = ()


def shaped(settings: Training) -> Any:
    """The `Shaped` of a run's data; None where only a look at all of them would tell it."""
    shape = sources.shape_of(settings.data)
    return None if shape is None else Shaped(shape, 2 if GOALS[settings.learns].classes else 0)


def memory(
    settings: Training, header: Header, there: Hardware, number: int, kept: float, cast: float = 0.0
) -> dict[str, int]:
    """Bytes of a run by what they are for: of one GPU, or of all processes on the CPU.

    number: of parameters. kept: bytes of activations of an image; cast: of weights in 16 bits.
    """
    share, micro = shares(settings, there.several)
    evaluated = EVALUATED["cuda" if there.gpu else "cpu"] * _measured(settings)
    images = 4 * float(np.prod(header.shape)) * share  # of a step
    parts = {
        "activations": SLACK * kept * max(micro, evaluated) + cast,
        "weights": 4.0 * number,
        "gradients": 4.0 * number,
        "Adam": 8.0 * number,
        "averages": 4.0 * number * len(settings.ema),
    }
    if there.several > 1:
        parts["buckets"] = 4.0 * number  # of gradients, which processes send each other
    if there.gpu:
        parts |= {"images": 4 * images, "workspace": WORKSPACE, "context": CONTEXT}
    else:
        parts |= {"images": AHEAD * images, "processes": PROCESS}
    return {name: int(size * (1 if there.gpu else there.several)) for name, size in parts.items()}


def most_kept(header: Header) -> float:
    """Bytes of activations of an image, generously."""
    network, pixels = header.network, int(np.prod(header.shape[1:]))
    widest = network.channels * max(network.channel_mult, default=1)
    return 4.0 * pixels * widest * (network.blocks + 1) * 30  # tensors that a block keeps


def remedies(settings: Training, header: Header, there: Hardware, room: int) -> Remedies:
    """What would fit into so many bytes: (title, {field: value}) each, "device" among the fields; of changes that each
    suffice, the one that costs least before others, and several at once only where none does."""
    found = [changes for changes in _single(settings, there) if _needed(settings, header, there, changes) <= room]
    if not found:
        found = [changes for changes in _several(settings, there) if _needed(settings, header, there, changes) <= room]
    firsts = {tuple(changes): changes for changes in reversed(found)}  # the largest of several micro_batch
    chosen = [changes for changes in found if firsts[tuple(changes)] == changes]
    return tuple((" and ".join(f"{name} = {value}" for name, value in one.items()), one) for one in chosen[:4])


def warning(settings: Training, device: str = "auto", card: str | None = None) -> str:
    """A sentence if the run is likely not to fit into what is free there now, with what would; "": it is not.

    Looks at no data, and is quick where there is much room. card: as for `edm.training.estimate.estimate`.
    """
    try:
        there, source = hardware(device, card), shaped(settings)
        if source is None or there.free is None:
            return ""
        settings, _ = arithmetic.chosen(settings, source.shape, there.place, shares(settings, there.several)[1])
        header = header_of(settings, source, settings.design.sigma_data or 0.5)
        number, _ = counting.sized(header)
        parts = memory(settings, header, there, number, most_kept(header), 2.0 * number)
        if sum(parts.values()) > there.free:
            parts = counted(settings, header, there)
    except Refused:  # what cannot be trained is told by whoever trains it
        return ""
    needed = sum(parts.values())
    if needed <= there.free:
        return ""
    return unfit(needed, there.total, there.free, remedies(settings, header, there, there.free), there.gpu)


def counted(settings: Training, header: Header, there: Hardware) -> dict[str, int]:
    """`memory`, by counting."""
    count = counting.counted(header, settings.precision)
    number, _ = counting.sized(header)
    return memory(settings, header, there, number, count.kept(settings.checkpointing), count.cast)


def unfit(needed: int, total: int | None, free: int | None, fitting: Remedies = (), gpu: bool = True) -> str:
    """The sentence about a run that needs more bytes than there are, or than are free; "" if there are enough."""
    never = total is not None and needed > total
    room = total if never else free
    if room is None or needed <= room:
        return ""
    has = f"{'each GPU' if gpu else 'this machine'} has {room / 1e9:.1f}" if never else f"{room / 1e9:.1f} are free now"
    would = " or ".join(title for title, _ in fitting) or "a smaller network (channels, blocks)"
    return f"it is likely not to fit: it needs about {needed / 1e9:.1f} GB of memory, and {has}; {would} would"


def _needed(settings, header, there, changes) -> float:
    """Bytes of the run with these changes."""
    several = int(changes.get("device", f"cuda*{there.several}").partition("*")[2])
    there = replace(there, several=several)
    try:
        return sum(counted(settings.changed(**_typed(changes)), header, there).values())
    except Refused:  # a batch that cannot be shared
        return float("inf")


def _typed(changes) -> dict:
    return {name: value for name, value in changes.items() if name != "device"}


def _measured(settings) -> int:
    """Images that a tick computes at once."""
    return max(settings.samples, min(settings.validation, AT_ONCE))


def _single(settings, there) -> Iterator[dict[str, str]]:
    share, micro = shares(settings, there.several)
    for number in _divisors(share, below=micro):
        yield {"micro_batch": str(number)}
    yield from _cheaper(settings, there)
    most = MOST_GPUS if there.named else torch.cuda.device_count() if there.place.type == "cuda" else 0
    for several in range(there.several + 1, most + 1):
        if settings.micro_batch is None and settings.batch % several == 0:
            yield {"device": f"cuda*{several}"}


def _several(settings, there) -> Iterator[dict[str, str]]:
    share, _ = shares(settings, there.several)
    cheaper = list(_cheaper(settings, there))
    every = {name: value for one in cheaper for name, value in one.items()}
    for number in _divisors(share, below=share + 1):
        for base in [*cheaper, every]:
            yield {"micro_batch": str(number), **base}
    if _measured(settings) > 8:
        yield {"micro_batch": "1", **every, "samples": "8", "validation": "8"}


def _cheaper(settings, there) -> Iterator[dict[str, str]]:
    if there.gpu and settings.precision == "fp32":
        yield {"precision": "bf16" if there.peak is None or there.peak.bf16 else "fp16"}
    if not settings.checkpointing:
        yield {"checkpointing": "true"}


def _divisors(number, below) -> list[int]:
    return [n for n in range(min(below - 1, number), 0, -1) if number % n == 0]
