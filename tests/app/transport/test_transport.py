"""What of the server answers, to whom, and that no file can be named."""

import http.client
import re
import socket
from contextlib import closing
from urllib.parse import urlsplit

import gradio as gr
import httpx
import pytest
from gradio_client import Client

from app.transport import corners
from app.transport.addresses import ADDRESSES, address_of
from app.transport.gate import Gate
from tests import loop
from tests.app.serving import gradio_in, mounted
from tests.app.transport.served import inside


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


def test_the_answers_of_a_visit_that_nobody_knows_end_with_a_word_and_nothing_in_the_log(visitor, caplog):
    answer = visitor.get("/gradio_api/queue/data", params={"session_hash": "of_before_the_restart"})
    assert answer.status_code == 200 and '"session_not_found":true' in answer.text
    answer = visitor.get("/gradio_api/call/sample/of_before_the_restart")
    assert answer.status_code == 200 and answer.text.startswith("event: error")
    assert not caplog.records


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
    framing = "frame-ancestors *" if visitor.cookies else "frame-ancestors 'self'"  # for rooms with a log-in
    for path in ("/", "/config", "/explorer/main.js", "/no-such"):
        answers = visitor.get(path), visitor.post(path, headers={"Origin": "http://evil.example"})
        assert answers[1].status_code == 403
        for headers in (answer.headers for answer in answers):
            assert (headers["x-content-type-options"], headers["referrer-policy"]) == ("nosniff", "no-referrer")
            assert headers["content-security-policy"] == framing


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


def test_many_scripts_may_wait_at_once_and_an_empty_queue_lets_a_core_rest(own):
    blocks = gradio_in(own[0]).get_blocks()
    assert corners.queue(blocks).max_thread_count == corners.MAX_JOBS == blocks.limiter.total_tokens
    queue = corners.queue(blocks)
    assert (queue.sleep_when_free, queue.progress_update_sleep_when_free) == (corners.PAUSE, corners.NEVER)


def test_a_gradio_that_has_lost_a_name_is_told_at_the_start():
    class Moved(gr.Blocks):
        def __init__(self):
            super().__init__()
            del self.has_launched

    with pytest.raises(RuntimeError, match=r"Gradio .* has no Moved\.has_launched"):
        corners.prepare(Moved())
