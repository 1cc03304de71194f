"""What is sent to Gradio is looked at first."""

import json

import httpx
import pytest

from app.sentences.denials import Denied
from app.transport import bodies

EVENTS = bodies.Events(
    [
        {"id": 0, "targets": [[1, "load"]], "inputs": [], "api_name": "opened", "api_visibility": "private"},
        {"id": 1, "targets": [[None, "sample"]], "inputs": [7], "api_name": "sample", "api_visibility": "public"},
        {"id": 2, "targets": [[1, "unload"]], "inputs": [], "api_name": "left", "api_visibility": "private"},
    ]
)


JOIN = {"data": [], "fn_index": 0, "session_hash": "s"}


def test_what_gradio_reads_is_what_was_looked_at():
    assert EVENTS.names == {"sample"}
    raw = b'{"fn_index": 2, "data": [], "session_hash": "s", "batched": true, "fn_index": 0, "event_id": "x"}'
    assert json.loads(EVENTS.checked("join", raw)) == JOIN
    wide = json.dumps(JOIN | {"event_data": {"title": "σ"}}).encode("utf-16")
    assert json.loads(EVENTS.checked("join", wide)) == JOIN | {"event_data": {"title": "σ"}}
    named = json.dumps({"data": [{"model": "photos.zip", "data": {"a": "[1, {"}}], "fn_index": 0}).encode()
    assert json.loads(EVENTS.checked("call", named, "sample")) == {
        "data": [{"model": "photos.zip", "data": {"a": "[1, {"}}]
    }


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
        (b"[]", "JSON object"),
        (b"[" * 100_000, "nested more than 40"),
        (b'{"data": ' + b"[" * 41 + b"]" * 41 + b"}", "nested more than 40"),
        (json.dumps(JOIN | {"event_data": "[" * 100_000}).encode(), "nested more than 40"),
        (b'{"data": [' + b"9" * 5000 + b"]}", "not JSON"),
        (json.dumps(JOIN | {"event_data": "\ud800"}).encode(), "half of a character"),
        (json.dumps(JOIN | {"fn_index": 2}).encode(), "fn_index = 2: there is no such event"),
        (json.dumps(JOIN | {"fn_index": True}).encode(), "fn_index = True"),
        (json.dumps(JOIN | {"fn_index": "0"}).encode(), "fn_index = '0'"),
        (json.dumps(JOIN | {"fn_index": -1}).encode(), "fn_index = -1"),
        (json.dumps(JOIN | {"data": [1]}).encode(), "a list of length 0"),
        (json.dumps(JOIN | {"data": {}}).encode(), "a list of length 0"),
        (json.dumps(JOIN | {"session_hash": "../x"}).encode(), "session_hash = '../x'"),
        (json.dumps(JOIN | {"session_hash": 5}).encode(), "session_hash = 5"),
        (json.dumps(JOIN | {"trigger_id": "x"}).encode(), "trigger_id = 'x'"),
        (json.dumps({"data": [], "fn_index": 0}).encode(), "session_hash is missing"),
    ],
)  # fmt: skip
def test_a_malformed_body_gets_a_sentence(raw, words):
    with pytest.raises(Denied, match=words) as denied:
        EVENTS.checked("join", raw)
    assert denied.value.status in (400, 404) and len(str(denied.value)) < 200


def test_a_body_that_is_too_large_is_not_read(own, monkeypatch):
    monkeypatch.setattr("app.transport.whole.READING", 0.5)  # seconds for which the rest of it is let fall

    def endless():
        while True:
            yield b" " * 100_000

    with httpx.Client(base_url=own[1], timeout=10) as client:
        assert client.post("/gradio_api/queue/join", content=b" " * (bodies.MOST_BYTES + 1)).status_code == 413
        answer = client.post("/gradio_api/queue/join", content=endless())
        assert answer.status_code == 413 and "larger than 1 MB" in answer.json()["sentence"]
