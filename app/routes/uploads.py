"""POST /explorer-uploads[?resolution=32&title=…]: what visitors bring.

Multipart files, or JSON {"points": [[x, y], …]}. The answer is {"ok": true, "dataset": …} (see
`app.uploads.sets.described`) or {"ok": false, "sentence": …}.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import anyio
from fastapi import FastAPI, Request
from starlette.formparsers import MultiPartException, MultiPartParser

from app.routes.visiting import refusal, visitor_of
from app.sentences.denials import Denied, sentence
from app.transport.presence import attended
from app.uploads import sets
from app.uploads.arrivals import Arrival, Arrivals
from app.visitors.room import Room
from edm.base import documents
from edm.base.errors import Refused, sentence_of

POINTS_BYTES = 1 << 20
MOST_READING = 64  # uploads whose images are being read or wait for that
_SENT = 'points are sent as {"points": [[x, y], …]}'


def add(app: FastAPI, room: Room, username: Callable, arrivals: Arrivals | None = None) -> None:
    """Add the address to `app`. username: a request -> who has logged in and sends it, or None."""
    uploads = Uploads(room, username, arrivals or Arrivals())

    @app.post("/explorer-uploads")
    async def upload(request: Request):
        return await uploads.answer(request)


class Uploads:
    """Takes in what is sent, one upload of each visitor at a time."""

    def __init__(self, room: Room, username: Callable, arrivals: Arrivals):
        self._room, self._username, self._arrivals = room, username, arrivals
        self._threads = anyio.CapacityLimiter(MOST_READING)

    async def answer(self, request: Request):
        arrival = None
        try:
            visitor = visitor_of(request, self._room, self._username)
            most = _allowed(self._room, visitor, request)
            arrival = self._arrivals.enter(visitor.name or request.client.host)
            given, files = await _body(request, arrival, self._arrivals.pace, most)
            return {"ok": True, "dataset": await self._taken(request, visitor, arrival, given, files)}
        except Exception as error:  # whatever it is, whoever has sent it must hear
            if isinstance(error, OSError) and sentence_of(error) is not None:
                return sentence(507, f"the upload could not be stored ({error.strerror or error}); try later")
            return refusal(error, 400)
        finally:
            if arrival:
                self._arrivals.leave(arrival)

    async def _taken(self, request, visitor, arrival: Arrival, given, files) -> dict:
        """The dataset that is made of what was given, in a thread; given up once the sender is gone."""
        options = {"owner": visitor.name, "resolution": _resolution(request), "title": _title(request)}

        def take():
            try:
                with self._arrivals.reader(arrival) as read:
                    return sets.intake(given, self._room.folder, read=read, **options)
            finally:
                for file in files:
                    file.close()

        async def here():
            return not await request.is_disconnected()

        work = asyncio.ensure_future(anyio.to_thread.run_sync(take, limiter=self._threads))
        return await attended(work, here, arrival.gone.set)


def _allowed(room, visitor, request) -> int:
    """The most bytes of this upload."""
    length = request.headers.get("content-length", "")
    try:
        most = room.check_upload(visitor)
    except Refused as error:
        raise Denied(403, str(error)) from None
    try:
        room.check_upload(visitor, int(length) if length.isascii() and length.isdecimal() else None)
    except Refused as error:
        raise Denied(413, str(error)) from None
    return most


def _resolution(request) -> int:
    text = request.query_params.get("resolution", "32")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 5 else text


def _title(request) -> str:
    return request.query_params.get("title", "")


async def _body(request, arrival, pace, most):
    """(what `uploads.intake` takes, files to close)."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        parts = [part async for part in arrival.pieces(request.stream(), pace, min(most, POINTS_BYTES))]
        try:
            document = documents.from_json(b"".join(parts), "the drawing", POINTS_BYTES)
        except Refused as error:
            raise Refused(f"{error}; {_SENT}") from None
        if not isinstance(document, dict) or not isinstance(document.get("points"), list):
            raise Refused(_SENT)
        return document["points"], []
    if kind != "multipart/form-data":
        raise Denied(415, "an upload is a form with files, or points as JSON")
    pieces = arrival.pieces(request.stream(), pace, most)
    parser = MultiPartParser(request.headers, pieces, max_files=sets.Bounds().files, max_fields=10, max_part_size=1000)
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise Refused(f"the upload could not be read ({error.message}); send it again") from None
    given = [(value.filename or "", value.file) for _, value in form.multi_items() if not isinstance(value, str)]
    if not given:
        raise Refused("the upload holds no files; choose a zip or some images")
    return given, [file for _, file in given]
