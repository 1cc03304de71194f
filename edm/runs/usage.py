"""What a run takes of its machine: its own memory, and, of its GPUs, all that is taken and how busy they are."""

from __future__ import annotations

import re
import sys
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from edm.base import devices, peaks
from edm.base.cards import cards

if TYPE_CHECKING:
    from edm.base.cards import Card
    from edm.files.checkpoints import Header
    from edm.training.settings import Training


def memory(device: str = "cpu") -> int | None:
    """Bytes: the most that this process has taken on its GPU; of main memory where it trains on no GPU.

    device: as a run's status has it: cuda:1, or cuda*2, of which the process that says so has the first. None: nothing
    yet.
    """
    torch = sys.modules.get("torch")
    own = _own(device)
    if own is not None and torch is not None:
        first = torch.device("cuda", own[0])  # by name: of a thread that has not chosen one it would be the first
        return torch.cuda.max_memory_allocated(first) if torch.cuda.is_initialized() else None
    if device == "mps" and torch is not None:
        return torch.mps.driver_allocated_memory()
    return _resident()


def _resident() -> int:
    """Bytes of main memory that this process has taken at most."""
    try:
        import resource
    except ImportError:  # Windows
        import psutil

        return psutil.Process().memory_info().peak_wset
    with suppress(OSError):  # Linux, whose getrusage counts what started the process, too
        found = re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text())
        if found:
            return int(found[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


class Usage:
    """The GPUs of a run on a device, looked at now and then. Not for the CPU, of which it tells nothing."""

    def __init__(self, device: str):
        self._own = _own(device)
        self._most, self._busy = 0, []

    def look(self) -> dict:
        """The cards as they are, and the same in numbers: as `since` has them, of this moment."""
        found = [] if self._own is None else _cards(self._own)
        if not found:
            return {}
        taken, busy = _measured(found)
        self._most, self._busy = max(self._most, taken), self._busy + busy
        return {"gpu_memory": taken, "gpu_utilization": _mean(busy), "cards": [_described(card) for card in found]}

    def since(self) -> dict:
        """Since this was asked last: gpu_memory, bytes: the most that was taken of one of its GPUs, whoever took it.
        gpu_utilization, 0 to 1: the share of the time in which they computed, a mean over all of them; None: they do
        not tell. {} where there is no GPU, or nobody tells of it."""
        self.look()
        most, busy = self._most, self._busy
        self._most, self._busy = 0, []
        return {"gpu_memory": most, "gpu_utilization": _mean(busy)} if most else {}


def most(header: Header, settings: Training, device: str) -> float | None:
    """Images a second of a run whose GPUs did nothing but arithmetic, as fast as their makers say; None: that is not
    known of them. header: of its network."""
    own = _own(device)
    known = [peaks.peak_of(card.name) for card in (_cards(own) if own is not None else ())]
    if not known or None in known:
        return None
    from edm.training import counting

    speed = sum(peak.speed(settings.precision, settings.tf32) for peak in known if peak is not None)
    return speed / counting.counted(header, settings.precision).operations


def _own(device) -> list[int] | None:
    """The numbers of the GPUs that a run has, as its own process counts them; None: it has none."""
    kind, _, index = devices.option(device).partition(":")
    if kind != "cuda":
        return None
    return list(range(devices.count(device))) if not index else [int(index)] if index.isdecimal() else None


def _cards(own) -> list[Card]:
    """The cards of these numbers: by what PyTorch calls them, which may count in another order, as soon as it can."""
    found, torch = cards(), sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        known = {f"GPU-{torch.cuda.get_device_properties(k).uuid}" for k in own if k < torch.cuda.device_count()}
        if named := [card for card in found if card.uuid in known]:
            return named
    return [card for card in found if card.index in own]


def _measured(found) -> tuple[int, list[float]]:
    """(bytes that are taken of the fullest, how busy each is that tells)."""
    taken = max(card.total - card.free for card in found)
    return taken, [card.utilization for card in found if card.utilization is not None]


def _mean(values) -> float | None:
    return sum(values) / len(values) if values else None


def _described(card) -> dict:
    kept = ("index", "number", "name", "total", "free", "utilization")
    return {name: value for name, value in asdict(card).items() if name in kept}
