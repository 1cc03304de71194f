"""A job on its way through the processes that compute, and answers that are kept."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Collection, Hashable
from dataclasses import dataclass, field

from cachetools import LRUCache

from app.work.slots import QUANTUM
from edm.base.atomic import stamp

UNKNOWN = 0.1  # seconds that a job takes of which nothing is known
YOUNG = 10.0  # seconds after which a job has not ended the process that computes it, if others came later
MOST_DEATHS = 3  # of processes that had a job, whatever they died of
ALONE = 1.0  # seconds for which it waits for a process of its own


@dataclass(eq=False)
class Order:
    """A job, and who waits for its answers.

    put(answer or None, error or None, is it over?) gives them away. number: of this order, the lower the earlier.
    since: when it was given to a process, or taken from one that has died. deaths: of processes that had it; blamed:
    those that may have died of it. given: answers that were given away, which are not given again by another process;
    passed: those that came from this one.
    """

    text: str
    sort: Hashable
    visitor: Hashable
    number: int
    put: Callable[[bytes | None, BaseException | None, bool], None]
    since: float = 0.0
    deaths: int = 0
    blamed: int = 0
    given: int = 0
    passed: int = 0
    over: bool = field(default=False)

    @property
    def young(self) -> bool:
        return time.monotonic() - self.since < YOUNG

    @property
    def suspect(self) -> bool:
        """Whether it may have ended a process, and may again."""
        return self.blamed > 0 and self.young

    @property
    def deadly(self) -> bool:
        return self.blamed > 1 or self.deaths > MOST_DEATHS

    def beside(self, others: Collection[Order]) -> bool:
        """Whether it may be computed where these are: what may end a process does not share it with the innocent."""
        if self.blamed and time.monotonic() - self.since < ALONE:
            return not others
        return not any(other.suspect for other in others)

    @property
    def fresh(self) -> bool:
        """Whether the process that has it may not yet let another one in between."""
        return time.monotonic() - self.since < QUANTUM


class Durations:
    """How long jobs of a sort have taken lately."""

    def __init__(self, most: int = 1000):
        self._known: LRUCache = LRUCache(most)

    def of(self, sort: Hashable) -> float:
        return self._known.get(sort, UNKNOWN)

    def learn(self, sort: Hashable, seconds: float) -> None:
        self._known[sort] = 0.7 * self._known[sort] + 0.3 * seconds if sort in self._known else seconds


class Answers:
    """Last answers by the text of their job, as long as the files that they depend on are the same. Thread-safe."""

    def __init__(self, megabytes: int):
        self._kept: LRUCache = LRUCache(megabytes << 20, getsizeof=lambda one: len(one[0]))
        self._lock = threading.Lock()

    def get(self, text: str) -> bytes | None:
        with self._lock:
            found = self._kept.get(_key(text))
        if found is None or any(stamp(path) != seen for path, seen in found[1].items()):
            return None
        return found[0]

    def keep(self, text: str, answer: bytes, files: dict[str, str | None]) -> None:
        with self._lock:
            if len(answer) <= self._kept.maxsize:
                self._kept[_key(text)] = answer, files


def _key(text):
    return hashlib.sha256(text.encode()).digest()
