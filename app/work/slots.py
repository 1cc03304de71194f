"""The places of the machine to compute in, and whose turn it is.

A place goes to whichever waiting visitor has computed the least lately; who has had one for a while gives it up at
the next evaluation, if somebody waits who has had less. So a small request waits for a moment, whatever others do.
"""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Hashable
from contextlib import contextmanager

from cachetools import LRUCache

try:
    CORES = len(os.sched_getaffinity(0))
except AttributeError:  # not on this system
    CORES = os.cpu_count() or 1
QUANTUM = 0.12  # seconds of computing after which a place is given up to who has had less
MEMORY = 10.0  # seconds: what was computed so long ago counts 1/e


class Ledger:
    """Who has computed how long lately. Thread-safe; it forgets those of long ago."""

    def __init__(self, visitors: int = 10_000):
        self._used: LRUCache = LRUCache(visitors)  # visitor -> (seconds, when they were counted)
        self._lock = threading.Lock()

    def lately(self, visitor: Hashable, now: float | None = None) -> float:
        """Seconds that a visitor has computed lately. now: a moment of `time.monotonic`; None: this one."""
        with self._lock:
            seconds, when = self._used.get(visitor, (0.0, 0.0))
        return seconds * math.exp((when - (time.monotonic() if now is None else now)) / MEMORY)

    def add(self, visitor: Hashable, seconds: float) -> None:
        seconds += self.lately(visitor)
        with self._lock:
            self._used[visitor] = seconds, time.monotonic()

    def learn(self, visitor: Hashable, seconds: float) -> None:
        """A visitor has computed at least so long lately, also elsewhere."""
        self.add(visitor, max(seconds - self.lately(visitor), 0.0))


class Slots:
    """`places` to compute in. Thread-safe; a thread that has one already keeps it."""

    def __init__(self, places: int):
        self.ledger = Ledger()
        self._places = self._free = places
        self._asked = 0
        self._changed = threading.Condition()
        self._waiting: list[tuple] = []  # (number, visitor) of whoever waits
        # turn: [visitor, since when, its quantum], of a thread that has a place; spent: seconds
        self._here = threading.local()

    @contextmanager
    def turn(self, visitor=None, quantum: float | None = None):
        """Have a place while this lasts. visitor: any key; all requests of one key count together. quantum: seconds
        after which it may be given up, if not QUANTUM: then also to the visitor's own requests."""
        if self._turn:
            yield
            return
        self._take(visitor, quantum)
        try:
            yield
        finally:
            self._give()

    @property
    def taken(self) -> bool:
        """Whether this thread has a place."""
        return self._turn is not None

    @property
    def waiting(self) -> int:
        """How many wait for a place."""
        return len(self._waiting)

    @property
    def spent(self) -> float:
        """Seconds that this thread has computed, in all its turns."""
        return getattr(self._here, "spent", 0.0)

    def resize(self, places: int) -> None:
        """So many places from now on; who has one keeps it."""
        with self._changed:
            self._free += places - self._places
            self._places = places
            self._changed.notify_all()

    def breathe(self) -> None:
        """To be called at each evaluation: gives up this thread's place, if it is somebody else's turn, and waits."""
        if not self._turn:
            return
        visitor, since, quantum = self._turn
        if time.monotonic() - since < (QUANTUM if quantum is None else quantum):
            return
        with self._changed:
            now = self._count()
            mine = self.ledger.lately(visitor, now)
            others = [other for _, other in self._waiting]
            own = quantum is not None and visitor in others
            if not own and not any(self.ledger.lately(other, now) < mine for other in others):
                return
        self._give()
        self._take(visitor, quantum)

    @property
    def _turn(self) -> list | None:
        return getattr(self._here, "turn", None)

    def _take(self, visitor, quantum):
        with self._changed:
            self._asked += 1
            me = self._asked, visitor
            self._waiting.append(me)
            self._changed.wait_for(lambda: self._free > 0 and self._next() == me)
            self._waiting.remove(me)
            self._free -= 1
            self._changed.notify_all()  # there may be another place, and another who is the next now
        self._here.turn = [visitor, time.monotonic(), quantum]

    def _give(self):
        with self._changed:
            self._count()
            self._free += 1
            self._changed.notify_all()
        self._here.turn = None

    def _next(self):
        now = time.monotonic()  # one moment for all, or of equals not the first would be the next
        return min(self._waiting, key=lambda one: (self.ledger.lately(one[1], now), one[0]))

    def _count(self) -> float:
        """Add what this thread has computed since it was last counted. Returns the present moment."""
        (visitor, since, _), now = self._turn, time.monotonic()
        self.ledger.add(visitor, now - since)
        self._here.spent = self.spent + now - since
        self._turn[1] = now
        return now
