"""Whose request it is, and whether it is still wanted."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from weakref import WeakSet

from cachetools import LRUCache


class Ended(Exception):
    """Nobody wants this any more; it ends at its next evaluation."""


class Superseded(Ended):
    """A newer request of the same visitor has arrived."""


class Ticket:
    """What a request is computed on. Thread-safe.

    visitor: who is charged for it, any key. checks: each may raise, which ends it, too; they are asked at evaluations
    in this process, and elsewhere at each answer.
    """

    def __init__(self, visitor: Hashable = None, checks: tuple[Callable[[], None], ...] = ()):
        self.visitor, self.checks = visitor, checks
        self._why: type[Exception] | None = None
        self._told: list[Callable[[type[Exception]], None]] = []
        self._lock = threading.Lock()

    def __deepcopy__(self, memo) -> Ticket:
        return self  # a copy of what asks it is computed on the same

    def __reduce__(self):
        return Ticket, (self.visitor, self.checks)

    def check(self) -> None:
        """Raises if the request is wanted no longer."""
        if self._why is not None:
            raise self._why
        for each in self.checks:
            each()

    def end(self, why: type[Exception] = Ended) -> None:
        """It is wanted no longer: `check` raises that from now on, and who watches is told it, once."""
        with self._lock:
            if self._why is not None:
                return
            self._why, told = why, self._told
            self._told = []
        for each in told:
            each(why)

    def watch(self, told: Callable[[type[Exception]], None]) -> Callable[[], None]:
        """told(why) will be called once this ends, by who ends it; at once if it has. Returns what stops that."""
        with self._lock:
            why = self._why
            if why is None:
                self._told.append(told)
        if why is not None:
            told(why)

        def stop():
            with self._lock:
                if told in self._told:
                    self._told.remove(told)

        return stop


class Tickets:
    """The newest request of each visit and topic. Thread-safe; it forgets the visits of long ago."""

    def __init__(self, visits: int = 10_000):
        self._newest: LRUCache = LRUCache(visits)  # (visit, topic) -> (serial, its tickets)
        self._lock = threading.Lock()

    def take(self, visit: str, topic: str, serial: int, visitor: Hashable = None, *checks: Callable) -> Ticket:
        """A ticket that ends, Superseded, once a request with a higher serial comes. Raises that if one has come.

        topic: what a newer request of the same visit is about. checks: the ticket's.
        """
        key, ticket, older = (visit, topic), Ticket(visitor, checks), WeakSet()
        with self._lock:
            newest, tickets = self._newest.get(key, (serial, WeakSet()))
            if newest > serial:
                raise Superseded
            if newest < serial:
                older, tickets = tickets, WeakSet()
            tickets.add(ticket)
            self._newest[key] = serial, tickets
        _end(older)
        return ticket


def _end(tickets) -> None:
    for ticket in list(tickets):
        ticket.end(Superseded)
