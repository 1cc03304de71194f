"""A refusal is answered once the request has been read."""

from __future__ import annotations

import asyncio
from contextlib import suppress

READING = 5.0  # seconds for which the rest of a refused request is read


class Whole:
    """ASGI middleware: a refusal waits until what is still on its way of the request has come, and is let fall.

    A connection that is closed with something unread may lose the answer, too.
    """

    def __init__(self, app):
        self._app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        whole = False

        async def receiving():
            nonlocal whole
            message = await receive()
            whole |= not message.get("more_body")  # its last part, or that its sender has gone
            return message

        async def sending(message):
            if message["type"] == "http.response.start" and message["status"] >= 400:
                with suppress(TimeoutError):
                    async with asyncio.timeout(READING):
                        while not whole:
                            await receiving()
            await send(message)

        await self._app(scope, receiving, sending)
