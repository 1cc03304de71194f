"""How fast something goes on, and how long it will take, by what it has done lately."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

LATELY = 30.0  # seconds


class Rate:
    """Of things that are counted. clock: seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self._clock, self._seen = clock, deque[tuple[float, int]]()

    def add(self, done: int) -> None:
        """So many are done now."""
        now = self._clock()
        self._seen.append((now, done))
        while len(self._seen) > 2 and self._seen[1][0] < now - LATELY:
            self._seen.popleft()

    @property
    def each_second(self) -> float | None:
        """None as long as that cannot be told."""
        if not self._seen:
            return None
        (began, first), (now, done) = self._seen[0], self._seen[-1]
        return (done - first) / (now - began) if done > first and now > began else None

    def left(self, total: int) -> float | None:
        """Seconds to that many; None as long as that cannot be told."""
        rate = self.each_second
        return None if rate is None else max(0, total - self._seen[-1][1]) / rate
