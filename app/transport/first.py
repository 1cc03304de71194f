"""Our scripts come before Gradio's: the page paints its first picture, and then Gradio's frontend comes around it.

Nothing in the page says where it is: all of its addresses are relative, and what Gradio writes as a whole address,
which it can only guess from what proxies say, is left to the browser, which knows.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import quote

from app.transport.addresses import inner

LATER = b'<script type="module" crossorigin src="./assets/'
HELD = LATER.replace(b"module", b"explorer/later")  # which no browser runs or fetches; `start.js` does
_MANIFEST = re.compile(rb'<link rel="manifest"[^>]*>\s*')  # of an app that is installed, which this is not
_GUESSED = re.compile(rb'(?<=const root = )"[^"]*"(?=;)')  # from which the page's head makes an address
_ICON = '<link rel="icon" href="favicon.ico">'  # or browsers look for it above the prefix
# A frame may keep the page from its own server: then no script of ours comes, and this one says so.
_ALONE = """<script>
if (origin === "null") addEventListener("DOMContentLoaded", () => {
    const link = Object.assign(document.createElement("a"), { href: location.href, target: "_blank", rel: "noopener" });
    link.textContent = "open it in a new tab";
    const words = document.createElement("p");
    words.append("This page is in a frame that keeps it from its own server (sandbox without allow-same-origin): ");
    words.append(link, ".");
    document.body.replaceChildren(words);
});
</script>"""


def based(page: str, scope) -> str:
    """HTML whose relative addresses hold under the prefix of a request, with a slash at its end or without. Of several
    bases the first counts."""
    prefix = _prefix(scope)
    return page.replace("<head>", f'<head><base href="{prefix}/">', 1) if prefix else page


def _prefix(scope):
    """As it stands in an address, in HTML and in a script: without quotes and <."""
    return quote(scope.get("root_path", ""), safe="/~@+:,=")


class First:
    """ASGI middleware: the page's HTML gets a head of ours, and Gradio's own script waits until ours begins it.

    head: HTML. A Gradio that writes its script otherwise is begun by the browser, as ever.
    """

    def __init__(self, app, head: Callable[[], str]):
        self._app, self._head = app, head

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http" or inner(scope) != "/":
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
                body = self._ours(body, scope)
            headers = [pair for pair in start["headers"] if pair[0] != b"content-length"]
            if scope["method"] == "GET":
                headers.append((b"content-length", str(len(body)).encode()))
            await send({**start, "headers": headers})
            await send({**message, "body": body})

        await self._app(scope, receive, sending)

    def _ours(self, body, scope) -> bytes:
        place = f'"{_prefix(scope) or "."}/"'
        body = _GUESSED.sub(place.encode(), _MANIFEST.sub(b"", body), count=1)
        body = body.replace(LATER, HELD).replace(b"</head>", f"{_ICON}\n{_ALONE}\n{self._head()}\n</head>".encode(), 1)
        return based(body.decode(), scope).encode()
