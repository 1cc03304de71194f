"""Wrong answers wait, right ones do not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Hashable

from cachetools import LRUCache

LONGEST = 10.0  # seconds that an answer waits; more would only keep connections open
MOST_WAITING = 200
REMEMBERED = 10_000


class Busy(Exception):
    """Too much is under way to answer now; another try may succeed."""


class Delays:
    """When the next wrong answer is due, for each address and each name. For one event loop; its memory is bounded.

    Every try has been looked at before it comes here, so whoever knows the password never waits for those who do not.
    """

    def __init__(self):
        self._due: LRUCache = LRUCache(REMEMBERED)
        self._waiting = 0

    def __len__(self) -> int:
        """Addresses and names that are remembered."""
        return len(self._due)

    async def wrong(self, least: float, between: dict[Hashable, float]) -> None:
        """Wait at least so many seconds, and until a wrong answer is due.

        between: seconds between two wrong answers, for each of what the tries have in common. Raises Busy if too many
        wait already.
        """
        now = time.monotonic()
        due = {key: max(now, self._due.get(key, now)) + seconds for key, seconds in between.items()}
        wait = max([least, *(moment - now for moment in due.values())])
        if wait > LONGEST or self._waiting >= MOST_WAITING:
            raise Busy
        self._due.update(due)
        self._waiting += 1
        try:
            await asyncio.sleep(wait)
        finally:
            self._waiting -= 1
