"""Mistakes and defects on the page: a mistake is told as what it is, a defect as a number that the log explains."""

import errno
import logging
import re
from types import SimpleNamespace

import pytest

from app.messages import requests
from app.sentences import faults
from app.tabs import TABS, opening
from app.tabs.base import Event
from app.tabs.wiring import Wiring
from app.visitors.room import Room
from app.work.tickets import Superseded
from edm.base.errors import Refused
from edm.base.fields import SettingsError
from tests.asking import said

NUMBERED = r"Something went wrong here; it is in the server's log as (\d{6})\."


def answers(respond, message, kind=requests.Message):
    """What an event answers whose work is `respond`."""
    tab = SimpleNamespace(events={"odd": Event(kind, None, "odd")}, serve=lambda house: respond)
    return list(said(Wiring([tab], SimpleNamespace(room=Room())), "odd", message))


def raising(error):
    def respond(*_):
        raise error
        yield

    return respond


@pytest.mark.parametrize("error", [Refused("rho = 0: must be more"), SettingsError("rho = 0: must be more", ("rho",))])
def test_a_mistake_is_told_and_leaves_no_trace_in_the_log(error, caplog):
    assert answers(raising(error), {"serial": 7}) == [{"serial": 7, "finished": True, "error": "rho = 0: must be more"}]
    assert not caplog.records


@pytest.mark.parametrize(
    "error", [ValueError("secret"), KeyError("secret"), TypeError("secret"), RuntimeError("secret"), OSError("secret")]
)
def test_a_defect_is_a_number_under_which_the_log_has_its_traceback(error, caplog):
    (answer,) = answers(raising(error), {"serial": 7})
    number = re.match(NUMBERED, answer["error"]).group(1)
    assert "secret" not in answer["error"]
    (record,) = caplog.records
    assert (record.levelno, record.exc_info[1]) == (logging.ERROR, error)
    assert number in record.getMessage()


def test_a_file_that_is_gone_is_named_without_its_folder_and_want_of_memory_with_a_remedy(caplog):
    gone = FileNotFoundError(errno.ENOENT, "No such file or directory", "/home/teacher/secret/a.safetensors")
    assert "(a.safetensors)" in faults.told(gone) and "teacher" not in faults.told(gone)
    assert "fewer samples" in faults.told(RuntimeError("DefaultCPUAllocator: can't allocate memory"))
    assert "fewer samples" in faults.told(MemoryError())
    assert not caplog.records


def test_what_is_wrong_with_a_gpu_is_told_by_name_and_logged(caplog):
    said = faults.told(RuntimeError("CUDA error: uncorrectable ECC error encountered"))
    assert said.startswith("The GPU is broken") and said.endswith(".")
    assert "uncorrectable ECC" in caplog.text, "for whoever looks after the machine"


def test_a_request_that_is_overtaken_says_nothing(caplog):
    assert answers(raising(Superseded()), {"serial": 1}) == []
    assert not caplog.records


@pytest.mark.parametrize(
    ("kind", "message", "named"),
    [
        (requests.Picture, {"serial": 3}, "values is missing"),
        (requests.Picture, {"serial": 3, "values": [1]}, "values = [1]: must be names and values"),
        (requests.Picture, {"serial": 3, "values": {}, "field": {"aspect": "wide"}}, "aspect = 'wide'"),
        (requests.Picture, {"serial": "3", "values": {}}, "serial = "),
        (requests.Picture, {"serial": 1e999, "values": {}}, "serial = inf"),
        (requests.Probe, {"serial": 3, "values": {}, "level": 1}, "position is missing"),
        (requests.Probe, {"serial": 3, "values": {}, "level": 1, "position": ["x", 1]}, "position.0 = 'x'"),
        (requests.Probe, {"serial": 3, "values": {}, "level": 1, "position": [10**400, 1]}, "position.0"),
        (requests.Probe, {"serial": 3, "values": {}, "level": "low", "position": [0, 1]}, "level = 'low'"),
        (requests.Poll, {"serial": 3, "runs": [1]}, "runs = [1]"),
        (requests.Film, {"serial": 3, "run": "a", "images": ["many"]}, "images.0 = 'many'"),
        (requests.Plan, {"serial": 3, "values": {"lr": 1}}, "values.lr = 1"),
        (requests.Act, {"serial": 3}, "do is missing"),
    ],
)
def test_a_message_that_is_not_as_declared_names_the_key_at_fault(kind, message, named, caplog):
    (answer,) = answers(raising(AssertionError), message, kind)
    assert answer["error"].startswith("The request could not be read: ")
    assert named in answer["error"]
    assert answer["serial"] == (3 if message["serial"] == 3 else 0)
    assert not caplog.records


@pytest.mark.parametrize("message", [None, 5, [], "x", {}])
def test_what_is_no_message_gets_a_sentence_too(message):
    (answer,) = answers(raising(AssertionError), message, requests.Picture)
    assert answer["error"].startswith("The request could not be read")


def test_an_action_names_what_it_needs():
    with pytest.raises(Refused, match="values is missing"):
        requests.Act.read({"do": "start"}).need("values")


def test_every_event_of_the_page_declares_its_message():
    events = {name: event for tab in TABS for name, event in tab.events.items()}
    assert all(issubclass(event.message, requests.Message) for event in events.values())
    assert len(events) == sum(len(tab.events) for tab in TABS), "two events of one name"


def test_the_page_opens_though_reading_its_address_has_a_defect(monkeypatch, caplog):
    def broken(query, *check):
        if query:
            raise ValueError("of the program's making")
        return {"values": {}, "notice": None}

    monkeypatch.setattr(opening, "opened_from", broken)
    opened = opening.opened("?steps=9")
    assert re.match(NUMBERED, opened["notice"])
    assert len(caplog.records) == 1
