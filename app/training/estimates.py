"""Estimates of the same settings are asked for several times, and made once."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait

from cachetools import LRUCache

LOOK = 0.1  # seconds between two looks whether somebody still waits


class Estimates:
    """Results by their key, made one at a time, each once. Thread-safe; nobody waits for longer than they want to."""

    def __init__(self, most: int = 256):
        self._known: LRUCache = LRUCache(most)
        self._coming: dict[str, Future] = {}
        self._waiting: Counter = Counter()
        self._lock = threading.Lock()
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="estimates")  # two at once would slow each other down

    def get(self, key: str, make: Callable, patience: float, alive: Callable = lambda: None):
        """make(), or what it was for this key; None if that takes more than `patience` seconds, waiting included.

        alive: called now and then; what it raises ends the waiting. What nobody waits for any more is not begun.
        """
        with self._lock:
            if key in self._known:
                return self._known[key]
            if key not in self._coming:
                self._coming[key] = self._threads.submit(self._made, key, make)
            coming = self._coming[key]
            self._waiting[key] += 1
        try:
            while patience > 0 and not wait([coming], min(LOOK, patience)).done:
                alive()
                patience -= LOOK
            return coming.result() if coming.done() else None
        finally:
            with self._lock:
                self._waiting[key] -= 1
                if not self._waiting[key]:
                    del self._waiting[key]
                    if coming.cancel() and self._coming.get(key) is coming:
                        del self._coming[key]

    def _made(self, key, make):
        try:
            value = make()
            with self._lock:
                self._known[key] = value
            return value
        finally:
            with self._lock:
                self._coming.pop(key, None)
