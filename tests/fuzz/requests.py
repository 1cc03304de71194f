"""Requests to the whole application, its computing left out: each is answered, and none is an error in its log."""

from __future__ import annotations

import json
import logging
import tempfile
from functools import cache
from itertools import count
from unittest import mock

import httpx

from app.server import application
from app.visitors.room import Room
from app.work import jobs
from app.work.threads import Threads
from edm.base.errors import Refused
from edm.experiments.experiment import Experiment
from tests import loop
from tests.fuzz.asked import MESSAGES
from tests.fuzz.values import damaged, mutated, names_of, value


@cache
def _server():
    """The application, in a room of its own."""
    with tempfile.TemporaryDirectory() as folder:
        return application("cpu", Room(folder))


class _Log(logging.Handler):
    """A context in which what is logged as an error is kept in `said`."""

    def __init__(self):
        super().__init__(logging.ERROR)
        self.said = []

    def emit(self, record):
        self.said.append(record.getMessage())

    def __enter__(self):
        logging.getLogger().addHandler(self)
        return self

    def __exit__(self, *_):
        logging.getLogger().removeHandler(self)


def _instant(*_):
    yield jobs.answer({})


_SERIALS = count(1)
_KINDS = [
    "application/json",
    "application/json; charset=utf-16",
    "text/plain",
    "multipart/form-data",
    "multipart/form-data; boundary=x",
    "",
]


def requests(dice, folder):
    address = "/gradio_api/" + dice.choice(["queue/join", "call/sample", "run/sample", "cancel"])
    document = {"data": [], "fn_index": dice.randrange(4), "session_hash": "fuzz"}
    if dice.random() < 0.4:
        event = dice.choice([name for name in MESSAGES if name not in ("plan", "act")])
        address, document = f"/explorer-ask/{event}", {"visit": "fuzz", **MESSAGES[event], "serial": next(_SERIALS)}
    elif "sample" in address:
        document = {"data": [mutated(dice, {"model": "spiral"}, names_of(Experiment))]}
    if dice.random() < 0.3:
        address, document = "/explorer-uploads", {"points": dice.choice([[[0, 1]], [[0.5]], value(dice)])}
    document = mutated(dice, document, ["trigger_id", "event_id", "batched", "visit", "serial"])
    body = damaged(dice, json.dumps(document).encode())
    kind = dice.choice(["application/json", dice.choice(_KINDS)])

    app = _server()

    async def send():
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.post(address, content=body, headers={"content-type": kind})

    def attempt():
        with _Log() as log, mock.patch.object(Threads, "run", _instant):
            answer = loop.run(send())
        assert answer.status_code < 500, f"{answer.status_code}: {answer.text:.200}"
        assert not log.said, f"the log says {log.said[0]:.200}"
        if answer.status_code >= 400:
            assert "sentence" in answer.json(), answer.text
            raise Refused(answer.json()["sentence"])

    return (address, kind, body), attempt
