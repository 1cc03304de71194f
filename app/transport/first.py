"""Our scripts come before Gradio's: the page paints its first picture, and then Gradio's frontend comes around it."""

from __future__ import annotations

from collections.abc import Callable

LATER = b'<script type="module" crossorigin src="./assets/'
HELD = LATER.replace(b"module", b"explorer/later")  # which no browser runs or fetches; `start.js` does


class First:
    """ASGI middleware: the page's HTML gets a head of ours, and Gradio's own script waits until ours begins it.

    head: HTML. A Gradio that writes its script otherwise is begun by the browser, as ever.
    """

    def __init__(self, app, head: Callable[[], str]):
        self._app, self._head = app, head

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http" or scope["path"] != "/":
            await self._app(scope, receive, send)
            return
        start, parts = None, []

        async def sending(message):
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
                return
            parts.append(message.get("body", b""))
            if message.get("more_body"):
                return
            body = b"".join(parts)
            if start["status"] == 200 and scope["method"] == "GET":
                body = body.replace(LATER, HELD).replace(b"</head>", f"{self._head()}\n</head>".encode(), 1)
            headers = [pair for pair in start["headers"] if pair[0] != b"content-length"]
            if scope["method"] == "GET":
                headers.append((b"content-length", str(len(body)).encode()))
            await send({**start, "headers": headers})
            await send({**message, "body": body})

        await self._app(scope, receive, sending)
