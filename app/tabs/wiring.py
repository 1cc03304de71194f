"""Events of the page: one visitor's newest request wins, and errors become sentences."""

from __future__ import annotations

import json
from contextlib import suppress

import gradio as gr

from app import faults, transport
from app.live import Channel
from app.messages import Halt, Message
from app.presence import Left
from app.session import Guard, Newest, Superseded
from app.slots import Slots
from edm.errors import Refused
from edm.flat import unflatten
from edm.settings import Experiment


class Wiring:
    """What the tabs share. stage: the live component that sends events. slots: in which requests take turns. key: a
    gr.Request -> whose turn it is."""

    def __init__(self, stage, slots: Slots, key):
        self.stage, self.newest, self._slots, self._key = stage, Newest(), slots, key

    def on(self, event: str, lane: str, kind: type[Message], respond, output=None, personal: bool = False) -> None:
        """respond(message, guard) yields (JSON text, finished?) for each `event`; if `personal`, it is given the
        visitor's gr.Request too. kind: of the message.

        A lane is what a newer request of the same visitor overtakes: a new picture ends the measuring of the old.
        The texts go to `output`; without one, to a channel of their own, which the page hears under the event's name.
        """
        getattr(self.stage, event)(
            self._handler(lane, kind, respond, personal),
            None,
            output or Channel(event),
            api_visibility="private",
            show_progress="hidden",
            trigger_mode="multiple",
            concurrency_limit=None,
        )

    def _handler(self, lane, kind, respond, personal):
        def handler(event: gr.EventData, request: gr.Request):
            document = transport.message_of(event)
            try:
                message = kind.of(document)
                guard = self._guard(request, lane, message.serial)
                for body, finished in respond(message, guard, *([request] if personal else [])):
                    yield f'{{"serial": {message.serial}, "finished": {json.dumps(finished)}, "body": {body}}}'
            except (Superseded, Left):
                return
            except Exception as error:  # whatever it is, the page must hear
                yield json.dumps({"serial": _serial(document), "finished": True, "error": faults.told(error)})

        return handler

    def _guard(self, request, lane, serial) -> Guard:
        newest, asked = self.newest.guard(request.session_hash, lane, serial), transport.running()

        def attended():
            if asked and not asked.alive:
                raise Left

        return Guard((*newest.checks, attended, self._slots.breathe), self._key(request))

    def halt(self) -> None:
        """The event "halt" {lane, serial} ends what runs there, at its next evaluation."""

        async def stop(event: gr.EventData, request: gr.Request):
            with suppress(Refused, Superseded):  # nobody waits for an answer
                message = Halt.of(transport.message_of(event))
                self.newest.guard(request.session_hash, message.lane, message.serial)

        self.stage.halt(
            stop, None, None, api_visibility="private", show_progress="hidden", trigger_mode="multiple",
            concurrency_limit=None,
        )  # fmt: skip


def _serial(document) -> int:
    """The serial of a message that may be of any making, for its answer to find back."""
    with suppress(Refused):
        return Message.of(document).serial
    return 0


def experiment_of(values) -> Experiment:
    """The Sampler tab's settings, as the page sends them."""
    return Experiment.parse(unflatten(values))
