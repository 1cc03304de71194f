"""Devices by name: cpu, cuda:1, mps, and several at once, cpu*2 or cuda*4, for which torchrun starts a process each."""

from __future__ import annotations

import os
import re

import torch

from edm.base.cards import cards
from edm.base.errors import Refused

_NO_MEMORY_WORDS = (
    *("out of memory", "not enough memory", "allocate memory", "Unable to allocate", "bad_alloc", "bad allocation"),
    *("ALLOC_FAILED", "ALLOCATION_FAILED", "Invalid buffer size", "private MTLBuffer"),  # the last two: of Apple's GPUs
)
_SEVERAL = re.compile(r"(cpu|cuda)\*([0-9]{1,4})")
_FLOAT64 = {"cpu": True, "cuda": True, "meta": True, "mps": False}  # kinds of devices of which it is known


def device(name: str = "auto") -> torch.device:
    """The device of that name; "auto": the GPU if there is one, of several the one with the most free memory.

    Raises ValueError if it is not there.
    """
    if name == "auto":
        return _freest() if torch.cuda.is_available() else torch.device("cpu")
    if _SEVERAL.fullmatch(str(name)):
        kind, _, number = name.partition("*")
        start = f"start it as torchrun --nproc_per_node {number} -m edm …, with --device {kind}"
        raise Refused(f"device {name!r} is several at once, of which each has a process of its own: {start}")
    try:
        wanted = torch.device(name)
    except RuntimeError:
        raise Refused(f"device {name!r} is unknown; use auto, cpu, cuda, cuda:0 or mps") from None
    if wanted.type == "cuda" and (wanted.index or 0) >= torch.cuda.device_count():
        raise Refused(f"device {name!r} is not on this machine, which has {torch.cuda.device_count()} CUDA GPUs")
    if wanted.type == "mps" and ((wanted.index or 0) > 0 or not torch.backends.mps.is_available()):
        raise Refused(f"device {name!r} is not on this machine: it is the GPU of a Mac; use cpu")
    if wanted.type not in {"cpu", "cuda", "mps"}:
        raise Refused(f"device {name!r} cannot be used; use cpu, cuda or mps")
    return wanted


def local(name: str, rank: int, size: int) -> torch.device:
    """The device of one of `size` processes that torchrun has started on this machine, by its local rank.

    auto and cuda: the GPU of its rank; without GPUs, auto is the CPU. Raises ValueError for a name that means no device
    or only one of several GPUs, and where there are too few of them.
    """
    wanted = device(name)  # which refuses names as for one process
    gpus = torch.cuda.device_count() if wanted.type == "cuda" else 0
    if name != "auto" and (wanted.index is not None or wanted.type not in ("cpu", "cuda")):
        kind = "device" if wanted.type == "cpu" else "GPU"
        raise Refused(
            f"device {name!r} is one {kind}, but torchrun has started {size} processes here, of which each takes "
            "one of its own: use cuda, auto or cpu, and choose GPUs with CUDA_VISIBLE_DEVICES"
        )
    if wanted.type != "cuda":
        return torch.device("cpu")
    if gpus < size:
        raise Refused(
            f"torchrun has started {size} processes on this machine, which has {gpus} CUDA GPUs: "
            f"use --nproc_per_node {gpus}, or --device cpu"
        )
    return torch.device("cuda", rank)


def _freest() -> torch.device:
    """Of several GPUs the one with the most free memory, where their order is known to be that of their driver."""
    found = cards() if torch.cuda.device_count() > 1 else []
    ordered = os.environ.get("CUDA_DEVICE_ORDER") == "PCI_BUS_ID" or len({card.name for card in found}) == 1
    if not ordered or len(found) != torch.cuda.device_count():
        return torch.device("cuda")
    return torch.device("cuda", max(found, key=lambda card: card.free).index)


def precise(device: torch.device | str) -> torch.dtype:
    """In which coefficients, densities and sums are computed there: float64, or float32 where the device has none."""
    device = torch.device(device)
    known = _FLOAT64.get(device.type)
    return torch.float64 if (_holds_float64(device) if known is None else known) else torch.float32


def _holds_float64(device) -> bool:
    """What the device itself says."""
    try:
        torch.empty((), dtype=torch.float64, device=device)
    except (TypeError, RuntimeError):
        return False
    return True


def precisely(x: torch.Tensor) -> torch.Tensor:
    """The numbers in the most precise type of their device."""
    return x.to(precise(x.device))


def check_type(dtype: torch.dtype, device: torch.device | str) -> None:
    """Raises Refused for float64 where the device has none."""
    if dtype == torch.float64 != precise(device):
        raise Refused(f"{torch.device(device).type} has no float64; use float32 there, or another device, such as cpu")


def count(device: str) -> int:
    """How many processes a run on the device has."""
    found = _SEVERAL.fullmatch(device)
    return int(found[2]) if found else 1


def option(device: str) -> str:
    """The device as `python -m edm train` and torchrun's processes know it."""
    return device.partition("*")[0]


def named(name: str, known: list[str]) -> tuple[str, int]:
    """(a device by its full name, how many GPUs are known). Raises ValueError for one that is not known.

    "auto" stays what it is: which GPU that is, is chosen when a run starts. known: cpu, cuda:0, …: the places where a
    launcher can start workers.
    """
    gpus, found = sum(place.startswith("cuda:") for place in known), _SEVERAL.fullmatch(str(name))
    if found:
        most = gpus if found[1] == "cuda" else max(2, os.cpu_count() or 1)
        if not 1 <= int(found[2]) <= most:
            offered = f"of {found[1]}, 1 to {most} can be used at once" if most else "it has no GPU; use cpu"
            raise Refused(f"device {name!r} is not on this machine: {offered}")
        return (f"{found[1]}*{int(found[2])}" if int(found[2]) > 1 else named(found[1], known)[0]), gpus
    if name == "auto" and known:
        return name, gpus
    wanted = "cuda:0" if name == "cuda" else name
    if wanted not in known:
        meant = device(name)  # says what is wrong with it, if it is no device of this machine
        wanted = f"cuda:{meant.index or 0}" if meant.type == "cuda" else meant.type
    if wanted not in known:
        raise Refused(f"device {name!r} is not among those where runs can be started: {', '.join(known) or 'none'}")
    return wanted, gpus


def places(device: str, gpus: int) -> tuple[list[str], int]:
    """(devices that can serve a run, how many of them it needs); processes on the CPU share the one."""
    if device == "auto" or (count(device) > 1 and option(device) == "cuda"):
        return [f"cuda:{i}" for i in range(gpus)] or ["cpu"], count(device)
    return [option(device)], 1


def visible(chosen: list[str], shown: str | None) -> str:
    """CUDA_VISIBLE_DEVICES for a run on several chosen GPUs, where it is `shown` so far."""
    numbers = [int(name.partition(":")[2]) for name in chosen]
    names = shown.split(",") if shown else []
    return ",".join(names[n] if n < len(names) else str(n) for n in numbers)


def out_of_memory(error: BaseException) -> bool:
    told = any(words in str(error) for words in _NO_MEMORY_WORDS)
    return isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and told)
