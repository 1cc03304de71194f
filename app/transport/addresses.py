"""What answers, of Gradio's addresses and of ours.

Gradio serves uploads, files of the server, proxies, links to saved states, reloading and monitoring beside the page.
Nothing of that is needed, so nothing answers but what `ADDRESSES` lists. What is matched is the path by which Starlette
finds its routes, whole, so that no other spelling of an address leads anywhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

ANSWERS = "/gradio_api/queue/data"
_ID = r"[\w-]{1,64}"  # of visits and events, which clients make up
_FILES = r"(?:[\w-][\w.-]{0,99}/){0,9}[\w-][\w.-]{0,99}"  # none begins with a dot


@dataclass(frozen=True)
class Address:
    """methods: separated by blanks. path: a regular expression of the whole path. why: who needs it. query: names that
    are passed on; None: all. body: what of Gradio's is sent there (see `bodies`). public: without logging in, too.
    static: a file that is the same for everybody, whoever asks, and from wherever."""

    methods: str
    path: str
    why: str
    query: tuple[str, ...] | None = ()
    body: str | None = None
    public: bool = False
    static: bool = False


ADDRESSES = (
    Address("GET HEAD", "/", "the page; instead of it, the log-in page", public=True),
    Address("POST", "/login", "the log-in page and gradio_client's auth=", public=True),
    Address("GET", "/favicon.ico", "both pages' icon", public=True, static=True),
    Address("GET", "/logout", "whoever leaves a machine that others use"),
    Address("GET", rf"/assets/{_FILES}", "the page: Gradio's scripts and styles", static=True),
    Address("GET", r"/static/js/iframeResizer\.contentWindow\.min\.js", "the page names it in its head", static=True),
    Address("GET", r"/theme\.css", "the page's colours", static=True),
    Address("GET", "/config", "gradio_client: which events there are"),
    Address("GET", "/gradio_api/info", "gradio_client: what /sample takes"),
    Address("GET", "/gradio_api/app_id", "the page: is it the same server, after the connection was lost?"),
    Address("POST", "/gradio_api/queue/join", "every event of gradio_client", query=None, body="join"),
    Address("GET", ANSWERS, "its answers", query=("session_hash",)),
    Address("POST", "/gradio_api/cancel", "gradio_client: job.cancel()", body="cancel"),
    Address("POST", f"/gradio_api/call/(?P<name>{_ID})", "scripts without gradio_client", body="call"),
    Address("GET", f"/gradio_api/call/(?P<name>{_ID})/{_ID}", "its answers"),
    Address("POST", f"/gradio_api/run/(?P<name>{_ID})", "scripts that want one answer", body="call"),
    # ours
    Address("GET HEAD", f"/explorer/{_FILES}", "the page's scripts and style sheets", static=True),
    Address("GET HEAD", f"/explorer-figures/{_FILES}", "thumbnails of the paper's figures", static=True),
    Address("GET HEAD", r"/explorer-plotly/plotly\.min\.js", "charts", static=True),
    Address("POST", f"/explorer-ask/{_ID}", "what the page asks, each answered by a stream"),
    Address("POST", "/explorer-uploads", "what visitors bring, at once", query=None),
    Address("GET", f"/explorer-uploads/{_ID}", "what a set of theirs holds"),
    Address("POST", "/explorer-parcels", "what they bring in pieces", query=None),
    Address("POST DELETE", f"/explorer-parcels/{_ID}", "the pieces", query=None),
    Address("POST", f"/explorer-parcels/{_ID}/set", "what becomes of them", query=None),
    Address("GET", "/explorer-runs/[^/]+/[^/]+", "what they take away", query=None),
)
_PATTERNS = [(address, re.compile(address.path, re.ASCII)) for address in ADDRESSES]


def address_of(method: str, path: str) -> tuple[Address, str | None] | None:
    """The address of a request, and which function it names, if any; None if there is nothing."""
    for address, pattern in _PATTERNS:
        if method in address.methods.split() and (match := pattern.fullmatch(path)):
            return address, match.groupdict().get("name")
    return None


def inner(scope) -> str:
    """The path of a request without the prefix under which a proxy serves it: by which Starlette finds its routes."""
    return scope.get("path", "").removeprefix(scope.get("root_path", ""))
