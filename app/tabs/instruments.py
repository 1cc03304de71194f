"""A tab made of instruments: each request goes to one of them, and its bodies go back as they come."""

from __future__ import annotations

import json

from app import snippets
from app.instruments import INSTRUMENTS, Context
from app.messages import Figure
from app.tabs.wiring import Wiring, experiment_of
from app.work import Work
from edm.base.flat import unflatten


def build(wiring: Wiring, work: Work) -> None:
    """Wire the events of all instruments."""
    for instrument in INSTRUMENTS.values():
        wiring.on(instrument.name, instrument.name, Figure, _responder(instrument, work))


def _responder(instrument, work):
    def respond(message, guard):
        settings = instrument.settings.parse(unflatten(message.values, instrument.settings))
        context = Context(work, guard, experiment_of(message.yours or {}))
        for body, finished in instrument.respond(settings, context):
            if isinstance(body, dict) and body.get("python"):
                body = {**body, "python": snippets.complete(body["python"], work.own)}
            yield body if isinstance(body, str) else json.dumps(body), finished

    return respond
