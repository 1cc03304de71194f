"""The address by which phones in the same room reach the page, and its picture."""

from __future__ import annotations

import socket
from contextlib import suppress
from urllib.parse import urlsplit, urlunsplit

import psutil
import segno

from app.transport.same_site import names_this_machine
from edm.base.errors import Refused, shown

LONGEST = 500  # letters of the page's own address
UNREACHED = (
    "Phones cannot reach this page: the server listens to its own machine only. Start it with python -m app --host "
    "0.0.0.0 --classroom, log in with the teacher's password, and share the lesson again."
)
NOWHERE = "This machine is in no network, so that phones cannot reach it."
_NOBODY = "192.0.2.1"  # of no network (RFC 5737); nothing is sent there


def reached(page: str, local: bool) -> tuple[str, str | None]:
    """(the page's address, as others can open it; why they cannot, or None).

    page: as a browser has opened it. local: whether the server listens to this machine only. Raises Refused for what is
    no address of a page.
    """
    try:
        parts = urlsplit(page) if len(page) <= LONGEST else None
        host, port = (parts.hostname, parts.port) if parts else (None, None)
    except ValueError:
        parts = host = port = None
    if not parts or not host or parts.scheme not in ("http", "https"):
        raise Refused(f"page = {shown(page)}: must be the address of this page, http://…")
    bare = urlunsplit((parts.scheme, parts.netloc, parts.path or "/", "", ""))
    if not names_this_machine(parts.netloc):
        return bare, None
    if local:
        return bare, UNREACHED
    own = outward()
    if own is None:
        return bare, NOWHERE
    return urlunsplit((parts.scheme, f"{own}:{port}" if port else own, parts.path or "/", "", "")), None


def picture(address: str) -> str:
    """A QR code as the address of an SVG image (data:), dark on white in either theme."""
    return segno.make(address, error="m", micro=False).svg_data_uri(scale=8, border=4, dark="#000", light="#fff")


def outward() -> str | None:
    """This machine's address in the network that it sends to."""
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.connect((_NOBODY, 9))
        return asking.getsockname()[0]
    found = [one.address for each in psutil.net_if_addrs().values() for one in each if one.family == socket.AF_INET]
    return next((address for address in found if not names_this_machine(address)), None)
