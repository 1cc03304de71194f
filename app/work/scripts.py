"""What scripts ask for (`/sample`): in turn with all others, a few at once, within bounds, while they wait for it."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from app.transport.presence import Left, attended, present
from app.work.jobs import Pool, body_of
from app.work.numbers import Numbers
from app.work.tickets import Ticket
from edm.base import documents
from edm.base.errors import Refused, shown
from edm.base.flat import unflatten
from edm.experiments.experiment import Experiment

AT_ONCE = 2  # of one visitor
MOST_WAITING = 30  # of one visitor, beside those
THREADS = 64
PAUSE = 0.05  # seconds between two looks for a place


class Scripts:
    """Answers scripts. key: a gr.Request -> who has sent it."""

    def __init__(self, pool: Pool, key: Callable):
        self._pool, self._key = pool, key
        self._running, self._waiting = Counter(), Counter()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="scripts")

    async def sample(self, settings: dict, request) -> dict:
        """The samples of an experiment document, and their measures (see `Numbers`).

        Raises Refused for what cannot be or would take too long, and Left once nobody waits for it.
        """
        job = Numbers(experiment=asked(settings))
        visitor, gone = self._key(request), threading.Event()
        if self._waiting[visitor] >= MOST_WAITING:
            raise Refused(f"{MOST_WAITING} requests of yours are waiting already; send the next when some are over")

        def leave():
            if gone.is_set():
                raise Left("nobody waits for this")

        def numbers():
            return body_of(self._pool.run(job, Ticket(visitor, (leave,))))

        task = asyncio.ensure_future(self._placed(visitor, leave, numbers))
        return await attended(task, present(request), gone)

    async def _placed(self, visitor, leave, compute):
        self._waiting[visitor] += 1
        try:
            while self._running[visitor] >= AT_ONCE:
                await asyncio.sleep(PAUSE)
                leave()
        finally:
            self._waiting -= Counter([visitor])  # which forgets who has none
        self._running[visitor] += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, compute)
        finally:
            self._running -= Counter([visitor])


def asked(settings) -> Experiment:
    """The settings that a script sends: fields by their names, in their groups, or both. Raises Refused."""
    if not isinstance(settings, dict):
        raise Refused(f'settings are names and values, like {{"model": "spiral", "steps": 10}}, not {shown(settings)}')
    return Experiment.parse(unflatten(documents.plain(settings, "the request"), Experiment))
