"""Whose request it is, and whether it is still wanted."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from cachetools import LRUCache


class Superseded(Exception):
    """A newer request of the same visitor has arrived; this one ends at its next evaluation."""


@dataclass(frozen=True)
class Ticket:
    """What a request is computed on. visitor: who is charged for it, any key. checks: each may raise, which ends it."""

    visitor: Hashable = None
    checks: tuple[Callable[[], None], ...] = ()

    def check(self) -> None:
        """Raises if the request is wanted no longer."""
        for each in self.checks:
            each()


class Tickets:
    """The newest request of each visit and topic. Thread-safe; it forgets the visits of long ago."""

    def __init__(self, visits: int = 10_000):
        self._newest: LRUCache = LRUCache(visits)
        self._lock = threading.Lock()

    def take(self, visit: str, topic: str, serial: int, visitor: Hashable = None, *checks: Callable) -> Ticket:
        """A ticket that raises Superseded once a request with a higher serial has come; also if it has come already.

        topic: what a newer request of the same visit is about. checks: more of the ticket's.
        """
        key = (visit, topic)
        with self._lock:
            self._newest[key] = max(serial, self._newest.get(key, serial))

        def newest():
            with self._lock:
                if self._newest.get(key, serial) > serial:
                    raise Superseded

        newest()
        return Ticket(visitor, (newest, *checks))
