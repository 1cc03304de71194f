"""Rooms and who is in them, for tests."""

import json
import uuid
from types import SimpleNamespace

from app.visitors.room import Room
from edm.runs import Run
from tests import loop
from tests.app.conftest import CLASS, TEACHER


def opened(tmp_path, **options):
    return Room(tmp_path, local=False, password=CLASS, classroom=True, teacher_password=TEACHER, **options)


def enters(room, name, password=CLASS):
    return loop.run(room.entrance.login(name, password))


def visitor(room, name):
    return room.visitor(SimpleNamespace(username=name))


def inside(room, name, password=CLASS):
    assert enters(room, name, password)
    return visitor(room, name)


def run_of(owner, state="running", name="r", **more):
    return Run(name, None, state, owner=owner, **more)


def act(classroom, client, event, **payload):
    """Send an event of the page as a browser does; the answer's (body, error)."""
    config = client.get("/config").json()
    number = next(d["id"] for d in config["dependencies"] if any(t[1] == event for t in d["targets"]))
    session = uuid.uuid4().hex
    body = {"data": [], "fn_index": number, "session_hash": session, "event_data": {"serial": 1, **payload}}
    asked = client.post("/gradio_api/queue/join", json=body)
    assert asked.status_code == 200, asked.text
    found = None
    with client.stream("GET", "/gradio_api/queue/data", params={"session_hash": session}) as stream:
        for line in stream.iter_lines():
            news = json.loads(line.removeprefix("data:")) if line.startswith("data:") else {}
            if news.get("msg") in ("process_generating", "process_completed"):
                found = _answer(news["output"].get("data")) or found
            if news.get("msg") == "process_completed":
                break
    return found.get("body"), found.get("error")


def _answer(data):
    """The message in an output, which Gradio may send as a difference to the last."""
    text = data[0] if data else None
    while isinstance(text, list) and text:
        text = text[-1]
    return json.loads(text) if isinstance(text, str) and text.startswith("{") else None
