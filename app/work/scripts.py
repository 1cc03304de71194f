"""What scripts ask for (`/sample`): in turn with all others, a few at once, within bounds, while they wait for it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from functools import partial

from app.transport.presence import Left, attended, present
from app.work.jobs import Pool, body_from
from app.work.numbers import Numbers
from app.work.tickets import Ticket
from edm.base import documents
from edm.base.errors import Refused, shown
from edm.base.flat import unflatten
from edm.experiments.experiment import Experiment

AT_ONCE = 2  # of one visitor
MOST_WAITING = 30  # of one visitor, beside those
PAUSE = 0.05  # seconds between two looks for a place


class Scripts:
    """Answers scripts. key: a gr.Request -> who has sent it."""

    def __init__(self, pool: Pool, key: Callable):
        self._pool, self._key = pool, key
        self._running, self._waiting = Counter(), Counter()

    async def sample(self, settings: dict, request) -> dict:
        """The samples of an experiment document, and their measures (see `Numbers`).

        Raises Refused for what cannot be or would take too long, and Left once nobody waits for it.
        """
        job = Numbers(experiment=asked(settings))
        visitor = self._key(request)
        if self._waiting[visitor] >= MOST_WAITING:
            raise Refused(f"{MOST_WAITING} requests of yours are waiting already; send the next when some are over")
        ticket = Ticket(visitor)
        task = asyncio.ensure_future(self._placed(job, ticket))
        return await attended(task, present(request), partial(ticket.end, Left))

    async def _placed(self, job, ticket):
        visitor = ticket.visitor
        self._waiting[visitor] += 1
        try:
            while self._running[visitor] >= AT_ONCE:
                await asyncio.sleep(PAUSE)
                ticket.check()
        finally:
            self._waiting -= Counter([visitor])  # which forgets who has none
        self._running[visitor] += 1
        try:
            return await body_from(self._pool.answers(job, ticket))
        finally:
            self._running -= Counter([visitor])


def asked(settings) -> Experiment:
    """The settings that a script sends: fields by their names, in their groups, or both. Raises Refused."""
    if not isinstance(settings, dict):
        raise Refused(f'settings are names and values, like {{"model": "spiral", "steps": 10}}, not {shown(settings)}')
    return Experiment.parse(unflatten(documents.plain(settings, "the request"), Experiment))
