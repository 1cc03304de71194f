"""A computation as a document, and whoever computes it.

A job holds all that it needs to know as plain data, so that it can be sent to another process; what is shared between
jobs (`Work`), and what may end one (`Watch`), belong to whoever computes.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import AsyncGenerator, Hashable, Iterator, Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING, ClassVar, Protocol

from app.figures import written
from app.work.tickets import Ticket
from edm.base.errors import Refused, shown
from edm.base.fields import Settings

if TYPE_CHECKING:  # whoever passes jobs on needs no torch
    import torch

    from app.work.shared import Work
    from app.work.watch import Watch


class Job(Settings):
    """One kind of computation; its fields are the parameters. Made from a request, it has been validated."""

    kind: ClassVar[str]

    @abstractmethod
    def compute(self, work: Work, watch: Watch) -> Iterator[tuple[dict | str, bool]]:
        """(body, is it the last?): each body, as data or as JSON text, is better than the one before."""

    @property
    def sort(self) -> Hashable:
        """What it has in common with jobs that take about as long."""
        experiment = getattr(self, "experiment", None)
        return self.kind, getattr(self, "instrument", None), experiment and experiment.model

    def files(self) -> dict[str, str | None] | None:
        """The files on which its last answer depends, with their stamps (`edm.base.atomic.stamp`): it may be kept as
        long as they are the same. None: it is not to be kept."""
        return None

    def sent(self) -> str:
        """As JSON text, for `received`."""
        return json.dumps({"kind": self.kind, **self.document()})


def received(text: str | bytes, kinds: Mapping[str, type[Job]]) -> Job:
    """The job that was sent. Raises Refused for what is none."""
    document = json.loads(text)
    kind = document.pop("kind", None)
    if kind not in kinds:
        raise Refused(f"kind = {shown(kind, 40)}: there is no such job, but {', '.join(kinds)}")
    return kinds[kind].parse(document)


def answer(body: dict | str | None, last: bool = True) -> bytes:
    """A message to the page, but for the number of the request: {"finished", "body"}."""
    text = body if isinstance(body, str) else written.text(body)
    return f'{{"finished": {json.dumps(last)}, "body": {text}}}'.encode()


def body_of(answers: Iterator[bytes]):
    """The body of the last answer, as data."""
    *_, whole = answers
    return json.loads(whole)["body"]


async def body_from(answers: AsyncGenerator[bytes, None]):
    """The same of answers that are waited for."""
    async with aclosing(answers):
        async for one in answers:
            whole = one
    return json.loads(whole)["body"]


def name_of(device: torch.device | str) -> str:
    """ "cpu", "cuda:0", …: the name of a device, which has a number where there may be several."""
    import torch

    device = torch.device(device)
    return device.type if device.type == "cpu" else f"{device.type}:{device.index or 0}"


class Pool(Protocol):
    """Where jobs are computed."""

    @property
    def device(self) -> str:
        """The name of the device on which it computes."""
        ...

    def move(self, device: str) -> None:
        """Compute on another device, from the next job on. Raises Refused for one that is not there."""

    def run(self, job: Job, ticket: Ticket) -> Iterator[bytes]:
        """The job's answers (see `answer`), as they come.

        Computed in the turn of the ticket's visitor. What the ticket ends with is raised here, at the job's next
        evaluation, and ends it; so does closing the iterator.
        """
        ...

    def answers(self, job: Job, ticket: Ticket) -> AsyncGenerator[bytes, None]:
        """The same, for who must not wait. To be closed (`contextlib.aclosing`), which ends the job, too."""
        ...
