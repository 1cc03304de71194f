"""What computations have found out: kept for whoever asks next, and found out once for all who ask meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import Future, wait
from contextlib import suppress
from typing import TypeVar

import torch
from cachetools import LRUCache

from app.work.tickets import Ticket
from app.work.watch import Watch

VALUES, MEGABYTES = 512, 128  # that are kept at most, also of a few large ones
GLANCE = 0.02  # seconds between two looks at the ticket of who waits
PATIENCE = 3.0  # seconds for which something goes on that nobody waits for: who moves a knob comes back for it
SPELL = 0.02  # seconds of it before it gives its place up to a picture, which does not wait for long

Value = TypeVar("Value")


class Unwanted(Exception):
    """Nobody needs it any more."""


class Memory:
    """Thread-safe."""

    def __init__(self, values: int = VALUES, megabytes: int = MEGABYTES):
        self._lock, most = threading.Lock(), megabytes << 20
        self._known: LRUCache = LRUCache(most, lambda value: max(weight(value), most // values))
        self._coming: dict[Hashable, _Coming] = {}

    def remember(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """The value under `key`, made now if it is not known. Two threads may make it at once; both are right."""
        with self._lock:
            if key in self._known:
                return self._known[key]
        value = make()
        with self._lock:
            self._keep(key, value)
        return value

    def once(self, key: Hashable, make: Callable[[Watch], Value], watch: Watch) -> Value:
        """The same, of what takes a while and is not about one request alone: one thread makes it for all who ask.

        make: is given its own watch, and takes its turns as the visitor who asked first, behind all pictures. It goes
        on when that request is superseded, and ends unfinished once nobody has waited for it for `PATIENCE` seconds,
        or whoever did waits for another value. What the watch's ticket raises ends the waiting only.
        """
        if not watch.may_wait:
            return self.remember(key, lambda: make(watch))
        with self._lock:
            if key in self._known:
                return self._known[key]
            for other in self._coming.values():
                other.wanted.pop(watch.visitor, None)
            coming = self._coming.get(key)
            if coming is None:
                coming = self._coming[key] = _Coming()
                threading.Thread(target=self._make, args=(key, coming, make, watch), daemon=True).start()
            coming.waiting += 1
        try:
            while not wait([coming.value], GLANCE).done:
                watch.ticket.check()
        finally:
            with self._lock:
                coming.waiting -= 1
                coming.wanted[watch.visitor] = time.monotonic() + PATIENCE
        return coming.value.result()

    def _make(self, key, coming, make, watch):
        def check():
            with self._lock:
                if not coming.waiting and max(coming.wanted.values(), default=0.0) < time.monotonic():
                    self._coming.pop(key)  # at once: who asks from now on begins anew
                    raise Unwanted

        try:
            value = make(Watch(Ticket(watch.visitor, (check,)), watch.slots, SPELL))
        except BaseException as error:  # whatever it is, it is told to all who wait
            self._end(key, coming)
            coming.value.set_exception(error)
        else:
            self._end(key, coming, value)
            coming.value.set_result(value)

    def _end(self, key, coming, *values):
        with self._lock:
            if self._coming.get(key) is coming:
                del self._coming[key]
            for value in values:
                self._keep(key, value)

    def _keep(self, key, value):
        with suppress(ValueError):  # it alone is larger than all that is kept
            self._known[key] = value


def weight(value: object) -> int:
    """Bytes of the tensors and arrays in a value, with all that is kept alive for them."""
    if isinstance(value, Mapping):
        return sum(map(weight, value.values()))
    if isinstance(value, tuple | list):
        return sum(map(weight, value))
    if isinstance(value, torch.Tensor):
        return value.untyped_storage().nbytes()
    return getattr(value, "nbytes", 0)


class _Coming:
    """A value that is being made. waiting: how many wait now. wanted: visitor -> until when it goes on for them."""

    def __init__(self):
        self.value: Future = Future()
        self.waiting, self.wanted = 0, {}
