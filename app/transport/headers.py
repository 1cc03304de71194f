"""What every answer says to browsers and proxies."""

from __future__ import annotations

from app.transport.forwarded import Front

_SAID = ((b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"no-referrer"))
_STREAMS = (b"text/event-stream", b"application/x-ndjson")


def frames(front: Front, asks: bool) -> bytes:
    """Which pages may hold ours in a frame, as a content security policy.

    A page that holds it, unseen, under what looks like a game can make a visitor click on what it likes
    (clickjacking). Where somebody logs in that is no danger: in a frame of another site they are not in until they log
    in there, since the cookie is that site's own (Partitioned) or does not come along (see `app.visitors.login`).
    """
    if asks and not front.embed:
        return b"frame-ancestors *"
    return " ".join(["frame-ancestors 'self'", *front.embed]).encode("latin-1")


class Headers:
    """ASGI middleware: what answers are, who may frame them, and that a stream is passed on as it comes.

    nginx collects what a server says until there is much of it, unless it is told not to.
    """

    def __init__(self, app, framing: bytes):
        self._app, self._said = app, (*_SAID, (b"content-security-policy", framing))

    async def __call__(self, scope, receive, send):
        async def sending(message):
            if message["type"] == "http.response.start":
                headers = [*message.get("headers", ()), *self._said]
                if dict(headers).get(b"content-type", b"").startswith(_STREAMS):
                    headers.append((b"x-accel-buffering", b"no"))
                message = {**message, "headers": headers}
            await send(message)

        await self._app(scope, receive, sending)
