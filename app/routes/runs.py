"""GET /explorer-runs/<run>/<what>: what visitors take away. what: model, card, log, tensorboard."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from fastapi import FastAPI, Request
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse, PlainTextResponse

from app.routes.visiting import refusal, visitor_of
from app.sentences import faults, visible
from app.sentences.denials import Denied, sentence
from app.visitors.room import Room
from edm import runs
from edm.base.errors import Refused
from edm.files import names

LOG_BYTES = 4 << 20


def add(app: FastAPI, room: Room, username: Callable) -> None:
    """Add the address to `app`. username: a request -> who has logged in and sends it, or None."""

    @app.get("/explorer-runs/{name}/{what}")
    async def take_away(name: str, what: str, request: Request):
        try:
            visitor_of(request, room, username)
            if what not in _MADE:
                raise Denied(404, f"{what!r:.40} is nothing that a run has; there are {', '.join(_MADE)}")
            return await run_in_threadpool(_MADE[what], runs.read(runs.find(room.folder, name), details=False))
        except OSError as error:
            return sentence(404, faults.told(error))
        except Exception as error:  # whatever it is, whoever asks must hear
            return refusal(error, 404)


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
