"""Events of the page: one visitor's newest request wins, and errors become sentences."""

from __future__ import annotations

import json
from contextlib import suppress

import gradio as gr

from app.messages.requests import Halt, Message
from app.sentences import faults
from app.tabs.base import Answers, Event, House, Tab
from app.transport import corners
from app.transport.live import Channel
from app.transport.presence import Left
from app.work.tickets import Superseded, Ticket, Tickets
from edm.base.errors import Refused

_PRIVATE = {"api_visibility": "private", "show_progress": "hidden"}
_TOGETHER = {**_PRIVATE, "trigger_mode": "multiple", "concurrency_limit": None}


class Wiring:
    """stage: the live component that sends events. key: a gr.Request -> whose turn it is to compute."""

    def __init__(self, stage, key):
        self.stage, self._key, self._tickets = stage, key, Tickets()

    def connect(self, tab: Tab, house: House) -> None:
        """Wire the tab's events. Answers that the stage does not show are heard by the page under the event's name."""
        answers = tab.serve(house)
        for name, event in tab.events.items():
            output = self.stage if event.shown else Channel(name)
            getattr(self.stage, name)(self._handler(name, event, answers), None, output, **_TOGETHER)

    def _handler(self, name: str, event: Event, answers: Answers):
        def handler(data: gr.EventData, request: gr.Request):
            document = corners.message_of(data)
            try:
                message = event.message.read(document)
                ticket = self._ticket(request, event.topic, message.serial)
                for answer in answers(name, message, ticket, request):
                    yield f'{{"serial": {message.serial}, {answer[1:].decode()}'
            except (Superseded, Left):
                return
            except Exception as error:  # whatever it is, the page must hear
                yield json.dumps({"serial": _serial(document), "finished": True, "error": faults.told(error)})

        return handler

    def _ticket(self, request, topic, serial) -> Ticket:
        asked = corners.running()

        def attended():
            if asked and not asked.alive:
                raise Left

        return self._tickets.take(request.session_hash, topic, serial, self._key(request), attended)

    def halt(self) -> None:
        """The event "halt" {topic, serial} ends what runs there, at its next evaluation."""

        async def stop(data: gr.EventData, request: gr.Request):
            with suppress(Refused, Superseded):  # nobody waits for an answer
                message = Halt.read(corners.message_of(data))
                self._tickets.take(request.session_hash, message.topic, message.serial)

        self.stage.halt(stop, None, None, **_TOGETHER)

    def leave(self, request: gr.Request) -> None:
        """The visitor has left: what still runs for them ends."""
        self._tickets.leave(request.session_hash)


def _serial(document) -> int:
    """The serial of a message that may be of any making, for its answer to find back."""
    with suppress(Refused):
        return Message.read(document).serial
    return 0
