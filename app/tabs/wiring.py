"""Events of the page: one visitor's newest request wins, and errors become sentences."""

from __future__ import annotations

import json
import logging

import gradio as gr

from app import transport
from app.live import Channel
from app.session import Newest, Superseded
from edm.fields import SettingsError
from edm.flat import unflatten
from edm.settings import Experiment


class Wiring:
    """What the tabs share. stage: the live component that sends events."""

    def __init__(self, stage):
        self.stage, self.newest = stage, Newest()

    def on(self, event: str, lane: str, respond, output=None, personal: bool = False) -> None:
        """respond(message, guard) yields (JSON text, finished?) for each `event`; if `personal`, it is given the
        visitor's gr.Request too.

        A lane is what a newer request of the same visitor overtakes: a new picture ends the measuring of the old.
        The texts go to `output`; without one, to a channel of their own, which the page hears as "edm-<event>".
        """
        getattr(self.stage, event)(
            self._handler(lane, respond, personal),
            None,
            output or Channel(f"edm-{event}"),
            api_visibility="private",
            show_progress="hidden",
            trigger_mode="multiple",
            concurrency_limit=None,
        )

    def _handler(self, lane, respond, personal):
        def handler(event: gr.EventData, request: gr.Request):
            message = transport.message_of(event)
            try:
                serial = int(message["serial"])
                guard = self.newest.guard(request.session_hash, lane, serial)
                for body, finished in respond(message, guard, *([request] if personal else [])):
                    yield f'{{"serial": {serial}, "finished": {json.dumps(finished)}, "body": {body}}}'
            except Superseded:
                return
            except (ValueError, FileNotFoundError) as error:  # the file: of a model that was deleted meanwhile
                yield json.dumps({"serial": message.get("serial", 0), "finished": True, "error": str(error)})
            except (KeyError, TypeError) as error:
                sentence = f"The request could not be read ({error})."
                yield json.dumps({"serial": message.get("serial", 0), "finished": True, "error": sentence})
            except Exception as error:  # out of memory, a model's file that is gone: whatever it is, the page must hear
                logging.getLogger(__name__).exception("a computation failed")
                sentence = f"These settings could not be computed ({error}). Try others."
                yield json.dumps({"serial": message.get("serial", 0), "finished": True, "error": sentence})

        return handler

    def halt(self) -> None:
        """The event "halt" {lane, serial} ends what runs there, at its next evaluation."""

        async def stop(event: gr.EventData, request: gr.Request):
            message = transport.message_of(event)
            if isinstance(message.get("lane"), str) and isinstance(message.get("serial"), int):
                self.newest.guard(request.session_hash, message["lane"][:40], message["serial"])

        self.stage.halt(
            stop, None, None, api_visibility="private", show_progress="hidden", trigger_mode="multiple",
            concurrency_limit=None,
        )  # fmt: skip


def experiment_of(values) -> Experiment:
    """The Sampler tab's settings, as the page sends them."""
    if not isinstance(values, dict):
        raise SettingsError("the settings must be names and values")
    return Experiment.parse(unflatten(values))
