"""What other web pages make a visitor's browser send here is refused."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from starlette.responses import JSONResponse


class SameSite:
    """Refuses what other web pages make a visitor's browser send here.

    A browser says of every request but a plain visit which page it is from (Origin, Sec-Fetch-Site). And where nobody
    logs in, the server is meant for this machine: a page elsewhere whose name was made to point here (DNS rebinding)
    shows in the Host, which then is no name of this machine.
    """

    def __init__(self, app, private: bool):
        self._app, self._private = app, private

    async def __call__(self, scope, receive, send):
        if scope["type"] == "http" and (sentence := self.refusal(scope)):
            await JSONResponse({"ok": False, "sentence": sentence}, 403)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def refusal(self, scope) -> str | None:
        """Why a request is refused, or None."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        host = headers.get("host", "")
        if self._private and not _names_this_machine(host):
            return f"this server does not answer to {host!r:.80}; open it as localhost, or start it with --password"
        origin, site = headers.get("origin"), headers.get("sec-fetch-site")
        foreign = site in ("cross-site", "same-site")
        if site is None and origin is not None:  # browsers leave the first out where there is no https
            foreign = urlsplit(origin).netloc not in (host, headers.get("x-forwarded-host"))
        if foreign and (origin is not None or scope["method"] not in ("GET", "HEAD")):
            return "this was sent by another web page; use the page itself"
        return None


def _names_this_machine(host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or name.endswith(".localhost") or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
