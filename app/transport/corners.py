"""Everything of Gradio's that is not its public interface, in one place, and what of it answers.

Gradio serves uploads, files of the server, proxies, links to saved states, reloading and monitoring beside the page.
Nothing of that is needed, so nothing answers but what `ADDRESSES` lists. What is matched is the path by which Starlette
finds its routes, whole, so that no other spelling of an address leads anywhere.

A body may name a file of the server ({"path": …, "meta": {"_type": "gradio.FileData"}}), which Gradio would copy to
where it can be fetched. There are two locks, and each is enough: no such body passes (`bodies`), and Gradio's own
check, which it leaves out of applications that are mounted, is switched on (`prepare`).
"""

from __future__ import annotations

import asyncio
import inspect
import re
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import parse_qsl, urlencode

import gradio as gr
from fastapi import FastAPI
from gradio.context import LocalContext
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse

from app.sentences import faults
from app.sentences.denials import Denied, sentence
from app.transport import bodies

MAX_JOBS = 1000
MOST_STATES = 100  # visits of which Gradio keeps a copy of the page's description, of 50 kB; it is made anew if needed
PAUSE = 0.01  # seconds between two looks into an empty queue; Gradio's own, 0.001, keeps a core from resting
DROPPING = 1.0  # seconds for which the rest of a refused request is read
_ANSWERS = "/gradio_api/queue/data"
_ID = r"[\w-]{1,64}"  # of visits and events, which clients make up
_FILES = r"(?:[\w-][\w.-]{0,99}/){0,9}[\w-][\w.-]{0,99}"  # none begins with a dot
_HEADERS = ((b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"no-referrer"))


@dataclass(frozen=True)
class Address:
    """methods: separated by blanks. path: a regular expression of the whole path. why: who needs it. query: names that
    are passed on; None: all. body: what of Gradio's is sent there (see `bodies`). open: without logging in, too."""

    methods: str
    path: str
    why: str
    query: tuple[str, ...] | None = ()
    body: str | None = None
    open: bool = False


ADDRESSES = (
    Address("GET HEAD", "/", "the page; instead of it, the log-in page", open=True),
    Address("POST", "/login", "the log-in page and gradio_client's auth=", open=True),
    Address("GET", "/favicon.ico", "both pages' icon", open=True),
    Address("GET", "/logout", "whoever leaves a machine that others use"),
    Address("GET", rf"/assets/{_FILES}", "the page: Gradio's scripts and styles"),
    Address("GET", r"/static/js/iframeResizer\.contentWindow\.min\.js", "the page names it in its head"),
    Address("GET", r"/theme\.css", "the page's colours"),
    Address("GET", "/config", "gradio_client: which events there are"),
    Address("GET", "/gradio_api/info", "gradio_client: what /sample takes"),
    Address("GET", "/gradio_api/app_id", "the page: is it the same server, after the connection was lost?"),
    Address("GET", f"/gradio_api/heartbeat/{_ID}", "the page and gradio_client: open as long as a visit lasts"),
    Address("POST", "/gradio_api/queue/join", "every event of the page and of gradio_client", query=None, body="join"),
    Address("GET", _ANSWERS, "its answers", query=("session_hash",)),
    Address("POST", "/gradio_api/cancel", "gradio_client: job.cancel()", body="cancel"),
    Address("POST", f"/gradio_api/call/(?P<name>{_ID})", "scripts without gradio_client", body="call"),
    Address("GET", f"/gradio_api/call/(?P<name>{_ID})/{_ID}", "its answers"),
    Address("POST", f"/gradio_api/run/(?P<name>{_ID})", "scripts that want one answer", body="call"),
    # ours
    Address("GET HEAD", f"/explorer/{_FILES}", "the page's scripts and style"),
    Address("GET HEAD", f"/explorer-figures/{_FILES}", "thumbnails of the paper's figures"),
    Address("GET HEAD", r"/explorer-plotly/plotly\.min\.js", "charts"),
    Address("POST", "/explorer-uploads", "what visitors bring", query=None),
    Address("GET", "/explorer-runs/[^/]+/[^/]+", "what they take away", query=None),
)
_PATTERNS = [(address, re.compile(address.path, re.ASCII)) for address in ADDRESSES]


def found(method: str, path: str) -> tuple[Address, str | None] | None:
    """The address of a request, and which function it names, if any; None if there is nothing."""
    for address, pattern in _PATTERNS:
        if method in address.methods.split() and (match := pattern.fullmatch(path)):
            return address, match.groupdict().get("name")
    return None


