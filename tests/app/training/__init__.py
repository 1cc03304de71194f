"""Runs that are over, and what the Train tab answers, for tests."""

import json

from app.tabs.train import EVENTS
from edm import runs
from edm.runs import places
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


def asked(tab, event, **message):
    """All that the tab says to an event, (text, is it the end?)."""
    return list(getattr(tab, event)(EVENTS[event].of(message), None, None))


def answer(tab, event, **message):
    ((text, ended),) = asked(tab, event, **message)
    assert ended
    return json.loads(text)
