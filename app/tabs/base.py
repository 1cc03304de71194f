"""What a tab is to the server: what its half on the page sends, and what it answers."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from app.messages.requests import Message
from app.tabs.models import ModelNews
from app.training.board import Board
from app.training.devices import Devices
from app.training.form import Former
from app.visitors.room import Room, Sender
from app.work.jobs import Job, Pool
from app.work.tickets import Ticket
from edm.base.flat import unflatten
from edm.experiments.experiment import Experiment


@dataclass(frozen=True)
class Event:
    """What the page sends under a name. message: its kind. answer: the kind of the bodies that go back.

    topic: what it is about; a newer request of the same visitor ends an older one about the same.
    """

    message: type[Message]
    answer: object
    topic: str


@dataclass(frozen=True)
class House:
    """What the tabs of one server share. pool: where computations go. board: of the runs. room: who may do what."""

    pool: Pool
    board: Board
    room: Room
    former: Former = field(init=False)
    models: ModelNews = field(init=False)
    devices: Devices = field(init=False)

    def __post_init__(self):
        devices = Devices()
        object.__setattr__(self, "devices", devices)
        object.__setattr__(self, "former", Former(self.board.folder, self.board.runs, devices.room))
        object.__setattr__(self, "models", ModelNews(self.board))


Answers = Callable[[str, Message, Ticket, Sender], Generator[bytes] | AsyncGenerator[bytes]]


class Asked(Protocol):
    """What answers events of the page."""

    events: Mapping[str, Event]

    def serve(self, house: House) -> Answers:
        """(event, message, ticket, who asks) -> the answers, each better than the one before (see
        `app.work.jobs.answer`). What is wrong with a message is found before anything is computed. A plain generator
        is waited for in a thread."""


class Tab(Asked, Protocol):
    """name: in addresses. title: for people. kind: which script of the page shows it. jobs: kinds that it asks for.
    sheets: what on it is explained (`app.instruments.sheets`)."""

    name: str
    title: str
    kind: str
    jobs: tuple[type[Job], ...]
    sheets: tuple[str, ...]

    def boot(self, house: House) -> dict:
        """What its half on the page knows from the start, beside name, title and kind."""


def experiment_of(values) -> Experiment:
    """The Sampler tab's settings, as the page sends them."""
    return Experiment.parse(unflatten(values, Experiment))
