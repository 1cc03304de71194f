"""POST /explorer-ask/<event>: what the page asks.

The body is one JSON object: visit (up to 64 letters, digits, - and _, one for each page that is opened), serial, and
what the event's message has (`app.messages.requests`). The answers come as they are computed, one line of JSON each
(`app.messages.envelope`), and the response ends with the last. One that a newer request overtakes ends without a word.
Whoever closes the connection ends the computing.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection

from app.sentences.denials import Denied, sentence
from app.tabs.wiring import Wiring
from app.transport import bodies
from app.visitors.room import Sender
from edm.base.errors import shown

_VISIT = re.compile(r"[\w-]{1,64}", re.ASCII)
_START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [
        (b"content-type", b"application/x-ndjson"),
        (b"cache-control", b"no-store"),
    ],
}


def add(app: FastAPI, wiring: Wiring, username: Callable[[HTTPConnection], str | None]) -> None:
    """Add the address to `app`. username: a request -> who has logged in and sends it, or None."""
    app.add_route("/explorer-ask/{event}", _Events(wiring, username), ["POST"])


class _Events:
    """An ASGI application: nothing of what a framework does for each request is needed here."""

    def __init__(self, wiring, username):
        self._wiring, self._username = wiring, username

    async def __call__(self, scope, receive, send):
        try:
            lines = await self._asked(scope, receive)
        except Denied as denied:
            await sentence(denied.status, denied)(scope, receive, send)
            return
        saying = asyncio.ensure_future(_say(lines, send))
        leaving = asyncio.ensure_future(_left(receive))
        try:
            await asyncio.wait({saying, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            leaving.cancel()
            saying.cancel()
            await asyncio.wait({saying})
        if not saying.cancelled():
            saying.result()

    async def _asked(self, scope, receive) -> AsyncGenerator[bytes]:
        """The lines of the answer. Raises Denied."""
        raw = await bodies.read(scope, receive, bodies.MOST_BYTES)
        large = len(raw) > bodies.LARGE
        document = await run_in_threadpool(bodies.parsed, raw) if large else bodies.parsed(raw)
        visit, name = document.pop("visit", None), scope["path_params"]["event"]
        if not isinstance(visit, str) or not _VISIT.fullmatch(visit):
            raise Denied(400, f"visit = {shown(visit, 80)}: must be up to 64 letters, digits, - and _")
        if name not in self._wiring.names:
            raise Denied(404, f"there is no event {shown(name, 40)}; reload the page")
        connection = HTTPConnection(scope)
        return self._wiring.ask(name, document, Sender(self._username(connection), connection.client, visit))


async def _say(lines, send):
    async with aclosing(lines):
        await send(_START)
        async for line in lines:
            await send({"type": "http.response.body", "body": line, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


async def _left(receive):
    """Ends when the sender of a request that was read whole has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
