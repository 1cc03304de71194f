"""What the page asks, over real HTTP: who closes a request ends its computing, and every body gets an answer."""

import http.client
import json
import socket
import threading
import time
from typing import ClassVar

import httpx
import pytest

from app.messages.requests import Message
from app.tabs import TABS
from app.tabs.base import Event
from app.transport import bodies
from app.visitors.room import Room
from app.work.jobs import answer
from tests.app.serving import serving
from tests.asking import Visitor


class Going:
    """A tab whose one event goes on until it is ended."""

    name, title, kind, jobs = "going", "Going", "going", ()
    events: ClassVar = {"go": Event(Message, None, "go")}

    def __init__(self):
        self.steps, self.over = 0, threading.Event()

    def boot(self, house):
        return {}

    def serve(self, house):
        def answers(event, message, ticket, sender):
            try:
                while True:
                    time.sleep(0.005)
                    self.steps += 1
                    ticket.check()
                    yield answer({"steps": self.steps}, False)
            finally:
                self.over.set()

        return answers


@pytest.fixture(scope="module")
def going():
    TABS.append(Going())
    yield TABS[-1]
    TABS.pop()


@pytest.fixture(scope="module")
def address(going, tmp_path_factory):
    with serving(Room(tmp_path_factory.mktemp("runs"))) as (_, address):
        yield address


@pytest.fixture
def visitor(address, going):
    going.over.clear()
    return Visitor(address)


def test_answers_come_as_they_are_computed_and_who_closes_the_request_ends_the_computing(visitor, going):
    with visitor.said("go") as answers:
        first, second = next(answers), next(answers)
        assert second["body"]["steps"] > first["body"]["steps"] and not going.over.is_set()
    assert going.over.wait(5)
    steps = going.steps
    time.sleep(0.05)
    assert going.steps == steps


def test_a_newer_request_ends_the_older_one_whose_connection_stays(visitor, going):
    with visitor.said("go") as older:
        next(older)
        with visitor.said("go") as newer:
            assert next(newer)["serial"] == 2
            assert not any(one["finished"] for one in older), "it ends without a word, and whole"


def test_an_answer_is_for_nobody_else_and_is_not_kept_on_the_way(visitor):
    client = httpx.Client(base_url=visitor.address)
    told = client.post("/explorer-ask/open", json={"visit": "a", "query": "?steps=9"})
    assert json.loads(told.text)["body"]["values"]["sampling"]["steps"] == 9
    assert told.text.count("\n") == 1 and told.text.endswith("\n")
    kept = ("content-type", "cache-control", "x-accel-buffering", "x-content-type-options")
    assert [told.headers[name] for name in kept] == ["application/x-ndjson", "no-store", "no", "nosniff"]
    assert "content-encoding" not in told.headers


ASK = {"visit": "v", "serial": 1, "values": {}}
ODD = [
    (b"", 400, "not JSON"),
    (b"{", 400, "not JSON"),
    (b"\xff\xfe\x00", 400, "not JSON"),
    (b"[]", 400, "JSON object"),
    (b'"x"', 400, "JSON object"),
    (b"[" * 100_000, 400, "nested more than 40"),
    (json.dumps(ASK | {"values": {"a": "[" * 100_000}}).encode(), 400, "nested more than 40"),
    (json.dumps(ASK | {"values": {"a": {"path": "/etc/passwd"}}}).encode(), 403, "cannot be named"),
    (b'{"serial": ' + b"9" * 5000 + b"}", 400, "not JSON"),
    (b" " * (bodies.MOST_BYTES + 1), 413, "larger than 1 MB"),
    (b'{"serial": 1, "values": {}}', 400, "visit = None"),
    (json.dumps(ASK | {"visit": "../x"}).encode(), 400, "visit = '../x'"),
    (json.dumps(ASK | {"visit": 5}).encode(), 400, "visit = 5"),
    (json.dumps(ASK | {"visit": "x" * 65}).encode(), 400, "up to 64"),
]


@pytest.mark.parametrize(("body", "status", "words"), ODD, ids=lambda one: str(one)[:30])
def test_a_body_that_cannot_be_is_refused_with_a_sentence(address, body, status, words, caplog):
    told = httpx.post(f"{address}/explorer-ask/ask", content=body)
    assert told.status_code == status and words in told.json()["sentence"]
    assert not caplog.records


def test_what_an_event_refuses_is_an_answer(address):
    for message, words in (
        ({"values": 5}, "values = 5"),
        ({"serial": "x"}, "serial = "),
        ({"values": {"rho": "0"}}, "rho = 0"),
        ({"values": {"model": "\ud800"}}, "model = "),
    ):
        told = httpx.post(f"{address}/explorer-ask/ask", content=json.dumps(ASK | message).encode())
        assert told.status_code == 200
        (line,) = map(json.loads, told.text.splitlines())
        assert line["finished"] and words in line["error"]


def test_other_encodings_of_json_are_read(address):
    wide = json.dumps({"visit": "v", "query": "?rho=3"}).encode("utf-16")
    told = httpx.post(f"{address}/explorer-ask/open", content=wide)
    assert json.loads(told.text)["body"]["values"]["sampling"]["rho"] == 3


def test_nothing_answers_but_known_events_asked_by_post(address):
    with httpx.Client(base_url=address) as client:
        for event in ("halt", "sample", "no-such", "load"):
            told = client.post(f"/explorer-ask/{event}", json=ASK)
            assert told.status_code == 404 and told.json()["sentence"]
        for more in ("", "/", "/ask/x", "/a.b", "/ask/", "/ask%0a"):
            assert client.post(f"/explorer-ask{more}", json=ASK).status_code == 404
        for method in ("GET", "HEAD", "OPTIONS", "PUT", "DELETE"):
            assert client.request(method, "/explorer-ask/ask").status_code == 404


@pytest.mark.parametrize("kind", ["application/json", "text/plain", ""])
def test_other_web_pages_cannot_ask(address, kind):
    for headers in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Host": "evil.example"}):
        told = httpx.post(f"{address}/explorer-ask/ask", json=ASK, headers={"Content-Type": kind, **headers})
        assert told.status_code == 403 and told.json()["sentence"]


def test_who_says_half_a_request_and_leaves_is_no_defect(address, caplog):
    place = httpx.URL(address)
    for said in (b'{"visit": "v"', b""):
        with socket.create_connection((place.host, place.port), timeout=5) as line:
            line.sendall(b"POST /explorer-ask/ask HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900\r\n\r\n" + said)
    line = http.client.HTTPConnection(place.host, place.port, timeout=5)
    line.request("POST", "/explorer-ask/ask", json.dumps(ASK))
    assert line.getresponse().read().endswith(b"}\n")
    assert not caplog.records
