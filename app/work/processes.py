"""A pool of processes that compute: this one only passes on what they say (see `app.work.office`)."""

from __future__ import annotations

import asyncio
import atexit
import itertools
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from contextlib import suppress

from app.work import forks
from app.work.jobs import Job
from app.work.office import Office
from app.work.orders import Answers, Order
from app.work.slots import CORES
from app.work.tickets import Ended, Ticket


class Processes:
    """A `Pool`. kinds: "module:function" that returns all kinds of jobs, for the processes to import.

    workers: how many processes, where they compute on the CPU; on a GPU it is one. own: as of `app.work.shared.Work`.
    registered: () -> the models that jobs may need and that do not ship (`edm.models.registered`). megabytes: of
    finished answers that are kept. The processes are begun at once, and what is asked meanwhile waits.
    """

    def __init__(
        self,
        kinds: str,
        device: str,
        workers: int = CORES,
        own: bool = True,
        registered: Callable[[], tuple] = tuple,
        megabytes: int = 128,
    ):
        forks.load("app.work.worker", kinds.partition(":")[0])
        self._kept, self._numbers = Answers(megabytes), itertools.count(1)
        self._loop = asyncio.new_event_loop()
        self._office = Office(self._loop, kinds, device, workers, own, registered, self._kept)
        self._thread = threading.Thread(target=self._loop.run_forever, name="office", daemon=True)
        self._thread.start()
        self._loop.call_soon_threadsafe(self._office.fit)
        atexit.register(self.close)  # before multiprocessing ends what is left of them

    @property
    def device(self) -> str:
        self._office.settled.wait()
        return self._office.device

    def move(self, device: str) -> None:
        self._there(self._office.move(device))

    def run(self, job: Job, ticket: Ticket) -> Iterator[bytes]:
        answers = self.answers(job, ticket)

        async def step():
            return await anext(answers, None)

        try:
            while (one := self._there(step())) is not None:
                yield one
        finally:
            self._there(answers.aclose())

    async def answers(self, job: Job, ticket: Ticket) -> AsyncGenerator[bytes, None]:
        text = job.sent()
        kept = self._kept.get(text)
        if kept is not None:
            yield kept
            return
        loop, given, office = asyncio.get_running_loop(), asyncio.Queue(), self._office

        def put(*one):
            with suppress(RuntimeError):  # whoever waited is gone, and their loop with them
                loop.call_soon_threadsafe(given.put_nowait, one)

        def leave(why):
            self._soon(office.leave, order, why)

        order = Order(text, job.sort, ticket.visitor, next(self._numbers), put)
        self._soon(office.take, order)
        watched, over = ticket.watch(leave), False
        try:
            while not over:
                one, error, over = await given.get()
                ticket.check()
                if error is not None:
                    raise error
                if one is not None:
                    yield one
                if not over:
                    self._soon(office.more, order)
        finally:
            watched()
            if not over:
                leave(Ended)

    def close(self) -> None:
        """All that is computed ends, and the processes, too."""
        atexit.unregister(self.close)
        if self._thread.is_alive():
            for process in self._there(self._office.close()):
                process.join()
            self._soon(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def _soon(self, call, *arguments):
        self._loop.call_soon_threadsafe(call, *arguments)

    def _there(self, coroutine: Coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()
