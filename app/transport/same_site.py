"""What other web pages make a visitor's browser send here is refused."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from starlette.responses import JSONResponse

from app.transport.addresses import address_of, inner
from app.transport.forwarded import said

_USUAL = {"http": 80, "https": 443}


class SameSite:
    """Refuses what other web pages make a visitor's browser send here.

    A browser says of every request but a plain visit which page it is from (Origin, Sec-Fetch-Site). And where nobody
    logs in, the server is meant for this machine: a page elsewhere whose name was made to point here (DNS rebinding)
    shows in the Host, which then is no name of this machine.

    Of a page that is passed on by a proxy, the Host is the proxy's, or the forwarded headers say it. Pages of other
    sites cannot set those, but one that rebinds a name can; so where nobody logs in they count only if a proxy was
    announced (proxied). Then, too, a browser that came here without it shows: no page can change the port in its Host.
    """

    def __init__(self, app, private: bool, proxied: bool = False):
        self._app, self._private, self._proxied = app, private, proxied

    async def __call__(self, scope, receive, send):
        if scope["type"] == "http" and (sentence := self.refusal(scope)):
            await JSONResponse({"ok": False, "sentence": sentence}, 403)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def refusal(self, scope) -> str | None:
        """Why a request is refused, or None."""
        reading = scope["method"] in ("GET", "HEAD")
        if reading and (found := address_of(scope["method"], inner(scope))) and found[0].static:
            return None  # it changes nothing, and everybody may know it
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        host = headers.get("host", "")
        if self._private and not names_this_machine(host):
            if not self._proxied:
                remedy = "open it as localhost, or start it with --password, or with --proxy behind a proxy"
                return f"this server does not answer to {host!r:.80}; {remedy} that says who comes in"
            if _place(host, "http")[1] == (scope.get("server") or (None, None))[1]:
                return f"this server does not answer to {host!r:.80} at its own port; open it where its proxy answers"
        origin, site = headers.get("origin"), headers.get("sec-fetch-site")
        foreign = site in ("cross-site", "same-site")
        if site is None and origin is not None:  # browsers leave the first out where there is no https
            believed = self._proxied or not self._private
            foreign = not _of(origin, host, *(said(scope["headers"]).hosts if believed else ()))
        if foreign and (origin is not None or not reading):
            proxy = "; a proxy in between has to pass the Host on" if site is None else ""
            return f"this was sent by another web page; use the page itself{proxy}"
        return None


def _of(origin, *hosts) -> bool:
    """Whether a page of this origin is of one of the hosts, in whatever case, with or without the usual port."""
    scheme = origin.partition(":")[0].lower()
    page = _place(origin.partition("//")[2], scheme)
    return page[0] is not None and page in [_place(host, scheme) for host in hosts]


def _place(host, scheme) -> tuple[str | None, int | None]:
    try:
        found = urlsplit(f"//{host}")
        return found.hostname or None, found.port or _USUAL.get(scheme)
    except ValueError:
        return None, None


def names_this_machine(host: str) -> bool:
    """Whether a host, with a port or without, can only be the machine that asks for it."""
    name = _place(host, "http")[0] or ""
    try:
        return name == "localhost" or name.endswith(".localhost") or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
