"""What of the server answers, to whom, and that no file can be named."""

import http.client
import json
import re
import socket
from contextlib import closing
from urllib.parse import urlsplit

import gradio as gr
import httpx
import pytest
from gradio_client import Client

from app.sentences.denials import Denied
from app.transport import bodies, corners
from app.transport.addresses import ADDRESSES, address_of
from app.transport.gate import Gate
from app.visitors.room import Room
from tests import loop
from tests.app.serving import gradio_in, mounted, serving

SECRET = "the teacher's password is beside the board"


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """Where Gradio would copy files to."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("cache")
        patch.setenv("GRADIO_TEMP_DIR", str(folder))
        yield folder


@pytest.fixture(scope="module")
def secret(tmp_path_factory):
    path = tmp_path_factory.mktemp("secret") / "environ"
    path.write_text(SECRET)
    return path


@pytest.fixture(scope="module")
def own(cache, tmp_path_factory):
    with serving(Room(tmp_path_factory.mktemp("own"))) as served:
        yield served


@pytest.fixture(scope="module")
def asking(cache, tmp_path_factory):
    with serving(Room(tmp_path_factory.mktemp("asking"), password="open sesame")) as served:
        yield served


def inside(address, name="edm", password="open sesame"):
    client = httpx.Client(base_url=address, timeout=30)
    assert client.post("/login", data={"username": name, "password": password}).status_code == 200
    return client


@pytest.fixture(params=["own", "with a password", "student"])
def visitor(request):
    """Somebody who has come in, in each kind of room."""
    if request.param == "own":
        client = httpx.Client(base_url=request.getfixturevalue("own")[1], timeout=30)
    elif request.param == "student":
        client = request.getfixturevalue("classroom").login("Mallory")
    else:
        client = inside(request.getfixturevalue("asking")[1])
    with closing(client):
        yield client


def filled(path):
    """An address of a template."""
    return re.sub(r"{[^}]*}", "x", path)


def spellings(path):
    yield from (path, path + "/", "/" + path, path.replace("/", "//"), path.upper(), path.replace("e", "%65", 1))
    yield from (
        path.replace("/", "%2f").replace("%2f", "/", 1),
        "/x/.." + path,
        "/." + path,
        path + "%00",
        path + ";x",
        path + "%0a",
    )


def asked(client, method, path):
    """The status of the answer to exactly this path, however it is spelled."""
    place = client.base_url
    line = http.client.HTTPConnection(place.host, place.port, timeout=10)
    try:
        line.request(method, path)
        return line.getresponse().status
    finally:
        line.close()


def test_nothing_answers_that_is_not_in_the_table(own):
    app, address = own
    with httpx.Client(base_url=address, timeout=10) as client:
        addresses = [(method, filled(path)) for methods, path in mounted(app) for method in sorted(methods)]
        assert len(addresses) > 60 and ("GET", "/gradio_api/file=x") in addresses
        for method, path in addresses:
            if address_of(method, path) is None:
                assert asked(client, method, path) == 404, (method, path)
        for method in ("GET", "POST"):
            for path in ("/gradio_api/file=/etc/hostname", "/gradio_api/file/etc/hostname", "/gradio_api/deep_link"):
                for spelling in spellings(path):
                    assert asked(client, method, spelling) == 404, (method, spelling)
        for method in ("OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "HEAD", "FIND"):
            for path in ("/config", "/gradio_api/queue/join", "/gradio_api/upload", "/gradio_api/file=/etc/hostname"):
                assert asked(client, method, path) == 404, (method, path)


def test_every_address_of_the_table_is_one_that_is_mounted(own):
    """No pattern is so wide that it opens a second one."""
    there = {(method, path) for methods, path in mounted(own[0]) for method in methods}
    opened: dict = {}
    for method, path in there:
        for shape in (filled(path), path.replace("{path:path}", "js/iframeResizer.contentWindow.min.js")):
            for named in (shape, shape.replace("/x", "/plotly.min.js")):
                if found := address_of(method, named):
                    opened.setdefault((found[0].path, method), set()).add(path)
    ours = {(address.path, method) for address in ADDRESSES for method in address.methods.split()}
    assert set(opened) == ours
    wide = {key: paths for key, paths in opened.items() if len(paths) > 1}
    assert all(paths == {"/gradio_api/call/{api_name}/{event_id}", "/gradio_api/call/v2/{api_name}"} for paths in wide)


def test_without_logging_in_only_the_log_in_page_answers(asking):
    app, address = asking
    with httpx.Client(base_url=address, timeout=10) as client:
        page = client.get("/?steps=9")
        assert "auth_required" in page.text and "“edm”" in page.text and "gradio" not in page.text.lower()
        assert set(re.findall(r'(?:src|href)="([^"]*)"', page.text)) == {"favicon.ico"}
        for methods, template in mounted(app):
            for method in methods:
                found = address_of(method, path := filled(template))
                if not (found and found[0].public):
                    assert asked(client, method, path) == 401, (method, path)
        for path in ("/openapi.json", "/explorer/main.js", "/explorer-plotly/plotly.min.js", "/gradio_api/heartbeat/x"):
            for spelling in spellings(path):
                assert asked(client, "GET", spelling) == 401, spelling
        for spelling in spellings("/login"):
            assert asked(client, "POST", spelling) in (400, 401)
        for cookie in ("", "x", "edm-00000000=x", "access-token-unsecure-x=x"):
            assert client.get("/config", headers={"Cookie": cookie}).status_code == 401
    assert [address.path for address in ADDRESSES if address.public] == ["/", "/login", "/favicon.ico"]


def test_a_defect_below_is_told_as_one_and_never_in_the_words_of_the_server(own, monkeypatch, caplog):
    with httpx.Client(base_url=own[1], timeout=10) as client:
        for path in ("/assets/" + "a" * 3000, "/assets/" + "a/" * 300 + "x", "/explorer/" + "a" * 300 + ".js"):
            assert client.get(path).json()["ok"] is False and not caplog.records
        monkeypatch.setattr("gradio.route_utils.routes_safe_join", None)
        answer = client.get("/assets/a.js")
        assert answer.status_code == 500 and answer.json()["sentence"].startswith("Something went wrong here")
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert [record.name for record in caplog.records] == ["app.sentences.faults"]


def test_web_sockets_are_refused(own):
    place = urlsplit(own[1])
    for path in ("/", "/gradio_api/queue/join", "/gradio_api/queue/data"):
        with socket.create_connection((place.hostname, place.port), timeout=10) as line:
            line.sendall(
                f"GET {path} HTTP/1.1\r\nHost: {place.netloc}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
            )
            assert b" 101 " not in line.recv(100)
    sent = []

    async def send(message):
        sent.append(message)

    gate = Gate(None, gradio_in(own[0]).get_blocks(), None, None)
    loop.run(gate({"type": "websocket", "path": "/"}, None, send))
    assert sent == [{"type": "websocket.close", "code": 1008}]


def test_a_session_ends_with_logging_out(asking):
    with closing(inside(asking[1])) as client:
        kept = dict(client.cookies)
        assert client.get("/config").status_code == 200
        assert client.get("/logout").status_code == 302
        assert client.get("/config").status_code == 401
        client.cookies.update(kept)
        assert client.get("/config").status_code == 401


def test_answers_say_what_browsers_shall_make_of_them(visitor):
    for path in ("/", "/config", "/explorer/main.js", "/no-such"):
        headers = visitor.get(path).headers
        assert (headers["x-content-type-options"], headers["referrer-policy"]) == ("nosniff", "no-referrer")


# files


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
    for path, body in attempts(one, [numbers[0], numbers[2], numbers[-1]]):
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


# bodies


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


def test_a_body_that_is_too_large_is_not_read(own):
    def endless():
        while True:
            yield b" " * 100_000

    with httpx.Client(base_url=own[1], timeout=10) as client:
        assert client.post("/gradio_api/queue/join", content=b" " * (bodies.MOST_BYTES + 1)).status_code == 413
        answer = client.post("/gradio_api/queue/join", content=endless())
        assert answer.status_code == 413 and "larger than 1 MB" in answer.json()["sentence"]


def test_scripts_reach_what_they_need(own, asking):
    for address, auth in ((own[1], None), (asking[1], ("edm", "open sesame"))):
        client = Client(address, auth=auth, verbose=False)
        result = client.predict({"model": "two_moons", "count": 3}, api_name="/sample")
        assert len(result["samples"]) == 3
        assert list(client.view_api(return_format="dict")["named_endpoints"]) == ["/sample"]
    with httpx.Client(base_url=own[1], timeout=30) as client:
        body = {"data": [{"model": "two_moons", "count": 3}]}
        assert len(client.post("/gradio_api/run/sample", json=body).json()["data"][0]["samples"]) == 3
        number = client.post("/gradio_api/call/sample", json=body).json()["event_id"]
        assert "event: complete" in client.get(f"/gradio_api/call/sample/{number}").text


def test_each_visitor_s_open_stream_may_be_a_job(own):
    blocks = gradio_in(own[0]).get_blocks()
    assert blocks._queue.max_thread_count == corners.MAX_JOBS == blocks.limiter.total_tokens
    assert blocks._queue.sleep_when_free == corners.PAUSE


def test_a_gradio_that_has_lost_a_name_is_told_at_the_start():
    class Moved(gr.Blocks):
        def __init__(self):
            super().__init__()
            del self.has_launched

    with pytest.raises(RuntimeError, match=r"Gradio .* has no Moved\.has_launched"):
        corners.prepare(Moved())
