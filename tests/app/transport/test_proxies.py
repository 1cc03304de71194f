"""Behind a proxy and inside other pages: what is believed, where the files are, who may hold the page in a frame."""

import re
from urllib.parse import urljoin

import httpx
import pytest
import torch

from app.__main__ import front as of_options
from app.__main__ import options
from app.server import application
from app.transport.forwarded import Front, Placed, said
from app.transport.headers import Headers, frames
from app.transport.same_site import SameSite
from app.visitors.room import Room
from edm.base.errors import Refused
from tests import loop

PASSED_ON = ("explorer/main.js", "explorer-plotly/plotly.min.js", "favicon.ico", "theme.css")


def headers(**named):
    return [(name.replace("_", "-").encode(), value.encode()) for name, value in named.items()]


def refused(private, proxied=False, method="POST", path="/explorer-ask/open", port=7860, **named):
    scope = {"type": "http", "method": method, "path": path, "server": ("127.0.0.1", port), "headers": headers(**named)}
    return SameSite(None, private, proxied).refusal(scope)


@pytest.mark.parametrize(
    ("named", "origin"),
    [
        ({"host": "class.example"}, "http://class.example"),
        ({"host": "Class.Example:80"}, "http://class.example"),
        ({"host": "class.example"}, "https://class.example:443"),
        ({"host": "[::1]:8080"}, "http://[::1]:8080"),
        ({"host": "inner:1", "x_forwarded_host": "Class.example:443, proxy.example"}, "https://class.example"),
        ({"host": "inner:1", "x_forwarded_host": "class.example:8443,inner:1"}, "https://CLASS.example:8443"),
        ({"host": "class.example", "x_forwarded_port": "8443"}, "https://class.example:8443"),
        ({"host": "inner:1", "forwarded": 'for="[::1]:9"; Host="class.example:8443";proto=https, for=x'}, "https://class.example:8443"),
        ({"host": "class.example", "x_forwarded_host": "inner.cluster"}, "http://class.example"),
    ],
)  # fmt: skip
def test_a_page_that_a_proxy_passes_on_is_our_own_however_the_proxy_writes_its_name(named, origin):
    assert refused(False, origin=origin, **named) is None


@pytest.mark.parametrize(
    ("named", "origin"),
    [
        ({"host": "class.example"}, "http://evil.example"),
        ({"host": "class.example"}, "http://class.example:8000"),
        ({"host": "class.example"}, "http://class.example.evil.example"),
        ({"host": "class.example"}, "null"),
        ({"host": ""}, "null"),
        ({"host": "class.example"}, "http://[::1"),
        ({"host": "inner:1", "x_forwarded_host": "class.example, evil.example"}, "http://evil.example"),
        ({"host": "inner:1", "forwarded": 'host="a,evil.example", host=evil.example'}, "http://evil.example"),
        ({"host": "class.example", "sec_fetch_site": "cross-site"}, "http://class.example"),
    ],
)
def test_cross_site_posts_are_refused(named, origin):
    """The attack: a page elsewhere lets a visitor's browser, which is logged in, start or delete something here."""
    assert "another web page" in refused(False, origin=origin, **named)


@pytest.mark.parametrize("proxied", [False, True])
@pytest.mark.parametrize("forged", ["localhost", "127.0.0.1:7860", "evil.example:7860"])
def test_a_page_that_rebinds_a_name_is_refused_whatever_forwarded_headers_it_sets(proxied, forged):
    """The attack (DNS rebinding): evil.example points to this machine, so that its page is of the same site and may
    send any header but the Host. With --proxy the Host tells it by the port: a proxy's is another."""
    named = {"x_forwarded_host": forged, "forwarded": f"host={forged}", "sec_fetch_site": "same-origin"}
    for method, path in (("POST", "/explorer-ask/open"), ("GET", "/"), ("GET", "/config")):
        why = refused(True, proxied, method, path, host="evil.example:7860", **named)
        assert "does not answer to 'evil.example:7860'" in why
    assert ("--proxy" in why) != proxied
    assert refused(True, proxied, port=80, host="evil.example", **named) is not None


def test_forwarded_headers_are_believed_where_nobody_logs_in_only_if_a_proxy_was_announced():
    """The attack (forged headers): a page that may not say its own Origin is ours says that a proxy is elsewhere."""
    named = {"host": "127.0.0.1:7860", "x_forwarded_host": "lab.example", "origin": "http://lab.example"}
    assert "another web page" in refused(True, **named)
    assert refused(True, proxied=True, **named) is None
    assert refused(True, proxied=True, host="lab.example", origin="http://lab.example") is None
    assert refused(True, proxied=True, host="lab.example:8888", origin="http://lab.example:8888") is None


@pytest.mark.parametrize("named", [{"host": "evil.example"}, {"host": "127.0.0.1", "origin": "http://other.example"}])
def test_files_that_are_the_same_for_everybody_are_never_refused(named):
    for path in ("/explorer/v-0123456789abcdef/main.js", "/assets/index.js", "/theme.css", "/explorer-figures/a.png"):
        assert refused(True, method="GET", path=path, **named) is None
        assert refused(True, method="POST", path=path, **named) is not None


def placed(front, path, **named):
    """(path, prefix, scheme) with which a request goes on."""
    found = []

    async def app(scope, receive, send):
        found.extend(scope[name] for name in ("path", "root_path", "scheme"))

    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "scheme": "http"}
    loop.run(Placed(app, front, front.believed)(scope | {"headers": headers(**named)}, None, None))
    return tuple(found)


