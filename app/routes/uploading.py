"""Our own addresses beside Gradio's: what visitors bring, and what they take away.

POST /explorer-uploads[?resolution=32&title=…]   multipart files, or JSON {"points": [[x, y], …]}
GET  /explorer-runs/<run>/<what>                 what: model, card, log, tensorboard

Uploads answer {"ok": true, "dataset": …} (see `app.uploads.sets.described`) or {"ok": false, "sentence": …}.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from urllib.parse import urlsplit

import anyio
from fastapi import FastAPI, Request
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse

from app.sentences import faults, visible
from app.sentences.denials import Denied
from app.sentences.denials import sentence as _sentence
from app.transport.presence import Left, attended
from app.uploads import sets
from app.uploads.arrivals import Arrivals
from app.visitors.classroom import Room
from edm import documents, names, runs
from edm.errors import Refused

POINTS_BYTES = 1 << 20
LOG_BYTES = 4 << 20
MOST_READING = 64  # uploads whose images are being read or wait for that
_SENT = 'points are sent as {"points": [[x, y], …]}'


def add(app: FastAPI, room: Room, username: Callable, arrivals: Arrivals | None = None) -> None:
    """Add the addresses to `app`. username: a request -> who has logged in and sends it, or None."""
    arrivals, threads = arrivals or Arrivals(), anyio.CapacityLimiter(MOST_READING)

    async def visitor_of(request):
        name = username(request)
        if room.asks and name is None:
            raise Denied(401, "log in first: reload the page")
        return room.visitor(SimpleNamespace(username=name))

    @app.post("/explorer-uploads")
    async def upload(request: Request):
        arrival = None
        try:
            visitor = await visitor_of(request)
            most = _allowed(room, visitor, request)
            arrival = arrivals.enter(visitor.name or request.client.host)
            given, keep = await _body(request, arrival, arrivals.pace, most)
            options = {"owner": visitor.name, "resolution": _resolution(request), "title": _title(request)}

            def take():
                try:
                    with arrivals.reader(arrival) as read:
                        return sets.intake(given, room.folder, read=read, **options)
                finally:
                    for file in keep:
                        file.close()

            async def here():
                return not await request.is_disconnected()

            work = asyncio.ensure_future(anyio.to_thread.run_sync(take, limiter=threads))
            return {"ok": True, "dataset": await attended(work, here, arrival.gone)}
        except Denied as refusal:
            return _sentence(refusal.status, refusal)
        except Refused as error:
            return _sentence(400, error)
        except (ClientDisconnect, Left):
            return _sentence(400, "the upload was interrupted; send it again")
        except OSError as error:
            return _sentence(507, f"the upload could not be stored ({error.strerror or error}); try later")
        except Exception as error:
            return _sentence(500, faults.told(error))
        finally:
            if arrival:
                arrivals.leave(arrival)

    @app.get("/explorer-runs/{name}/{what}")
    async def take_away(name: str, what: str, request: Request):
        try:
            await visitor_of(request)
            if what not in _MADE:
                raise Denied(404, f"{what!r:.40} is nothing that a run has; there are {', '.join(_MADE)}")
            return await run_in_threadpool(_MADE[what], runs.read(runs.find(room.folder, name), details=False))
        except Denied as refusal:
            return _sentence(refusal.status, refusal)
        except (Refused, OSError) as error:
            return _sentence(404, faults.told(error))
        except Exception as error:
            return _sentence(500, faults.told(error))


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
    parser = MultiPartParser(request.headers, pieces, max_files=sets.Limits().files, max_fields=10, max_part_size=1000)
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise Refused(f"the upload could not be read ({error.message}); send it again") from None
    given = [(value.filename or "", value.file) for _, value in form.multi_items() if not isinstance(value, str)]
    if not given:
        raise Refused("the upload holds no files; choose a zip or some images")
    return given, [file for _, file in given]


def _exported(run, suffix) -> FileResponse:
    """The newest model of a run, or its card, made for this request only."""
    from edm.training.export import export

    if run.checkpoint is None:
        raise Refused(f"the run {run.name!r} has no checkpoint yet; wait for its first")
    place = TemporaryDirectory(prefix="edm-export-")
    try:
        path = Path(place.name, f"{run.name}.safetensors")
        export(run.checkpoint, path, title=f"Run {run.name}", family=names.family(run.name))
        wanted = path.with_suffix(suffix)
        return FileResponse(wanted, filename=wanted.name, background=BackgroundTask(place.cleanup))
    except BaseException:
        place.cleanup()
        raise


def _log(run) -> PlainTextResponse:
    with open(run.folder / "log.txt", "rb") as file:
        file.seek(max(0, file.seek(0, 2) - LOG_BYTES))
        text = file.read(LOG_BYTES).decode(errors="replace")
    text = visible.names(run.folder.parent).text(text)
    return PlainTextResponse(text, headers={"X-Content-Type-Options": "nosniff"})


def _tensorboard(run) -> FileResponse:
    import shutil

    from edm.runs import tensorboard

    place = TemporaryDirectory(prefix="edm-export-")
    try:
        logs = tensorboard.write(run.folder, Path(place.name, "logs"))
        path = shutil.make_archive(str(Path(place.name, run.name)), "zip", logs)
        return FileResponse(path, filename=f"{run.name}-tensorboard.zip", background=BackgroundTask(place.cleanup))
    except BaseException:
        place.cleanup()
        raise


_MADE: dict[str, Callable] = {
    "model": lambda run: _exported(run, ".safetensors"),
    "card": lambda run: _exported(run, ".md"),
    "log": _log,
    "tensorboard": _tensorboard,
}


class SameSite:
    """Refuses what other web pages make a visitor's browser send here.

    A browser says of every request but a plain visit which page it is from (Origin, Sec-Fetch-Site). And where nobody
    logs in, the server is meant for this machine: a page elsewhere whose name was made to point here (DNS rebinding)
    shows in the Host, which then is no name of this machine.
    """

    def __init__(self, app, private: bool):
        self._app, self._private = app, private

    async def __call__(self, scope, receive, send):
        if scope["type"] == "http" and (sentence := self._refusal(scope)):
            await JSONResponse({"ok": False, "sentence": sentence}, 403)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _refusal(self, scope) -> str | None:
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
