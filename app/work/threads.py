"""A pool in this process."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing

from app.work.beside import beside
from app.work.jobs import Job, answer, name_of
from app.work.shared import Work
from app.work.tickets import Ticket
from app.work.watch import Watch
from edm.base import devices


class Threads:
    """A `Pool`: a job is computed in the thread of whoever asks for its answers, or in one of ours."""

    def __init__(self, work: Work):
        self.work = work

    @property
    def device(self) -> str:
        return name_of(self.work.device)

    def move(self, device: str) -> None:
        self.work.move(devices.device(device))

    def run(self, job: Job, ticket: Ticket) -> Generator[bytes]:
        for body, last in job.compute(self.work.now(), Watch(ticket, self.work.slots)):
            yield answer(body, last)

    async def answers(self, job: Job, ticket: Ticket) -> AsyncGenerator[bytes, None]:
        inner = Ticket(ticket.visitor, (ticket.check,))
        try:
            async with aclosing(beside(self.run(job, inner))) as found:
                async for one in found:
                    yield one
        finally:
            inner.end()
