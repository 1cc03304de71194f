"""The gate around the whole application: what is not among the addresses does not exist."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from types import MappingProxyType
from urllib.parse import parse_qsl, urlencode

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse

from app.sentences import faults
from app.sentences.denials import Denied, sentence
from app.transport import bodies
from app.transport.addresses import ANSWERS, address_of, inner
from app.transport.corners import forgetting
from app.transport.first import based
from app.transport.quiet import gr


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
            answering = _Answering(send)
            try:
                await self._answer(scope, receive, answering)
            except Exception as error:
                if answering.started:
                    raise
                await sentence(500, faults.told(error))(scope, receive, send)

    async def _answer(self, scope, receive, send):
        receiving = _Receiving(receive)
        try:
            scope, receive, answer = await self._checked(scope, receiving)
        except Denied as denied:
            answer = sentence(denied.status, denied)
        try:
            if answer is None and inner(scope) == ANSWERS:
                await self._stream(scope, receiving, send)
            else:
                await (answer or self._app)(scope, receive, send)
        except RuntimeError as error:
            if not (send.started and isinstance(error.__cause__, HTTPException)):
                raise
            # a visit or an event that nobody knows, as after a restart: the stream has told so already
            await send({"type": "http.response.body", "body": b""})

    async def _checked(self, scope, receive):
        """(scope, receive, None) of what may pass, or with the answer instead. Raises Denied."""
        address, name = address_of(scope["method"], inner(scope)) or (None, None)
        outside = self._entrance is not None and self._name_of(HTTPConnection(scope)) is None
        if outside and not (address and address.public):
            raise Denied(401, "log in first: reload the page")
        if address is None:
            raise Denied(404, "there is nothing at this address")
        if outside and address.path == "/":
            page = based(self._entrance, scope)
            return scope, receive, HTMLResponse(page, headers={"Cache-Control": "no-store"})
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
    """What comes of a request. left: whoever sent it has gone."""

    def __init__(self, receive):
        self._receive, self.left = receive, False

    async def __call__(self):
        message = await self._receive()
        self.left |= message["type"] == "http.disconnect"
        return message


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
