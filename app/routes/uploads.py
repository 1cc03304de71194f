"""What visitors bring.

POST /explorer-uploads[?resolution=32&title=…]  at once: multipart files, or JSON {"points": [[x, y], …]}
GET /explorer-uploads/ID                        what a set of theirs holds
POST /explorer-parcels?files=2&bytes=9000[&title=…]  in pieces: so much is to come;
POST /explorer-parcels/ID[?more=1]              some of the files, called as "names", a JSON list, says; with `more` the
                                                first of them goes on with the last one before;
POST /explorer-parcels/ID/set[?resolution=…&columns=…&labels=…&leave_out=1]
                                                a set is made of them, as often as there are other choices;
DELETE /explorer-parcels/ID                     they are not wanted any more

An answer is {"ok": true, …} or {"ok": false, "sentence": …} (`app.messages.uploads`). While a set is made of a parcel,
lines of JSON say how far that is, and the last one is the answer. Closing the connection ends it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import anyio
from fastapi import FastAPI, Request
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.responses import StreamingResponse

from app.routes.visiting import refusal, told, visitor_of
from app.sentences.denials import UNLIMITED, Denied, sentence
from app.sentences.visible import without_folders
from app.training import datasets
from app.transport.presence import LOOK, attended
from app.uploads import sets
from app.uploads.arrivals import Arrival, Arrivals, Budget
from app.uploads.making import offered
from app.uploads.making import sentence as shown
from app.uploads.parcels import Parcels
from app.visitors.limits import check_upload
from app.visitors.room import Room
from edm.base import documents
from edm.base.errors import Refused, sentence_of

POINTS_BYTES, NAMES_BYTES = 1 << 20, 1 << 20
MOST_READING = 64  # uploads whose images are being read or wait for that
_SENT = 'points are sent as {"points": [[x, y], …]}'


def add(app: FastAPI, room: Room, username: Callable, arrivals: Arrivals | None = None) -> None:
    """Add the addresses to `app`. username: a request -> who has logged in and sends it, or None."""
    budget = Budget.endless() if room.kind == "own" else Budget()
    uploads = Uploads(room, username, arrivals or Arrivals(budget=budget))
    app.add_api_route("/explorer-uploads", uploads.answering(uploads.at_once), methods=["POST"])
    app.add_api_route("/explorer-uploads/{identity}", uploads.answering(uploads.sheet), methods=["GET"])
    app.add_api_route("/explorer-parcels", uploads.answering(uploads.begin), methods=["POST"])
    app.add_api_route("/explorer-parcels/{identity}", uploads.answering(uploads.piece), methods=["POST"])
    app.add_api_route("/explorer-parcels/{identity}", uploads.answering(uploads.drop), methods=["DELETE"])
    app.add_api_route("/explorer-parcels/{identity}/set", uploads.answering(uploads.become), methods=["POST"])


class Uploads:
    """Takes in what is sent, one upload of each visitor at a time."""

    def __init__(self, room: Room, username: Callable, arrivals: Arrivals):
        self._room, self._username, self._arrivals = room, username, arrivals
        self._parcels = Parcels(room.folder)
        self._threads = anyio.CapacityLimiter(MOST_READING)
        self._bounds = sets.Bounds.endless() if room.kind == "own" else sets.Bounds()

    def answering(self, answer: Callable) -> Callable:
        """A handler that says in a sentence what goes wrong with a request, whatever it is."""

        async def handler(request: Request):
            try:
                visitor = visitor_of(request, self._room, self._username)
                key = visitor.name or request.client.host
                return await answer(request, visitor, key)
            except Exception as error:
                if isinstance(error, OSError) and sentence_of(error) is not None:
                    return sentence(507, _unstored(error))
                return refusal(error, 400)

        return handler

    # ---- at once ----

    async def at_once(self, request, visitor, key):
        most = self._allowed(visitor, request)
        arrival = self._arrivals.enter(key)
        try:
            given, files = await self._body(request, arrival, most)
            dataset = await self._made(request, visitor, arrival, given, files)
            return {"ok": True, "dataset": {name: value for name, value in dataset.items() if name != "sheet"}}
        finally:
            self._arrivals.leave(arrival)

    async def _made(self, request, visitor, arrival: Arrival, given, files):
        """The dataset that is made of what was given, in a thread; given up once the sender is gone."""

        def take():
            try:
                return self._intake(given, visitor, request, arrival)
            finally:
                for file in files:
                    file.close()

        async def here():
            return not await request.is_disconnected()

        work = asyncio.ensure_future(anyio.to_thread.run_sync(take, limiter=self._threads))
        return await attended(work, here, arrival.gone.set)

    def _intake(self, given, visitor, request, arrival, **options):
        query = request.query_params
        options |= {"owner": visitor.name, "resolution": _resolution(query), "title": query.get("title", "")}
        with self._arrivals.reader(arrival) as read:
            return sets.intake(given, self._room.folder, read=read, bounds=self._bounds, **options)

    # ---- in pieces ----

    async def begin(self, request, visitor, key):
        query = request.query_params
        self._check(visitor, _whole(query.get("bytes"), "bytes"))
        count = _whole(query.get("files"), "files")
        if count > (most := self._bounds.limits.files):
            raise Denied(413, f"{count:,} files: at most {most:,} are taken; bring fewer, or train on them {UNLIMITED}")
        arrival = self._arrivals.enter(key)
        try:
            parcel = self._parcels.begin(key, count, query.get("title", ""))
        finally:
            self._arrivals.leave(arrival)
        return {"ok": True, "parcel": parcel.identity}

    async def piece(self, request, visitor, key):
        parcel = self._parcels.find(key, request.path_params["identity"])
        most = self._allowed(visitor, request) - parcel.size * (self._room.kind != "own")  # a disk knows what it holds
        arrival = self._arrivals.enter(key)
        try:
            given, _ = await self._body(request, arrival, most)

            def add():
                more = request.query_params.get("more") == "1"
                for number, (name, file) in enumerate(given):
                    parcel.add(name, file, more and number == 0)
                    file.close()

            await anyio.to_thread.run_sync(add, limiter=self._threads)
            return {"ok": True}
        finally:
            self._arrivals.leave(arrival)

    async def drop(self, request, visitor, key):
        self._parcels.drop(key, request.path_params["identity"])
        return {"ok": True}

    async def become(self, request, visitor, key):
        parcel = self._parcels.find(key, request.path_params["identity"])
        self._check(visitor)
        arrival = self._arrivals.enter(key)
        query, news = request.query_params, {"done": 0, "total": 0}
        more = {
            "columns": tuple(query.getlist("columns")) or None,
            "labels": query.get("labels") or None,
            "leave_out": query.get("leave_out") == "1",
        }

        def take():
            parcel.finish()
            with parcel.given() as given:
                return self._intake(given, visitor, request, arrival, progress=news.update, **more)

        work = asyncio.ensure_future(anyio.to_thread.run_sync(take, limiter=self._threads))
        work.add_done_callback(lambda done: self._arrivals.leave(arrival))
        work.add_done_callback(lambda done: done.cancelled() or done.exception())  # which is told below
        return StreamingResponse(_lines(work, news, arrival.gone.set), media_type="application/x-ndjson")

    async def sheet(self, request, visitor, key):
        identity, owner = request.path_params["identity"], self._room.sees(visitor)
        dataset = sets.described(self._room.folder, identity)
        if owner is not None and owner not in dataset["owners"]:
            raise Refused("this dataset is somebody else's")
        return _answer({**dataset, "sheet": sets.sheet(self._room.folder, identity)})

    # ---- limits, and bodies ----

    def _check(self, visitor, size: int | None = None) -> int:
        """The most bytes of an upload. Raises Denied if the visitor may send none, or not so many."""
        try:
            most = self._room.check_upload(visitor)
        except Refused as error:
            raise Denied(403, str(error)) from None
        try:
            check_upload(most, size, self._room.kind == "own")
        except Refused as error:
            raise Denied(413, str(error)) from None
        return most

    def _allowed(self, visitor, request) -> int:
        length = request.headers.get("content-length", "")
        return self._check(visitor, int(length) if length.isascii() and length.isdecimal() else None)

    async def _body(self, request, arrival, most):
        """(what `sets.intake` takes, files to close)."""
        kind, pace = request.headers.get("content-type", "").partition(";")[0].strip().lower(), self._arrivals.pace
        if kind == "application/json":
            parts = [part async for part in arrival.pieces(request.stream(), pace, min(most, POINTS_BYTES))]
            return _drawn(b"".join(parts)), []
        if kind != "multipart/form-data":
            raise Denied(415, "an upload is a form with files, or points as JSON")
        pieces = arrival.pieces(request.stream(), pace, most)
        parser = MultiPartParser(
            request.headers, pieces, max_files=self._bounds.limits.files, max_fields=10, max_part_size=NAMES_BYTES
        )
        try:
            form = await parser.parse()
        except MultiPartException as error:
            raise Refused(f"the upload could not be read ({error.message}); send it again") from None
        items = form.multi_items()
        given = [(value.filename or "", value.file) for _, value in items if not isinstance(value, str)]
        if not given:
            raise Refused("the upload holds no files; choose some")
        names = next((value for name, value in items if name == "names" and isinstance(value, str)), None)
        files = [file for _, file in given]
        return (given if names is None else list(zip(_names(names, len(files)), files, strict=True))), files


async def _lines(work, news: dict, leave: Callable):
    """How far the work is, now and then, and what has come of it; leave() once nobody listens any more."""
    try:
        while not work.done():
            yield f"{json.dumps(news)}\n"
            await asyncio.wait({work}, timeout=LOOK)
        try:
            answer = _answer(work.result())
        except Exception as error:
            sentence = _unstored(error) if isinstance(error, OSError) else told(error, 400)[1]
            offers = offered(getattr(error, "choices", ()))
            answer = {"ok": False, "sentence": shown(without_folders(sentence)), "offers": offers}
        yield f"{json.dumps(answer)}\n"
    finally:
        leave()


def _answer(found: dict) -> dict:
    """Of a set with its sheet, as `app.messages.uploads.Became`."""
    known = {name: found[name] for name in ("count", "shape", "classes", "class_names")}
    return {"ok": True, "dataset": datasets.describe(datasets.own(found)), "sheet": {**known, **found["sheet"]}}


def _unstored(error: OSError) -> str:
    if sentence_of(error) is None:
        return told(error, 400)[1]
    return f"the upload could not be stored ({error.strerror or error}); try later"


def _drawn(body: bytes) -> list:
    try:
        document = documents.from_json(body, "the drawing", POINTS_BYTES)
    except Refused as error:
        raise Refused(f"{error}; {_SENT}") from None
    if not isinstance(document, dict) or not isinstance(document.get("points"), list):
        raise Refused(_SENT)
    return document["points"]


def _names(text: str, count: int) -> list[str]:
    """What files are called, apart from them: a form cannot carry all names."""
    names = documents.from_json(text.encode("utf-8", "surrogatepass"), "the list of names", NAMES_BYTES)
    if not isinstance(names, list) or len(names) != count or not all(isinstance(name, str) for name in names):
        raise Refused(f"names must be a list of {count} texts, one for each file")
    return names


def _resolution(query) -> int | str:
    text = query.get("resolution", "32")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 5 else text


def _whole(text: str | None, name: str) -> int:
    if text is None or not (text.isascii() and text.isdecimal() and len(text) < 16):
        raise Refused(f"{name} = {text!r:.40}: must be a whole number")
    return int(text)
