"""What a proxy says of a request that it passes on: for which host, by which scheme, under which path.

Of several proxies the first entry counts, which is of the one that the browser spoke with.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

from app.transport.addresses import address_of
from edm.base.errors import Refused

_PREFIX = re.compile(r"(?:/(?!\.)[\w.~@%+:,=-]+)+", re.ASCII)  # as it stands in an address; never //, which is a host
_ORIGIN = re.compile(r"https?://(?:[a-z0-9.*-]+|\[[0-9a-f:]+\])(?::[0-9]{1,5})?", re.ASCII | re.IGNORECASE)
_ADDRESS = re.compile("^https?://[^/]*", re.IGNORECASE)
_FIRST = re.compile(r'(?:[^,"]|"[^"]*")*')
_PAIR = re.compile(r'([\w-]+)\s*=\s*"?([^";]*)')


@dataclass(frozen=True)
class Front:
    """What stands between visitors and the server. Raises Refused.

    root_path: under which the page is reached, such as /edm; a whole address will do. proxy: there is one, which says
    who comes in. embed: origins, such as https://moodle.example, whose pages may hold this one in a frame.
    """

    root_path: str = ""
    proxy: bool = False
    embed: tuple[str, ...] = ()

    def __post_init__(self):
        path = _ADDRESS.sub("", self.root_path).rstrip("/")
        object.__setattr__(self, "root_path", path)
        if path and not _PREFIX.fullmatch(path):
            raise Refused(f"--root-path {path!r:.80}: must begin with / and hold letters and digits, such as /edm")
        if path and (address_of("GET", path) or address_of("GET", f"{path}/x")):
            raise Refused(f"--root-path {path}: the page has files of its own there; choose another, such as /edm")
        for one in self.embed:
            if not _ORIGIN.fullmatch(one):
                raise Refused(f"--embed {one!r:.80}: must be the origin of a page, such as https://moodle.example")

    @property
    def believed(self) -> bool:
        """Whether forwarded headers are, also where nobody logs in."""
        return self.proxy or bool(self.root_path)


@dataclass(frozen=True)
class Forwarded:
    """What the headers say. hosts: names that the server may have there; scheme, prefix: "" if nothing is said."""

    hosts: tuple[str, ...]
    scheme: str
    prefix: str


def said(headers: list[tuple[bytes, bytes]]) -> Forwarded:
    """Of the headers of an ASGI scope."""

    def first(name):
        value = next((value for key, value in headers if key == name), b"").decode("latin-1")
        return value.partition(",")[0].strip()

    whole = next((value for key, value in headers if key == b"forwarded"), b"").decode("latin-1")
    standard = {key.lower(): value.strip() for key, value in _PAIR.findall(_FIRST.match(whole).group())}
    hosts = [host for host in (first(b"x-forwarded-host"), standard.get("host")) if host]
    if (port := first(b"x-forwarded-port")).isdigit():
        hosts += [f"{host}:{port}" for host in (*hosts, first(b"host")) if not host.rpartition("]")[2].count(":")]
    scheme = (first(b"x-forwarded-proto") or standard.get("proto", "")).lower()
    prefix = first(b"x-forwarded-prefix").rstrip("/")
    return Forwarded(
        tuple(hosts), scheme if scheme in ("http", "https") else "", prefix if _PREFIX.fullmatch(prefix) else ""
    )


class Placed:
    """ASGI middleware: a request has the scheme and the path that the browser asked for, and its prefix as ASGI's
    root_path, whether the proxy has taken that away or not.

    believed: forwarded headers are, which may be anything that whoever asks wants them to be.
    """

    def __init__(self, app, front: Front, believed: bool):
        self._app, self._front, self._believed = app, front, believed

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        told = said(scope["headers"]) if self._believed else Forwarded((), "", "")
        written = self._front.root_path or told.prefix
        prefix, path = unquote(written), scope["path"]
        if prefix and path == prefix and scope["method"] in ("GET", "HEAD"):  # all addresses of the page are relative
            query = scope["query_string"]
            place = f"{written}/".encode("latin-1") + (b"?" + query if query else b"")
            await send({"type": "http.response.start", "status": 307, "headers": [(b"location", place)]})
            await send({"type": "http.response.body", "body": b""})
            return
        if prefix and not path.startswith(f"{prefix}/"):
            path = prefix + path
        scheme = told.scheme or scope["scheme"]
        await self._app({**scope, "scheme": scheme, "path": path, "root_path": prefix}, receive, send)
