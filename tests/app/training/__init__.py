"""Runs that are over, and what the Train tab answers, for tests."""

import json
import time
from types import SimpleNamespace

from app.tabs.train import Train
from app.work.tickets import Ticket
from edm import runs
from edm.runs import launchers, places
from edm.training.loop import train
from edm.training.recording import record
from tests.edm.runs import points


def finished(folder, name, **changes):
    """A run that has been trained to its end, without a process of its own."""
    settings = points(**changes)
    path = runs.start(settings, folder, "cpu", name)
    places.create(places.request(path, 1, "taken"), {"machine": "gone", "uptime": 0, "time": 0})
    for _ in record(train(settings), path):
        pass
    return path


def asked(tab, event, visitor=None, **message):
    """All that the tab says to an event, (text, is it the end?). visitor: the name that somebody has logged in with."""
    request = SimpleNamespace(username=visitor)
    answers = tab.answers(event, Train.events[event].message.read(message), Ticket(), request)
    found = [json.loads(answer) for answer in answers]
    return [(json.dumps(one["body"]), one["finished"]) for one in found]


def answer(tab, event, visitor=None, **message):
    ((text, ended),) = asked(tab, event, visitor, **message)
    assert ended
    return json.loads(text)


def running(folder, name, device="cpu", **status):
    """A run that seems to train: its worker is this process. status: what it says of itself."""
    path = runs.start(points(), folder, "cpu", name)
    asked = places.request(path, 1, "start")
    asked.write_text(json.dumps(json.loads(asked.read_text()) | {"device": device}))
    own = launchers.LAUNCHERS[launchers.LOCAL].own()
    places.create(places.request(path, 1, "taken"), launchers.claim())
    told = {"state": "running", "number": 1, "process": own, "total": 640, "heartbeat": time.time(), **status}
    places.write(path / "status.json", told)
    return path