@pytest.mark.parametrize(
    ("root", "asked", "place"),
    [
        ("/edm", "/config", "/edm/config"),
        ("/edm", "/edm/config", "/edm/config"),
        ("/edm", "/edmonton", "/edm/edmonton"),
        ("https://class.example/a/edm/", "/a/edm/", "/a/edm/"),
    ],
)
def test_a_prefix_may_be_taken_away_by_the_proxy_or_not(root, asked, place):
    front = Front(root)
    assert placed(front, asked, x_forwarded_proto="https, http") == (place, front.root_path, "https")


def test_a_proxy_that_is_believed_says_the_prefix():
    """As Jupyter's does, which takes it away."""
    prefix = "/user/ann/proxy/7860"
    told = {"x_forwarded_prefix": prefix, "x_forwarded_proto": "https"}
    assert placed(Front(proxy=True), "/config", **told) == (f"{prefix}/config", prefix, "https")
    assert placed(Front(), "/config", **told) == ("/config", "", "http")


def test_what_cannot_be_a_prefix_is_not_taken_for_one():
    """The attack (forged headers): the page's scripts would be fetched from where a prefix like //evil.example says."""
    for prefix in ("//evil.example", "/a//evil.example", 'x"', '/"><script>', "/../x", "https://evil.example/a", "/"):
        assert said(headers(x_forwarded_prefix=prefix)).prefix == ""
    assert said(headers(x_forwarded_prefix="/user/ann%40uni/proxy/7860/")).prefix == "/user/ann%40uni/proxy/7860"
    assert said(headers(x_forwarded_proto="gopher")).scheme == ""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--root-path", "edm"], "--root-path 'edm'"),
        (["--root-path", "//evil.example/x"], "must begin with /"),
        (["--root-path", "/explorer"], "files of its own"),
        (["--embed", "moodle.example"], "--embed 'moodle.example'"),
        (["--embed", "https://moodle.example; script-src *"], "must be the origin"),
        (["--embed", "https://moodle.example/course"], "must be the origin"),
    ],
)
def test_a_front_that_cannot_be_gets_a_sentence(arguments, words):
    with pytest.raises(Refused, match=re.escape(words)):
        of_options(options(arguments))


def test_the_environment_says_the_prefix_too(monkeypatch):
    monkeypatch.setenv("GRADIO_ROOT_PATH", "/edm/")
    assert of_options(options([])).root_path == "/edm"
    assert of_options(options(["--root-path", "/b"])).root_path == "/b"


@pytest.fixture(scope="module")
def under(tmp_path_factory):
    """get(address, …) of an application under /edm where somebody logs in."""
    room = Room(tmp_path_factory.mktemp("under"), password="open sesame")
    app = application(torch.device("cpu"), room, front=Front("/edm"))

    def ask(method, path, cookies=None, **options):
        async def asked():
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(
                transport=transport, base_url="http://class.example", cookies=cookies
            ) as client:
                return await client.request(method, path, **options)

        return loop.run(asked())

    return ask


def test_all_addresses_of_the_page_hold_under_a_prefix(under, monkeypatch):
    https = {"X-Forwarded-Proto": "https"}
    assert under("GET", "/edm?steps=9").headers["location"] == "/edm/?steps=9"
    outside = under("GET", "/edm/")
    assert '<base href="/edm/">' in outside.text and 'href="favicon.ico"' in outside.text
    form = {"username": "edm", "password": "open sesame"}
    answer = under("POST", "/edm/login", data=form, headers=https)
    cookie = answer.headers["set-cookie"]
    assert all(word in cookie for word in ("Secure", "HttpOnly", "SameSite=none", "Partitioned"))
    cookies = dict([cookie.partition(";")[0].split("=")])
    for asked in ("/edm/", "/"):
        page = under("GET", asked, cookies, headers=https)
        named = re.findall(r'<(?:script|link)[^>]*(?:src|href)="([^"]*)"', page.text)
        assert '<base href="/edm/">' in page.text and 'const root = "/edm/";' in page.text and len(named) > 20
        places = [urljoin("https://class.example/edm/", name) for name in named if "://" not in name]
        assert all(place.startswith("https://class.example/edm/") for place in places)
    assert under("GET", "/edm/config", cookies, headers=https).json()["root"] == "https://class.example/edm"
    for name in PASSED_ON:
        assert under("GET", f"/edm/{name}", cookies).status_code == under("GET", f"/{name}", cookies).status_code == 200
    left = under("GET", "/edm/logout", cookies, headers=https)
    assert urljoin("/edm/logout", left.headers["location"]) == "/edm/" and "Max-Age=0" in left.headers["set-cookie"]


@pytest.mark.parametrize("kind", ["text/event-stream; charset=utf-8", "application/x-ndjson", "application/json"])
def test_streams_ask_to_be_passed_on_as_they_come(kind):
    sent = []

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind.encode())]})

    async def send(message):
        sent.extend(message["headers"])

    loop.run(Headers(app, b"frame-ancestors 'self'")({"type": "http"}, None, send))
    assert ((b"x-accel-buffering", b"no") in sent) == (kind != "application/json")


@pytest.mark.parametrize(
    ("front", "asks", "policy"),
    [
        (Front(), False, "frame-ancestors 'self'"),
        (Front("/edm", proxy=True), False, "frame-ancestors 'self'"),
        (Front(embed=("https://moodle.example",)), False, "frame-ancestors 'self' https://moodle.example"),
        (Front(embed=("https://moodle.example",)), True, "frame-ancestors 'self' https://moodle.example"),
        (Front(), True, "frame-ancestors *"),
    ],
)
def test_a_page_without_a_log_in_is_held_in_no_frame_but_of_who_was_named(front, asks, policy):
    """The attack (clickjacking): a page holds ours, unseen, over a game, and visitors click on Delete."""
    assert frames(front, asks).decode() == policy
