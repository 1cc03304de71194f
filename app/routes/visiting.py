"""Who sends a request to one of our own addresses, and what they are told if it cannot be served."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse

from app.sentences import faults
from app.sentences.denials import Denied, sentence
from app.transport.presence import Left
from app.visitors.room import Room, Visitor
from edm.base.errors import Refused


def visitor_of(request, room: Room, username: Callable) -> Visitor:
    """username: a request -> who has logged in and sends it, or None. Raises Denied where somebody has to log in."""
    name = username(request)
    if room.entrance.asks and name is None:
        raise Denied(401, "log in first: reload the page")
    return room.visitor(SimpleNamespace(username=name))


def refusal(error: Exception, mistake: int) -> JSONResponse:
    """What is answered instead. mistake: the status of what whoever asked has got wrong."""
    return sentence(*told(error, mistake))


def told(error: Exception, mistake: int) -> tuple[int, str]:
    """(status, sentence) of an error; a defect is logged."""
    if isinstance(error, Denied):
        return error.status, str(error)
    if isinstance(error, Refused):
        return mistake, str(error)
    if isinstance(error, ClientDisconnect | Left):
        return 400, "the upload was interrupted; send it again"
    return 500, faults.told(error)
