"""The Train tab: what is new of the runs, and what visitors want of them. Nothing here trains; see `edm.runs`."""

from __future__ import annotations

import json
from contextlib import suppress
from functools import partial

import torch
from cachetools import LRUCache

from app import controls, faults, uploads
from app.classroom import Room
from app.messages import Act, Film, Plan, Poll, Seen
from app.tabs.wiring import Wiring
from app.training import about, datasets, film, form
from app.training.board import Board
from app.training.once import Once
from app.work import Work
from edm import models, runs
from edm.base import atomic, flat
from edm.base.errors import Refused, shown
from edm.base.fields import SettingsError
from edm.runs import places
from edm.training.settings import Training

EVENTS = {"poll": Poll, "plan": Plan, "act": Act, "film": Film}
MOST_RUNS, MOST_FRAMES = 6, 8  # looked at closely; of samples in one answer
CONTRAST = ("vp", "edm")  # what one click sets against each other


def boot(board: Board) -> dict:
    """What the page needs to build the tab."""
    devices = ["cpu", *(f"cuda:{k}" for k in range(torch.cuda.device_count()))]
    return form.boot(board.folder, devices)


class Train:
    """What answers the tab's events. room: who may do what."""

    def __init__(self, board: Board, work: Work, room: Room):
        self.board, self.work, self.room = board, work, room
        self.former = form.Former(board.folder, board.runs)
        self._described: LRUCache = LRUCache(2048)
        self._starts = Once()

    def build(self, wiring: Wiring) -> None:
        """Wire the tab's events."""
        for event, kind in EVENTS.items():
            wiring.on(event, event, kind, getattr(self, event), personal=True)

    def poll(self, message, guard, request):
        """What is new since the page's clock, for the list, for the runs it shows, and for the models it offers."""
        news = self.board.since(message.clock)
        closer, more = {}, False
        for name, seen in list(message.runs.items())[:MOST_RUNS]:
            try:
                closer[name], unread = self._closer(name, seen or Seen())
            except (Refused, OSError):
                if places.is_name(name) and (self.board.folder / name).is_dir():
                    raise
                closer[name] = None  # deleted, perhaps just now
                continue
            more |= unread
        news["models"] = self.models(message.models)
        visitor = self.room.visitor(request)
        news["room"] = self.room.described(visitor)
        news["datasets"] = self._datasets(visitor, message.datasets)
        news["locked"] = [row["name"] for row in news["rows"] if not self._may(visitor, row["name"])]
        news["live"] = any(not run.over for run in self.board.runs())
        yield json.dumps({**news, "runs": closer, "more": more}), True

    def _closer(self, name, seen):
        """(what is new of one run, is there more?)."""
        run, history = self.board.find(name), self.board.history(name)
        more = history.read()
        found = history.since(seen.cursor)
        if found["anew"]:
            found["design"] = about.design(run)
        found |= about.details(run)
        newest = history.last
        if newest is not None and (found["anew"] or newest != seen.sample):
            found["sample"] = self._frame(run, newest)
        return found, more

    def _frame(self, run, images):
        settings = about.settings_of(run)
        return film.frame(run, images, settings.samples if settings else 16, self._flow)

    def _flow(self, checkpoint):
        key = "flow", str(checkpoint), atomic.stamp(checkpoint)
        return self.work.remember(key, lambda: film.flow(checkpoint, self.work.device))

    def _datasets(self, visitor, known) -> dict | None:
        """What the visitor has uploaded or drawn, unless the page knows all of it."""
        found = uploads.listed(self.board.folder, self.room.sees(visitor))
        stamp = " ".join(one["id"] for one in found)
        described = [datasets.describe(datasets.own(one)) for one in found]
        return None if known == stamp else {"clock": stamp, "list": described}

    def _may(self, visitor, name) -> bool:
        try:
            self.room.check_control(visitor, self.board.find(name))
        except Refused:
            return False
        return True

    def models(self, clock: str = "") -> dict | None:
        """What changed of the models of runs since a clock, and which models every instrument offers now."""
        news = self.board.models_since(clock)
        if news is None:
            return None
        clock, names, new = news
        found = []
        for name, came in new.items():
            with suppress(Refused, OSError):  # gone again
                if (name, came) not in self._described:
                    self._described[name, came] = controls.described(models.load(name))
                found.append(self._described[name, came])
        choices = self.work.remember(("choices", clock), controls.choices)
        return {"clock": clock, "names": names, "new": found, "choices": choices}

    def film(self, message, guard, request):
        """The samples of some ticks."""
        run, wanted = self.board.find(message.run), message.images[:MOST_FRAMES]
        frames = [self._frame(run, images) for images in wanted]
        yield json.dumps({"run": run.name, "wanted": wanted, "frames": [f for f in frames if f]}), True

    def plan(self, message, guard, request):
        """What the form's values make of a run, and what that would take."""
        visitor = self.room.visitor(request)
        alive = guard.check if guard else lambda: None
        try:
            yield json.dumps(form.described(self._plan(visitor, message.values, costs=False))), False
            yield json.dumps(form.described(self._plan(visitor, message.values, alive=alive))), True
        except SettingsError as error:
            yield json.dumps({"error": faults.told(error), "fields": error.fields}), True

    def _plan(self, visitor, values, **how) -> form.Plan:
        def clamped(settings):
            self.room.check_data(settings.data)
            return self.room.clamped(visitor, settings) if visitor else settings

        return self.former.plan(values, clamped, **how)

    def check(self, values: dict) -> None:
        """Raises Refused for values that the form cannot have, of an address."""
        self._plan(None, values, costs=False)

    def act(self, message, guard, request):
        """Start, stop, pause, resume or delete, or forget an upload. The answer names the runs it is about.

        A start that is asked for again, under the same token, is the same start.
        """
        visitor, action = self.room.visitor(request), message.do
        if action in ("start", "contrast"):
            begin = partial(self._start, visitor, message.need("values"), action == "contrast")
            names = self._starts.do(visitor, message.token, begin)
        elif action == "resume":
            names = [self._resume(visitor, message)]
        elif action == "forget":
            self.room.check_upload(visitor)
            uploads.remove(self.board.folder, message.need("data").removeprefix(datasets.OWN), self.room.sees(visitor))
            names = []
        elif action in _CONTROLS:
            run = self.board.find(message.need("run"))
            self.room.check_control(visitor, run)
            _CONTROLS[action](run.folder)
            names = [run.name]
        else:
            raise Refused(f"{shown(action, 40)} is nothing that can be done to a run")
        self.board.wake()
        yield json.dumps({"do": action, "runs": names}), True

    def _start(self, visitor, values, contrast) -> list[str]:
        plan = self._plan(visitor, values, costs="images" not in values)  # which only say how many fit into minutes
        wanted = [plan.settings]
        if contrast:
            both = form.against(values, plan.settings)
            wanted = [self._plan(visitor, both | {"design": c}, costs=False).settings for c in CONTRAST]
        with self.room.turn, self.board.still:
            names = [plan.name]
            if contrast:
                stem = plan.name or self._free(plan.settings.data.dataset)
                names = [f"{column}-{stem}" for column in CONTRAST]
            for name in names:
                if name and (self.board.folder / name).exists():
                    raise SettingsError(f"there is a run {name!r} already; give another name", ("name",))
            self.room.check_start(visitor, wanted[0], runs.all_runs(self.board.folder), wanted[1:])
            begun = []
            try:
                for name, settings in zip(names, wanted, strict=True):
                    begun.append(runs.start(settings, self.board.folder, plan.device, name, owner=visitor.name))
            except BaseException:  # all of them, or none
                for folder in begun:
                    runs.delete(folder)
                raise
        return [folder.name for folder in begun]

    def _free(self, stem) -> str:
        """A name of which no pair of runs is there yet."""
        number = 1
        while any((self.board.folder / f"{column}-{stem}-{number}").exists() for column in CONTRAST):
            number += 1
        return f"{stem}-{number}"

    def _resume(self, visitor, message) -> str:
        run, changes = self.board.find(message.need("run")), dict(message.changes or {})
        accept = str(changes.pop("accept_data", "false")).lower() == "true"
        flat.check_names(changes, Training)
        with self.room.turn:
            self.room.check_resume(visitor, run, changes, runs.all_runs(self.board.folder))
            runs.resume(run.folder, accept_data=accept, **changes)
        return run.name


_CONTROLS = {"stop": runs.stop, "pause": runs.pause, "unpause": runs.unpause, "delete": runs.delete}
