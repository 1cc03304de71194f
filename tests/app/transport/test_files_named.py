"""No request can name a file of the server: there are two locks, and each is enough."""

import json
import re

import httpx
import pytest

from app.visitors.room import Room
from tests import loop
from tests.app.serving import gradio_in, serving

SECRET = "the teacher's password is beside the board"


@pytest.fixture(scope="module")
def secret(tmp_path_factory):
    path = tmp_path_factory.mktemp("secret") / "environ"
    path.write_text(SECRET)
    return path


def reference(path):
    return {"path": str(path), "meta": {"_type": "gradio.FileData"}}


SHAPES = {
    "plain": lambda one: one,
    "deep": lambda one: {"sampling": {"a": [[{"b": one}]]}},
    "with more": lambda one: {**one, "orig_name": "x", "url": "http://127.0.0.1/x", "size": 3, "mime_type": "a/b"},
    "text": json.dumps,
    "text in a text": lambda one: [json.dumps({"a": json.dumps([one])})],
    "only an address": lambda one: {"path": "http://127.0.0.1:1/x", "url": "http://127.0.0.1:1/x"},
    "only a path": lambda one: {"path": one["path"]},
    "a path that cannot be": lambda one: {"serial": 1, "values": {"path": "\0"}},
    "other type": lambda one: {**one, "meta": {"_type": "gradio.Other"}},
}


def attempts(one, numbers):
    """(path, body) of every way in which a visitor can hand something to Gradio."""
    for name in ("sample", "predict", "opened", "0"):
        for way in ("run", "api", "call", "call/v2"):
            yield f"/gradio_api/{way}/{name}", {"data": [one], "session_hash": "s"}
            yield (
                f"/gradio_api/{way}/{name}",
                {"data": [], "session_hash": "s", "fn_index": numbers[0], "event_data": one},
            )
    yield "/gradio_api/call/v2/sample", {"settings": one}
    for number in numbers:
        body = {"session_hash": "s", "fn_index": number}
        yield "/gradio_api/queue/join", body | {"data": [one]}
        yield "/gradio_api/queue/join", body | {"data": [], "event_data": one}
        yield "/gradio_api/queue/join", body | {"data": [], "trigger_id": one}
        yield "/gradio_api/queue/join", body | {"data": [], "session_state": {"a": one}}
    for event in ("ask", "open"):
        yield f"/explorer-ask/{event}", {"visit": "s", "serial": 1, "values": one}
        yield f"/explorer-ask/{event}", {"visit": "s", "serial": 1, "values": {}, "more": [one]}
    yield "/gradio_api/component_server", {"session_hash": "s", "component_id": 1, "fn_name": "x", "data": one}


def copies(folder):
    return [path for path in folder.rglob("*") if path.is_file() and SECRET in path.read_text(errors="replace")]


def still(text):
    """Without addresses in memory, that Gradio 6.24 shows."""
    return re.sub("0x[0-9a-f]+", "", text)


@pytest.mark.parametrize("shape", SHAPES)
def test_no_request_can_name_a_file(visitor, shape, secret, cache):
    numbers = [one["id"] for one in visitor.get("/config").json()["dependencies"]]
    one = SHAPES[shape](reference(secret))
    for path, body in attempts(one, numbers):
        answer = visitor.post(path, json=body)
        if "session_state" not in body:  # what is not known is not passed on
            assert answer.status_code in (400, 403, 404), (path, body, answer.text)
            assert answer.json()["sentence"]
    for path in (f"file={secret}", f"file/{secret}", f"proxy=http://127.0.0.1{secret}", "deep_link?session_hash=s"):
        assert visitor.get(f"/gradio_api/{path}").status_code == 404
    assert visitor.post("/gradio_api/upload", files={"files": b"x"}).status_code == 404
    for path in ("/", "/config"):
        linked, plain = visitor.get(path, params={"deep_link": "x", "all_endpoints": "1"}), visitor.get(path)
        assert linked.status_code == 200 and still(linked.text) == still(plain.text)
    assert not copies(cache)


def sent_to(app, one):
    """What a Gradio that is asked directly answers."""

    async def ask():
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
            return await client.post("/gradio_api/run/sample", json={"data": [one], "session_hash": "s"})

    return loop.run(ask())


def test_each_lock_is_enough_alone(cache, secret, tmp_path, capfd):
    with serving(Room(tmp_path)) as (app, address):
        inner, blocks = gradio_in(app), gradio_in(app).get_blocks()
        assert blocks.has_launched
        assert sent_to(inner, reference(secret)).status_code == 500 and not copies(cache)
        blocks.has_launched = False
        answer = httpx.post(f"{address}/gradio_api/run/sample", json={"data": [reference(secret)]})
        assert answer.status_code == 403 and not copies(cache)
        sent_to(inner, reference(secret))  # with neither, the attack succeeds
        (copied,) = copies(cache)
        assert httpx.get(f"{address}/gradio_api/file={copied}").status_code == 404
        copied.unlink()
    capfd.readouterr()
