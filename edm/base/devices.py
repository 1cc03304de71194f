"""Devices by name: cpu, cuda:1, and several at once, cpu*2 or cuda*4, for which torchrun starts a process each."""

from __future__ import annotations

import os
import re

import torch

from edm.base.errors import Refused

_NO_MEMORY_WORDS = ("out of memory", "not enough memory", "allocate memory", "ALLOC_FAILED")
_SEVERAL = re.compile(r"(cpu|cuda)\*([0-9]{1,4})")
WITHOUT_FLOAT64 = frozenset({"mps"})  # kinds of devices


def device(name: str = "auto") -> torch.device:
    """The device of that name; "auto": the GPU if there is one. Raises ValueError if it is not there."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        wanted = torch.device(name)
    except RuntimeError:
        raise Refused(f"device {name!r} is unknown; use auto, cpu, cuda or cuda:0") from None
    if wanted.type == "cuda" and (wanted.index or 0) >= torch.cuda.device_count():
        raise Refused(f"device {name!r} is not on this machine, which has {torch.cuda.device_count()} CUDA GPUs")
    if wanted.type not in {"cpu", "cuda"}:
        raise Refused(f"device {name!r} cannot be used: the sampler needs float64, so use cpu or cuda")
    return wanted


def precise(device: torch.device | str) -> torch.dtype:
    """In which coefficients, densities and sums are computed there: float64, or float32 where the device has none."""
    return torch.float32 if torch.device(device).type in WITHOUT_FLOAT64 else torch.float64


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


def named(name: str, ahead: list[str], known: list[str]) -> tuple[str, int]:
    """(a device by its full name, how many GPUs are known). Raises ValueError for one that is not known.

    ahead: the devices of runs that are not over; of several GPUs, "auto" is the one with the fewest of them.
    known: cpu, cuda:0, …: the places where a launcher can start workers.
    """
    gpus, found = sum(place.startswith("cuda:") for place in known), _SEVERAL.fullmatch(str(name))
    if found:
        most = gpus if found[1] == "cuda" else max(2, os.cpu_count() or 1)
        if not 1 <= int(found[2]) <= most:
            offered = f"of {found[1]}, 1 to {most} can be used at once" if most else "it has no GPU; use cpu"
            raise Refused(f"device {name!r} is not on this machine: {offered}")
        return (f"{found[1]}*{int(found[2])}" if int(found[2]) > 1 else named(found[1], ahead, known)[0]), gpus
    if name == "auto" and known:
        return min((place for place in known if place.startswith("cuda:") or not gpus), key=ahead.count), gpus
    wanted = "cuda:0" if name == "cuda" else name
    if wanted not in known:
        found = device(name)  # says what is wrong with it, if it is no device of this machine
        wanted = "cpu" if found.type == "cpu" else f"cuda:{found.index or 0}"
    if wanted not in known:
        raise Refused(f"device {name!r} is not among those where runs can be started: {', '.join(known) or 'none'}")
    return wanted, gpus


def places(device: str, gpus: int) -> tuple[list[str], int]:
    """(devices that can serve a run, how many of them it needs); processes on the CPU share the one."""
    if count(device) == 1 or option(device) == "cpu":
        return [option(device)], 1
    return [f"cuda:{i}" for i in range(gpus)], count(device)


def visible(chosen: list[str], shown: str | None) -> str:
    """CUDA_VISIBLE_DEVICES for a run on several chosen GPUs, where it is `shown` so far."""
    numbers = [int(name.partition(":")[2]) for name in chosen]
    names = shown.split(",") if shown else []
    return ",".join(names[n] if n < len(names) else str(n) for n in numbers)


def out_of_memory(error: BaseException) -> bool:
    told = any(words in str(error) for words in _NO_MEMORY_WORDS)
    return isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and told)
