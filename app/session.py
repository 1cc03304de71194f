"""One visitor: which request is the newest."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from cachetools import LRUCache

from app.cores import divided
from edm.sampling.denoisers import Around


class Superseded(Exception):
    """A newer request of the same visitor has arrived; this one ends at its next evaluation."""


class Newest:
    """The newest request of each visitor and lane. Thread-safe; it forgets the visitors of long ago."""

    def __init__(self, visitors: int = 10_000):
        self._newest: LRUCache = LRUCache(visitors)
        self._lock = threading.Lock()

    def guard(self, visitor: str, lane: str, serial: int) -> Guard:
        """A guard that raises Superseded once a request with a higher serial has come."""
        key = (visitor, lane)
        with self._lock:
            self._newest[key] = max(serial, self._newest.get(key, serial))

        def check():
            with self._lock:
                if self._newest.get(key, serial) > serial:
                    raise Superseded

        check()
        return Guard((check,))

    def stop(self, visitor: str):
        """The visitor has left: whatever still runs for them ends. A later request of theirs works again."""
        with self._lock:
            for key in [key for key in self._newest if key[0] == visitor]:
                self._newest[key] += 0.5


@dataclass(frozen=True)
class Guard:
    """Wraps the denoisers of one request: each check is called before each evaluation, and may end it or wait.

    visitor: whose request it is, for `app.slots`.
    """

    checks: tuple[Callable, ...] = ()
    visitor: object = None

    def check(self) -> None:
        for each in self.checks:
            each()

    def __call__(self, denoiser):
        return _Guarded(denoiser, self.check)


class _Guarded(Around):
    def __init__(self, inner, check):
        super().__init__(inner)
        self._check = check

    def __call__(self, x, sigma, labels=None):
        self._check()
        return divided(self.inner, x, sigma, labels)