class Gate:
    """ASGI middleware around the whole application: what is not in the table does not exist.

    entrance: the log-in page, or None where nobody logs in. name_of: a request -> who has logged in, or None.
    checks: of what scripts send, see `app.transport.bodies.Events`.
    """

    def __init__(
        self,
        app,
        blocks: gr.Blocks,
        entrance: str | None,
        name_of: Callable[[HTTPConnection], str | None],
        checks: Mapping[str, Callable] = MappingProxyType({}),
    ):
        self._app, self._entrance, self._name_of = app, entrance, name_of
        self._events = bodies.Events(blocks.config["dependencies"], checks)
        self._forget, self._streams = forgetting(blocks), Counter()

    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        elif scope["type"] == "http":
            answering = _Answering(_with_headers(send))
            try:
                await self._answer(scope, receive, answering)
            except Exception as error:
                if answering.started:
                    raise
                await sentence(500, faults.told(error))(scope, receive, _with_headers(send))

    async def _answer(self, scope, receive, send):
        receiving = _Receiving(receive)
        try:
            scope, receive, answer = await self._checked(scope, receiving)
        except Denied as denied:
            answer = sentence(denied.status, denied)
            await receiving.drop()
        if answer is None and scope["path"] == _ANSWERS:
            await self._stream(scope, receiving, send)
        else:
            await (answer or self._app)(scope, receive, send)

    async def _checked(self, scope, receive):
        """(scope, receive, None) of what may pass, or with the answer instead. Raises Denied."""
        address, name = found(scope["method"], scope["path"]) or (None, None)
        outside = self._entrance is not None and self._name_of(HTTPConnection(scope)) is None
        if outside and not (address and address.open):
            raise Denied(401, "log in first: reload the page")
        if address is None:
            raise Denied(404, "there is nothing at this address")
        if outside and address.path == "/":
            return scope, receive, HTMLResponse(self._entrance, headers={"Cache-Control": "no-store"})
        if name is not None and name not in self._events.names:
            raise Denied(404, f"there is no {name!r} here, but {', '.join(sorted(self._events.names))}")
        if address.query is not None:
            given = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
            kept = urlencode([pair for pair in given if pair[0] in address.query])
            scope = {**scope, "query_string": kept.encode("latin-1")}
        if address.body is not None:
            scope, receive = await self._events.passed(address.body, scope, receive)
        return scope, receive, None

    async def _stream(self, scope, receiving, send):
        """The stream of answers; nothing is kept for a visitor who has left it."""
        visit = dict(parse_qsl(scope["query_string"].decode("latin-1"))).get("session_hash")
        self._streams[visit] += 1
        try:
            await self._app(scope, receiving, send)
        finally:
            self._streams[visit] -= 1
            if not self._streams[visit]:
                del self._streams[visit]
                if receiving.left:
                    self._forget(visit)


class _Receiving:
    """What comes of a request. whole: its body is here. left: whoever sent it has gone."""

    def __init__(self, receive):
        self._receive, self.whole, self.left = receive, False, False

    async def __call__(self):
        message = await self._receive()
        self.left |= message["type"] == "http.disconnect"
        self.whole |= not message.get("more_body")
        return message

    async def drop(self):
        """Read what is left of a small body: closed with something unread, a connection may lose the answer, too."""
        with suppress(TimeoutError):
            async with asyncio.timeout(DROPPING):
                while not self.whole:
                    await self()


class _Answering:
    """What is sent to whoever asked, but for Starlette's two words on an error, which it then raises. started: a part
    of it is on its way."""

    def __init__(self, send):
        self._send, self.started, self._failed = send, False, False

    async def __call__(self, message):
        if message["type"] == "http.response.start":
            kind = dict(message.get("headers", ())).get(b"content-type", b"")
            self._failed = message["status"] == 500 and kind.startswith(b"text/plain")
        if not self._failed:
            self.started = True
            await self._send(message)


def _with_headers(send):
    async def sending(message):
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), *_HEADERS]}
        await send(message)

    return sending


def mount(app: FastAPI, blocks: gr.Blocks, name_of: Callable[[HTTPConnection], str | None] | None, **options) -> None:
    """Gradio's page at /. name_of: a request -> who has logged in; None where nobody does.
    options: of `gr.mount_gradio_app`; what some of the supported versions do not know yet is left out."""
    known = inspect.signature(gr.mount_gradio_app).parameters
    options |= {"run_history": False, "show_error": False, "ssr_mode": False, "mcp_server": False, "pwa": False}
    options = {name: value for name, value in options.items() if name in known}
    if name_of is not None:
        options["auth_dependency"] = name_of
    gr.mount_gradio_app(app, blocks, path="/", **options)


def prepare(blocks: gr.Blocks) -> None:
    """What there is no public way to set. Raises RuntimeError if a version of Gradio has lost one of these names."""
    # Each visitor's open stream counts as a running job, and Gradio would run no more than 40 in all.
    _set(blocks, "max_threads", MAX_JOBS)
    blocks.queue()
    _set(blocks, "has_launched", True)  # or files that visitors name are not checked
    _set(blocks, "state_session_capacity", MOST_STATES)
    _set(_get(blocks, "_queue"), "sleep_when_free", PAUSE)
    forgetting(blocks)


def forgetting(blocks: gr.Blocks) -> Callable[[str], None]:
    """What makes Gradio forget a visit that is over. It keeps all answers that nobody has fetched, of 2,000 visits."""
    kept = [_get(blocks._queue, name) for name in ("pending_messages_per_session", "pending_event_ids_session")]

    def forget(visit):
        for each in kept:
            each.pop(visit, None)

    return forget


def message_of(event: gr.EventData) -> dict:
    """What the page has sent with an event."""
    data = _get(event, "_data")
    return data if isinstance(data, dict) else {}


def running():
    """The event of Gradio's queue whose function is running here; None for a call that did not come by the queue.

    Its `alive` is false once the stream of answers was closed from the other side.
    """
    blocks, identity = LocalContext.blocks.get(None), LocalContext.event_id.get(None)
    if not blocks or not identity:
        return None
    return _get(_get(blocks, "_queue"), "event_ids_to_events").get(identity)


def _get(thing, name):
    if not hasattr(thing, name):
        kind = type(thing).__name__
        raise RuntimeError(f"Gradio {gr.__version__} has no {kind}.{name}: app/transport.py must be adapted to it")
    return getattr(thing, name)


def _set(thing, name, value):
    _get(thing, name)
    setattr(thing, name, value)
