"""The places of the machine to compute in, and whose turn it is.

A place goes to whichever waiting visitor has computed the least lately; who has had one for a while, or has had much
more, gives it up at the next evaluation, if somebody waits who has had less. So a small request waits for a moment,
whatever others do. What nobody looks at while it is computed comes after all that somebody looks at.
"""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Hashable
from contextlib import contextmanager
from dataclasses import dataclass

from cachetools import LRUCache

try:
    CORES = len(os.sched_getaffinity(0))
except AttributeError:  # not on this system
    CORES = os.cpu_count() or 1
QUANTUM = 0.12  # seconds of computing after which a place is given up to who has had less; at once, if by so much
LINGER = 0.05  # seconds for which a place is kept for pictures, which come back for it, before it is for what is behind
STARVED = 1.0  # seconds after which what is behind has waited long enough, and has its turn as everybody
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


def gives_way(mine: float, held: float, other: float) -> bool:
    """Whether who has computed `mine` seconds lately, the last `held` of them in one turn, gives their place up to who
    has had `other`."""
    return other + (QUANTUM if held < QUANTUM else 0.0) < mine


@dataclass(eq=False)
class _Asking:
    """Who waits for a place. behind: it comes after others, until it has waited for long."""

    number: int
    visitor: Hashable
    behind: bool
    since: float

    def patient(self, now: float) -> bool:
        return self.behind and now - self.since < STARVED


@dataclass
class _Turn:
    """Of a thread that has a place. counted: up to when it is in the ledger."""

    visitor: Hashable
    spell: float | None
    begun: float
    counted: float


class Slots:
    """`places` to compute in. Thread-safe; a thread that has one already keeps it."""

    def __init__(self, places: int):
        self.ledger = Ledger()
        self._places = self._free = places
        self._asked = 0
        self._changed = threading.Condition()
        self._waiting: list[_Asking] = []
        self._left = -math.inf  # when a turn ended last that was not behind others
        self._here = threading.local()  # turn: of this thread; spent: seconds

    @contextmanager
    def turn(self, visitor=None, spell: float | None = None):
        """Have a place while this lasts. visitor: any key; all requests of one key count together.

        spell: of what nobody looks at while it is computed: it is behind all others, whoever asks for it, and gives its
        place up to them after so many seconds.
        """
        if self._turn:
            yield
            return
        self._take(visitor, spell)
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
        turn = self._turn
        if turn is None or not self._waiting:
            return
        with self._changed:
            stays = not any(self._before(other, turn, self._count()) for other in self._waiting)
        if stays:
            return
        self._give()
        self._take(turn.visitor, turn.spell)

    def _before(self, other: _Asking, turn: _Turn, now: float) -> bool:
        """Whether it is the other's turn rather than that one."""
        held = now - turn.begun
        if turn.spell is not None and not other.behind:
            return held >= turn.spell
        if turn.spell is None and other.patient(now):
            return False
        return gives_way(self.ledger.lately(turn.visitor, now), held, self.ledger.lately(other.visitor, now))

    @property
    def _turn(self) -> _Turn | None:
        return getattr(self._here, "turn", None)

    def _take(self, visitor, spell):
        with self._changed:
            self._asked += 1
            me = _Asking(self._asked, visitor, spell is not None, time.monotonic())
            self._waiting.append(me)
            while not self._mine(me):
                self._changed.wait(LINGER if me.behind else None)
            self._waiting.remove(me)
            self._free -= 1
            self._changed.notify_all()  # there may be another place, and another who is the next now
        now = time.monotonic()
        self._here.turn = _Turn(visitor, spell, now, now)

    def _give(self):
        with self._changed:
            now = self._count()
            if self._turn.spell is None:
                self._left = now
            self._free += 1
            self._changed.notify_all()
        self._here.turn = None

    def _mine(self, me) -> bool:
        """Whether who waits has a place now."""
        now = time.monotonic()  # one moment for all, or of equals not the first would be the next
        first = min(self._waiting, key=lambda one: (one.patient(now), self.ledger.lately(one.visitor, now), one.number))
        return self._free > 0 and first is me and not (me.patient(now) and now < self._left + LINGER)

    def _count(self) -> float:
        """Add what this thread has computed since it was last counted. Returns the present moment."""
        turn, now = self._turn, time.monotonic()
        self.ledger.add(turn.visitor, now - turn.counted)
        self._here.spent = self.spent + now - turn.counted
        turn.counted = now
        return now
