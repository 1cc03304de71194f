"""The GPUs of this machine as their driver knows them: free memory, who holds how much of it, how busy they are.

NVML is asked, as nvidia-smi does. No CUDA context is made, so that looking takes no memory of a GPU and can be done
before a fork; and it counts what other people's processes hold, which PyTorch cannot see.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

_VISIBLE = "CUDA_VISIBLE_DEVICES"
_BY_NAME = ("GPU-", "MIG-")


@dataclass(frozen=True)
class Card:
    """A GPU. index: k of "cuda:k". total, free: bytes, whoever holds the rest. utilization: 0 to 1, the share of the
    last moments in which it computed; None: it does not tell. number, uuid: what the machine calls it, whatever a
    process is shown (number: None for a part of a card). others: (process number, bytes or None) of each process that
    has memory on it, this one left out; a driver hides those of other containers, whose memory is taken all the same.
    """

    index: int
    name: str
    total: int
    free: int
    utilization: float | None = None
    number: int | None = None
    uuid: str = ""
    others: tuple[tuple[int, int | None], ...] = ()


def cards(environment: Mapping[str, str] | None = None) -> list[Card]:
    """The GPUs that a process with these variables (None: this one) may use, in the order of their numbers there.

    [] where there is no driver of NVIDIA's, or it is broken; a card that has broken down is left out. Numbers are those
    of CUDA_DEVICE_ORDER=PCI_BUS_ID, which only machines with cards of several kinds tell from any other.
    """
    try:
        import pynvml

        pynvml.nvmlInit()
    except Exception:  # not installed, no driver, or one that does not fit: bindings raise what they like
        return []
    try:
        found = [_card(pynvml, k, *handle) for k, handle in enumerate(_handles(pynvml, environment))]
        return [card for card in found if card is not None]
    except Exception:
        return []
    finally:
        with suppress(Exception):
            pynvml.nvmlShutdown()


def in_their_order() -> None:
    """Have this process, before it uses CUDA, and those that it starts, count GPUs as their driver does. Whoever has
    asked for another order keeps it."""
    os.environ.setdefault("CUDA_DEVICE_ORDER", "PCI_BUS_ID")


def chosen(shown: str | None, uuids: list[str]) -> list[int]:
    """Which of a machine's GPUs a value of CUDA_VISIBLE_DEVICES shows, as CUDA reads it; None: all.

    It may list numbers or beginnings of names; what comes after one that is not there is not seen, and one that comes
    twice hides all.
    """
    if shown is None:
        return list(range(len(uuids)))
    found: list[int] = []
    for word in map(str.strip, shown.split(",")):
        k = _number(word, uuids)
        if k in found:
            return []
        if k is None:
            break
        found.append(k)
    return found


def _number(word, uuids) -> int | None:
    if word.startswith(_BY_NAME):
        fitting = [k for k, uuid in enumerate(uuids) if uuid.startswith(word)]
        return fitting[0] if len(fitting) == 1 else None
    return int(word) if word.isascii() and word.isdecimal() and int(word) < len(uuids) else None


def _handles(nvml, environment) -> list[tuple[int | None, Any]]:
    """(number, handle) for NVML of the GPUs that are visible."""
    shown = (os.environ if environment is None else environment).get(_VISIBLE)
    if shown is not None and shown.strip().startswith("MIG-"):  # a part of a GPU, which is in no list of whole ones
        return [(None, nvml.nvmlDeviceGetHandleByUUID(word.strip())) for word in shown.split(",")]
    handles = [_told(lambda k=k: nvml.nvmlDeviceGetHandleByIndex(k), None) for k in range(nvml.nvmlDeviceGetCount())]
    uuids = [_told(lambda handle=handle: _text(nvml.nvmlDeviceGetUUID(handle)), "") for handle in handles]
    return [(k, handles[k]) for k in chosen(shown, uuids)]


def _card(nvml, index, number, handle) -> Card | None:
    memory = _told(lambda: nvml.nvmlDeviceGetMemoryInfo(handle), None)
    if memory is None:
        return None
    return Card(
        index=index,
        name=_told(lambda: _text(nvml.nvmlDeviceGetName(handle)), "GPU"),
        total=int(memory.total),
        free=int(memory.free),
        utilization=_told(lambda: nvml.nvmlDeviceGetUtilizationRates(handle).gpu / 100, None),
        number=number,
        uuid=_told(lambda: _text(nvml.nvmlDeviceGetUUID(handle)), ""),
        others=_others(nvml, handle),
    )


def _others(nvml, handle) -> tuple[tuple[int, int | None], ...]:
    """Processes that compute or draw there, this one left out."""
    held: dict[int, int | None] = {}
    for ask in ("nvmlDeviceGetComputeRunningProcesses", "nvmlDeviceGetGraphicsRunningProcesses"):
        for process in _told(lambda ask=ask: getattr(nvml, ask)(handle), []):
            if process.pid != os.getpid():
                held[process.pid] = process.usedGpuMemory
    return tuple(sorted(held.items()))


def _told(ask: Callable[[], Any], otherwise: Any) -> Any:
    """What a driver answers; many cards do not know some of it, and say so by an exception."""
    try:
        return ask()
    except Exception:
        return otherwise


def _text(answer) -> str:
    return answer.decode(errors="replace") if isinstance(answer, bytes) else str(answer)
