"""What has been copied to a device to be used there, and leaves it when it is not used any more."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from edm.base.devices import out_of_memory

SHARE = 1 / 8  # of a GPU's free memory
ELSEWHERE = 4 << 30  # bytes, on devices that do not say what they have


def room(device: torch.device) -> float:
    """Bytes that may be added to what this process has on the device already."""
    if device.type == "meta":
        return float("inf")
    if device.type != "cuda":
        return ELSEWHERE
    unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return torch.cuda.mem_get_info(device)[0] + unused


@dataclass(frozen=True)
class _Kept:
    owner: weakref.ref
    state: Any
    size: int
    copy: Any


class Copies:
    """Copies by their owner and device: of each device those used last, up to a share of the bytes that it has for
    them, `room(device)` and what they take themselves; the one used last in any case. Thread-safe.

    One that is forgotten is gone once nobody computes with it any more; one whose owner is gone is forgotten.
    """

    def __init__(self, room: Callable[[torch.device], float] = room, share: float = SHARE):
        self._room, self._share = room, share
        self._lock = threading.RLock()
        self._kept: dict[torch.device, dict[int, _Kept]] = {}  # by the owner's id; the one used last is the last

    def of(self, owner: Any, device: torch.device, state: Any, size: int, make: Callable[[], Any]) -> Any:
        """The copy of `owner` there; make(), where there is none yet, or one that was made in another `state`.

        size: in bytes. Where the device has too little memory, all others are forgotten first.
        """
        with self._lock:
            kept = self._kept.setdefault(device, {})
            found = kept.pop(id(owner), None)
            if found is None or found.state != state or found.owner() is not owner:
                del found  # its memory may be needed
                key = id(owner)
                copy = self._made(device, make)
                found = _Kept(weakref.ref(owner, lambda _: kept.pop(key, None)), state, size, copy)
            kept[id(owner)] = found
            self._fit(device, kept)
            return found.copy

    def forget(self, device: torch.device) -> None:
        """All copies on the device."""
        device = torch.empty(0, device=device).device  # with its number, where it has one
        with self._lock:
            self._kept.get(device, {}).clear()
            _freed(device)

    def bytes(self, device: torch.device) -> int:
        """What the copies on the device take."""
        return sum(one.size for one in list(self._kept.get(device, {}).values()))

    def _made(self, device, make):
        try:
            return make()
        except Exception as error:
            if not out_of_memory(error):
                raise
        self.forget(device)
        return make()

    def _fit(self, device, kept):
        taken = self.bytes(device)
        if len(kept) < 2 or taken <= (most := self._share * (self._room(device) + taken)):
            return
        for key in list(kept)[:-1]:
            taken -= kept.pop(key).size
            if taken <= most:
                break
        _freed(device)


def _freed(device):
    """Memory that nothing uses any more goes back to the GPU, for others."""
    if device.type == "cuda":
        with torch.cuda.device(device):
            torch.cuda.empty_cache()


COPIES = Copies()
