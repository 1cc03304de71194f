"""Equal jobs that are asked for at the same time are computed once: a class comes to a step together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from app.work.jobs import Job, Pool
from app.work.tickets import Ticket


class Together:
    """What a pool answers to jobs of one answer. For one event loop."""

    def __init__(self, pool: Pool):
        self._pool, self._coming = pool, {}

    async def answers(self, job: Job, ticket: Ticket) -> AsyncGenerator[bytes, None]:
        """The answer, in the turn of who asked first; it goes on as long as one of them waits."""
        text = job.sent()
        coming = self._coming.get(text)
        if coming is None or coming.task.done():
            coming = self._coming[text] = _Coming(self._pool, job, ticket.visitor)
        coming.waiting += 1
        left = asyncio.get_running_loop().create_future()

        def end(_):
            if not left.done():
                left.set_result(None)

        stop = ticket.watch(end)
        try:
            await asyncio.wait({coming.task, left}, return_when=asyncio.FIRST_COMPLETED)
            ticket.check()
            yield coming.task.result()
        finally:
            stop()
            left.cancel()
            coming.waiting -= 1
            if not coming.waiting:
                coming.ticket.end()
                if self._coming.get(text) is coming:
                    del self._coming[text]


class _Coming:
    """An answer that is computed. waiting: how many wait for it."""

    def __init__(self, pool, job, visitor):
        self.ticket, self.waiting = Ticket(visitor), 0
        self.task = asyncio.ensure_future(self._last(pool, job))
        self.task.add_done_callback(lambda done: done.cancelled() or done.exception())  # it is told to who waits

    async def _last(self, pool, job) -> bytes:
        async with aclosing(pool.answers(job, self.ticket)) as found:
            return [one async for one in found][-1]
