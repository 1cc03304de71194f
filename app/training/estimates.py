"""Estimates of the same settings are asked for several times, and made once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from cachetools import LRUCache

LOOK = 0.1  # seconds between two looks whether somebody still waits


class GivenUp(Exception):
    """An estimate that was not made: everybody who waited for it wants something else by now."""


@dataclass
class _Coming:
    """An estimate that is to be made. waiting: how many wait for it."""

    future: Future
    dropped: threading.Event = field(default_factory=threading.Event)
    waiting: int = 0


_dropped: ContextVar[threading.Event | None] = ContextVar("dropped", default=None)


def wanted() -> bool:
    """Whether anybody still wants the estimate that is being made in this thread."""
    dropped = _dropped.get()
    return dropped is None or not dropped.is_set()


class Estimates:
    """Results by their key, made one at a time, each once. Thread-safe; nobody waits for longer than they want to."""

    def __init__(self, most: int = 256):
        self._known: LRUCache = LRUCache(most)
        self._coming: dict[str, _Coming] = {}
        self._lock = threading.Lock()
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="estimates")  # two at once would slow each other down

    def get(self, key: str, make: Callable, patience: float, alive: Callable = lambda: None) -> Any:
        """make(), or what it was for this key; None if that takes more than `patience` seconds, waiting included, or
        is given up meanwhile.

        alive: called now and then; what it raises ends the waiting. What nobody waits for any more is not begun; and
        what all have left by `alive` is given up: `wanted` tells it to whoever makes it.
        """
        with self._lock:
            if key in self._known:
                return self._known[key]
            coming = self._coming.get(key)
            if coming is None:
                coming = self._coming[key] = _Coming(Future())
                coming.future = self._threads.submit(self._made, key, make, coming.dropped)
            coming.waiting += 1
        left = True
        try:
            while patience > 0 and not wait([coming.future], min(LOOK, patience)).done:
                alive()
                patience -= LOOK
            left = False
            return coming.future.result() if coming.future.done() else None
        except GivenUp:
            return None
        finally:
            self._leave(key, coming, left)

    def _leave(self, key, coming, left):
        """One waits no more. left: for something else."""
        with self._lock:
            coming.waiting -= 1
            if coming.waiting:
                return
            if coming.future.cancel() or (left and not coming.future.done()):
                coming.dropped.set()
                if self._coming.get(key) is coming:
                    del self._coming[key]

    def _made(self, key, make, dropped):
        _dropped.set(dropped)
        try:
            value = make()
            with self._lock:
                self._known[key] = value
            return value
        finally:
            with self._lock:
                if key in self._coming and self._coming[key].dropped is dropped:
                    del self._coming[key]
