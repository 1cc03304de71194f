"""Where a run would go, what it has there, and how fast such a place is."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from edm.base import devices, peaks
from edm.base.cards import Card, cards
from edm.base.errors import Refused
from edm.base.peaks import Peak

IDLE = 0.1  # of its time that a GPU may be busy, if steps are to be tried on it,
ROOM = 0.5  # and of its memory that must be free


@dataclass(frozen=True)
class Hardware:
    """place: one of the devices; several: how many there are of it. peak: of a GPU that is known. total, free: bytes
    of memory, of that GPU which has least; of the CPU, of all processes; None: not known. idle: nothing else computes
    there, so that steps may be tried; named: it is a GPU that somebody asks about, and need not be here."""

    place: torch.device
    several: int
    peak: Peak | None = None
    total: int | None = None
    free: int | None = None
    idle: bool = True
    named: bool = False

    @property
    def gpu(self) -> bool:
        return self.place.type != "cpu"


def hardware(device: str = "auto", card: str | None = None) -> Hardware:
    """Of a device by its name, such as cpu, cuda:0 or cuda*2. card: a GPU by name, such as V100, which then takes the
    place of those that are here. Raises Refused for what is not there, and for cards that are not known."""
    several, one = devices.count(device), devices.option(device)
    if card is not None:
        peak = peaks.named(card)
        if one not in ("auto", "cuda") and not one.startswith("cuda:"):
            raise Refused(f"card {card} is a GPU: give it with a device such as cuda or cuda*8, not {device!r}")
        return Hardware(torch.device("cuda"), several, peak, peak.memory, peak.memory, idle=False, named=True)
    place = devices.device(one)
    if place.type == "cpu":
        import psutil

        memory = psutil.virtual_memory()
        return Hardware(place, several, None, memory.total, memory.available)
    if place.type != "cuda":
        return Hardware(place, several)
    if several > torch.cuda.device_count():
        raise Refused(f"device {device!r} is not on this machine, which has {torch.cuda.device_count()} CUDA GPUs")
    used = _used(place, several, chosen=":" in one)
    if not used:
        free, total = torch.cuda.mem_get_info(place)
        return Hardware(place, several, peaks.peak_of(torch.cuda.get_device_name(place)), total, free)
    least = min(used, key=lambda gpu: gpu.total)
    idle = all((gpu.utilization or 0) < IDLE and gpu.free > ROOM * gpu.total for gpu in used)
    found = torch.device("cuda", used[0].index)
    return Hardware(found, several, peaks.peak_of(least.name), least.total, min(gpu.free for gpu in used), idle)


def _used(place, several, chosen) -> list[Card]:
    """The GPUs that a run would get: the one that was named, or those that have most free memory."""
    known = cards()
    if chosen:
        return [gpu for gpu in known if gpu.index == place.index]
    return sorted(known, key=lambda gpu: -gpu.free)[:several]
