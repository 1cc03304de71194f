"""One computation, and what may end it or make it wait at each of its evaluations."""

from __future__ import annotations

import time
from collections.abc import Hashable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

from app.work import graphs
from app.work.cores import divided
from app.work.slots import Slots
from app.work.tickets import Ticket
from edm.base.transfers import Home
from edm.sampling.computing import has_network
from edm.sampling.denoisers import Around, pair

PREVIEW_SECONDS = 0.12  # between pictures of an unfinished computation
FIRST = 3 / 4  # of that: until the first of them, for which a hand waits


@dataclass(frozen=True)
class Watch:
    """Wraps the denoisers of one request: before each evaluation its ticket is looked at, and its place may pass on.

    slots: where it takes turns with others; None where it is alone. spell: of what nobody looks at while it is computed
    (see `Slots.turn`).
    """

    ticket: Ticket = field(default_factory=Ticket)
    slots: Slots | None = None
    spell: float | None = None

    @property
    def visitor(self) -> Hashable:
        return self.ticket.visitor

    def check(self) -> None:
        self.ticket.check()
        if self.slots:
            self.slots.breathe()

    def __call__(self, denoiser):
        return _Watched(graphs.drawn(denoiser, self.slots), self.check)

    def turn(self) -> AbstractContextManager[None]:
        """A place to compute in, while this lasts."""
        return self.slots.turn(self.visitor, self.spell) if self.slots else nullcontext()

    @property
    def alone(self) -> bool:
        """Whether nobody else waits for a place now."""
        return self.slots is None or not self.slots.waiting

    @property
    def may_wait(self) -> bool:
        """Whether there are others, and it may wait for them: not with a place, for which these may be waiting."""
        return self.slots is not None and not self.slots.taken

    def paced(self, items: Iterable) -> Iterator[tuple[list, bool]]:
        """(all items so far, is it the end?) whenever it is time for a picture, with their tensors on the CPU: those
        that came since the last are copied at once. Computes in the visitor's turn.

        It is time where the next item, if it takes as long as the last did, would come too late.
        """
        done: list = []
        items, ended, home = iter(items), False, Home()
        while not ended:
            # never wait for the reader of a preview inside a slot: a visitor who leaves would keep it for ever
            with self.turn():
                now, new = time.perf_counter(), []
                due = now + PREVIEW_SECONDS * (1 if done else FIRST)
                while not ended:
                    try:
                        new.append(next(items))
                    except StopIteration:
                        ended = True
                    before, now = now, time.perf_counter()
                    if now + (now - before) > due:
                        break
                done += home(new)
            yield done, ended


class _Watched(Around):
    def __init__(self, inner, check):
        super().__init__(inner)
        self._check = check

    def __call__(self, x, sigma, labels=None):
        self._check()
        return divided(self.inner, x, sigma, labels)

    def pair(self, x, sigma, labels):
        if has_network(self.inner):
            return super().pair(x, sigma, labels)
        self._check()
        return pair(self.inner, x, sigma, labels)
