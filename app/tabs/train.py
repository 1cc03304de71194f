"""The Train tab: what is new of the runs, and what visitors want of them. Nothing here trains; see `edm.runs`."""

from __future__ import annotations

import json
from contextlib import suppress
from types import SimpleNamespace

import torch

from app import controls
from app.tabs.wiring import Wiring
from app.training import about, bundle, film, form
from app.training.board import Board
from app.work import Work
from edm import models, runs
from edm.fields import SettingsError

EVENTS = ("poll", "plan", "act", "film", "bundle")
MOST_RUNS, MOST_FRAMES = 6, 8  # looked at closely; of samples in one answer
CONTRAST = ("vp", "edm")  # what one click sets against each other


class Anybody:
    """Until there is a classroom: whoever sees the page may do everything."""

    def visitor(self, request):
        return SimpleNamespace(name=None, teacher=True)

    def check_start(self, visitor, settings, runs):
        return None

    def check_control(self, visitor, run):
        return None

    def described(self, visitor):
        return {"starting": True, "sentence": None, "limits": {}, "teacher": True}


def boot(board: Board) -> dict:
    """What the page needs to build the tab."""
    devices = ["cpu", *(f"cuda:{k}" for k in range(torch.cuda.device_count()))]
    return form.boot(board.folder, devices)


class Train:
    """What answers the tab's events. room: of `app.classroom`, who may do what."""

    def __init__(self, board: Board, work: Work, room):
        self.board, self.work, self.room = board, work, room
        self.former = form.Former(board.folder)
        self.bundles = bundle.Bundles()

    def build(self, wiring: Wiring) -> None:
        """Wire the tab's events."""
        for event in EVENTS:
            wiring.on(event, event, getattr(self, event), personal=True)

    def poll(self, message, guard, request):
        """What is new since the page's clock, for the list, for the runs it shows, and for the models it offers."""
        news = self.board.since(message.get("clock", ""))
        chosen = message.get("runs") or {}
        if not isinstance(chosen, dict):
            raise SettingsError("the runs must be names and cursors")
        closer, more = {}, False
        for name, seen in list(chosen.items())[:MOST_RUNS]:
            try:
                closer[name], unread = self._closer(name, seen or {})
            except ValueError:  # deleted
                closer[name] = None
                continue
            more |= unread
        news["models"] = self.models(message.get("models", ""))
        visitor = self.room.visitor(request)
        news["room"] = self.room.described(visitor)
        news["locked"] = [row["name"] for row in news["rows"] if not self._may(visitor, row["name"])]
        news["live"] = any(not run.over for run in self.board.runs())
        yield json.dumps({**news, "runs": closer, "more": more}), True

    def _closer(self, name, seen):
        """(what is new of one run, is there more?)."""
        run, history = self.board.find(name), self.board.history(name)
        more = history.read()
        found = history.since(seen.get("cursor", ""))
        if found["anew"]:
            found["design"] = about.design(run)
        found |= about.details(run)
        newest = history.last
        if newest is not None and newest != seen.get("sample"):
            found["sample"] = self._frame(run, newest)
        return found, more

    def _frame(self, run, images):
        settings = about.settings_of(run)
        return film.frame(run, images, settings.samples if settings else 16, self.work.device)

    def _may(self, visitor, name) -> bool:
        try:
            self.room.check_control(visitor, self.board.find(name))
        except ValueError:
            return False
        return True

    def models(self, clock: str = "") -> dict | None:
        """What changed of the models of runs since a clock, and which models every instrument offers now."""
        news = self.board.models_since(clock)
        if news is None:
            return None
        clock, names, new = news
        found = []
        for name in new:
            with suppress(ValueError, OSError):  # gone again
                found.append(controls.described(models.load(name)))
        choices = self.work.remember(("choices", clock), controls.choices)
        return {"clock": clock, "names": names, "new": found, "choices": choices}

    def film(self, message, guard, request):
        """The samples of some ticks."""
        run = self.board.find(message["run"])
        wanted = [int(images) for images in message["images"]][:MOST_FRAMES]
        frames = [self._frame(run, images) for images in wanted]
        yield json.dumps({"run": run.name, "wanted": wanted, "frames": [f for f in frames if f]}), True

    def plan(self, message, guard, request):
        """What the form's values make of a run, and what that would take."""
        try:
            yield json.dumps(form.described(self.former.plan(message["values"]))), True
        except SettingsError as error:
            yield json.dumps({"error": str(error), "fields": error.fields}), True

    def act(self, message, guard, request):
        """Start, stop, pause, resume or delete. The answer names the runs it is about."""
        visitor, action = self.room.visitor(request), message["do"]
        if action in ("start", "contrast"):
            names = self._start(visitor, message["values"], action == "contrast")
        elif action in _CONTROLS:
            run = self.board.find(message["run"])
            self.room.check_control(visitor, run)
            _CONTROLS[action](run.folder, message, visitor)
            names = [run.name]
        else:
            raise ValueError(f"{action!r:.40} is nothing that can be done to a run")
        self.board.wake()
        yield json.dumps({"do": action, "runs": names}), True

    def _start(self, visitor, values, contrast) -> list[str]:
        plan = self.former.plan(values)
        plans = [(plan.name, plan.settings)]
        if contrast:
            stem = plan.name or f"{plan.settings.data.dataset}-contrast"
            plans = [(f"{stem}-{column}", form.redesigned(plan.settings, column)) for column in CONTRAST]
        for name, settings in plans:
            if name and (self.board.folder / name).exists():
                raise SettingsError(f"there is a run {name!r} already; give another name", ("name",))
            self.room.check_start(visitor, settings, self.board.runs())
        return [runs.start(s, self.board.folder, plan.device, name, owner=visitor.name).name for name, s in plans]

    def bundle(self, message, guard, request):
        """A piece of the file that a run is taken away in."""
        run = self.board.find(message["run"])
        yield json.dumps(self.bundles.piece(run, str(message["kind"]), int(message["offset"]))), True


def _resume(folder, message, visitor):
    changes = message.get("changes") or {}
    if not isinstance(changes, dict):
        raise SettingsError("changes must be names and values")
    runs.resume(folder, owner=visitor.name, **{str(k): str(v) for k, v in changes.items()})


_CONTROLS = {
    "stop": lambda folder, message, visitor: runs.stop(folder),
    "pause": lambda folder, message, visitor: runs.pause(folder),
    "unpause": lambda folder, message, visitor: runs.unpause(folder),
    "delete": lambda folder, message, visitor: runs.delete(folder),
    "resume": _resume,
}
