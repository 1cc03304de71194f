"""The Train tab: what is new of the runs, and what visitors want of them. Nothing here trains; see `edm.runs`."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import ClassVar

from cachetools import LRUCache

from app.messages import answers, requests, training
from app.sentences import faults
from app.tabs.base import Answers, Event, House
from app.training import about, datasets, film, form, tasks
from app.training.flow import Flow
from app.training.reading import Reading
from app.uploads import sets
from app.work import snippets
from app.work.jobs import answer, body_of
from edm import runs
from edm.base import flat
from edm.base.errors import Refused, shown
from edm.base.fields import SettingsError
from edm.files.names import is_name
from edm.runs import tasks as work
from edm.training.settings import Training

LONGER = 4.0  # times that somebody waits for an estimate who only looks at it
MOST_RUNS, MOST_FRAMES = 6, 8  # looked at closely; of samples in one answer
CONTRAST = ("vp", "edm")  # what one click sets against each other
LONGEST_TOKEN = 100


class Train:
    name, title, kind = "train", "Train", "train"
    jobs, sheets = (Flow, Reading), ("train",)
    events: ClassVar = {
        "poll": Event(requests.Poll, training.Poll, "poll"),
        "plan": Event(requests.Plan, training.Plan, "plan"),
        "act": Event(requests.Act, answers.Act, "act"),
        "film": Event(requests.Film, training.Film, "film"),
        "reading": Event(requests.Reading, training.Reading, "reading"),
    }

    def boot(self, house: House) -> dict:
        folder, devices, own = house.board.folder, house.devices, house.room.kind == "own"
        made = form.boot(folder, devices.places)
        made["short"]["device"] |= devices.choices()
        return made | {"tasks": tasks.kinds(own), "script": snippets.head(folder, own)}

    def serve(self, house: House) -> Answers:
        desk = Desk(house)

        def answers(event, message, ticket, request):
            for body, last in getattr(desk, event)(message, ticket, house.room.visitor(request)):
                yield answer(body, last)

        return answers


def check(house: House, values: dict) -> None:
    """Raises Refused for values that the form cannot have, of an address."""
    _planned(house, None, values, costs=False)


def _planned(house, visitor, values, **how) -> form.Plan:
    def clamped(settings):
        house.room.check_data(settings.data)
        return house.room.clamped(visitor, settings) if visitor else settings

    return house.former.plan(values, clamped, **how)


class Once:
    """What is asked for again under the same token is not done again. Thread-safe."""

    def __init__(self, most: int = 2000):
        self._known: LRUCache = LRUCache(most)
        self._lock = threading.Lock()

    def do(self, visitor, token, work: Callable):
        """work(), or what it was for this token of the visitor's, when that is there; without a token, work()."""
        if token is None:
            return work()
        if not isinstance(token, str) or not 0 < len(token) <= LONGEST_TOKEN:
            raise Refused(f"the token {token!r:.40} must be a text of 1 to {LONGEST_TOKEN} letters, or none")
        key = visitor, token
        with self._lock:
            known = self._known.get(key)
            if known is None:
                mine = self._known[key] = Future()
        if known is not None:
            return known.result()
        try:
            mine.set_result(work())
        except BaseException as error:  # it may be tried again
            with self._lock:
                self._known.pop(key, None)
            mine.set_exception(error)
        return mine.result()


class Desk:
    """Answers the tab's events, each by the method of its name, for one visitor: (body, is it the last?)."""

    def __init__(self, house: House):
        self._house, self.board, self.room = house, house.board, house.room
        self._starts = Once()

    def poll(self, message, ticket, visitor):
        """What is new since the page's clock, for the list, for the runs it shows, and for the models it offers."""
        news = self.board.since(message.clock)
        closer, more = {}, False
        for name, seen in list(message.runs.items())[:MOST_RUNS]:
            try:
                closer[name], unread = self._closer(name, seen or requests.Seen(), ticket)
            except (Refused, OSError):
                if is_name(name) and (self.board.folder / name).is_dir():
                    raise
                closer[name] = None  # deleted, perhaps just now
                continue
            more |= unread
        news["models"] = self._house.models.since(message.models)
        news["room"] = self.room.described(visitor)
        news["datasets"] = self._datasets(visitor, message.datasets)
        news["devices"] = self._devices(visitor)
        known = {run.name: run for run in self.board.runs()}
        news["locked"] = [row["name"] for row in news["rows"] if not self._may(visitor, known.get(row["name"]))]
        at_work = (task for found in closer.values() if found for task in found["tasks"])
        news["live"] = any(not run.over for run in known.values()) or any(
            task["state"] not in runs.OVER for task in at_work
        )
        yield {**news, "runs": closer, "more": more}, True

    def _closer(self, name, seen, ticket):
        """(what is new of one run, is there more?)."""
        run, history = self.board.find(name), self.board.history(name)
        more = history.read()
        found = history.since(seen.cursor)
        if found["anew"]:
            found["design"] = about.design(run)
        found |= about.details(run) | {"tasks": tasks.listed(run)}
        newest = history.last
        if newest is not None and (found["anew"] or newest != seen.sample):
            found["sample"] = self._frame(run, newest, ticket)
        return found, more

    def _frame(self, run, images, ticket):
        def flow(checkpoint):
            return body_of(self._house.pool.run(Flow(checkpoint=str(checkpoint)), ticket))

        settings = about.settings_of(run)
        plane = about.plane(settings)
        return film.frame(run, images, settings.samples if settings else 16, flow, plane)

    def _datasets(self, visitor, known) -> dict | None:
        """What the visitor has uploaded or drawn, unless the page knows all of it."""
        found = sets.listed(self.board.folder, self.room.sees(visitor))
        stamp = " ".join(one["id"] for one in found)
        described = [datasets.describe(datasets.own(one)) for one in found]
        return None if known == stamp else {"clock": stamp, "list": described}

    def _devices(self, visitor) -> dict | None:
        """What a run could be started on now, and the device of the page; None where there is nothing but the CPU."""
        devices, known = self._house.devices, self.board.runs()
        if not devices.gpus:
            return None
        page = devices.of_page(self._house.pool.device, known)
        return {**devices.choices(known), "page": {**page, "choosing": self.room.may_move(visitor)}}

    def _may(self, visitor, run) -> bool:
        """Whether the visitor may do something to a run; None: one that is gone."""
        if run is None:
            return False
        try:
            self.room.check_control(visitor, run)
        except Refused:
            return False
        return True

    def film(self, message, ticket, visitor):
        """The samples of some ticks."""
        run, wanted = self.board.find(message.run), message.images[:MOST_FRAMES]
        frames = [self._frame(run, images, ticket) for images in wanted]
        yield {"run": run.name, "wanted": wanted, "frames": [f for f in frames if f]}, True

    def reading(self, message, ticket, visitor):
        """What the chosen data say of how to train on them, ever better."""
        settings = _planned(self._house, visitor, message.values, costs=False).settings
        for found in self._house.pool.run(Reading(data=settings.data, design=settings.design), ticket):
            one = json.loads(found)
            yield one["body"], one["finished"]

    def plan(self, message, ticket, visitor):
        """What the form's values make of a run, and what that would take."""
        try:
            yield form.described(_planned(self._house, visitor, message.values, costs=False)), False
            # there is an answer already: the first of a server's estimates may take its time
            plan = _planned(self._house, visitor, message.values, alive=ticket.check, longer=LONGER)
            yield form.described(plan), True
        except SettingsError as error:
            yield {"error": faults.told(error), "fields": error.fields}, True

    def act(self, message, ticket, visitor):
        """Start, stop, pause, resume or delete, a run or work on its checkpoints; forget an upload; or choose the
        page's device. The answer names the runs it is about.

        A start that is asked for again, under the same token, is the same start.
        """
        action = message.do
        if action in ("start", "contrast"):
            begin = partial(self._start, visitor, message.need("values"), action == "contrast")
            names = self._starts.do(visitor, message.token, begin)
        elif message.task is not None and action in tasks.CONTROLS:
            run = self.board.find(message.need("run"))
            self.room.check_control(visitor, run)
            tasks.control(run, message.task, action)
            names = [run.name]
        elif action == "resume":
            names = [self._resume(visitor, message)]
        elif action == "forget":
            self.room.check_upload(visitor)
            sets.remove(self.board.folder, message.need("data").removeprefix(datasets.OWN), self.room.sees(visitor))
            names = []
        elif action == "device":
            self.room.check_move(visitor)
            self._house.pool.move(message.need("device"))
            names = []
        elif action in tasks.ASKED:
            names = [self._begin(visitor, action, message)]
        elif action in _CONTROLS:
            run = self.board.find(message.need("run"))
            self.room.check_control(visitor, run)
            _CONTROLS[action](run.folder)
            names = [run.name]
        else:
            raise Refused(f"{shown(action, 40)} is nothing that can be done to a run")
        self.board.wake()
        yield {"do": action, "runs": names}, True

    def _start(self, visitor, values, contrast) -> list[str]:
        # costs only say how many images fit into the minutes
        plan = _planned(self._house, visitor, values, costs="images" not in values)
        wanted = [plan.settings]
        if contrast:
            both = form.against(values, plan.settings)
            made = [_planned(self._house, visitor, both | {"design": c}, costs=False).settings for c in CONTRAST]
            wanted = [settings.changed(minutes=plan.settings.minutes) for settings in made]
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
                known = {"owner": visitor.name, "needs": plan.cost and plan.cost.bytes}
                known |= {"together": names} if contrast else {}
                for name, settings in zip(names, wanted, strict=True):
                    begun.append(runs.start(settings, self.board.folder, plan.device, name, **known))
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

    def _begin(self, visitor, kind, message) -> str:
        """Put work on the newest checkpoint of a run into the queue."""
        run, settings = self.board.find(message.need("run")), tasks.settings_of(kind, message.need("values"))
        with self.room.turn:
            self.room.check_work(visitor, run, kind, settings, runs.all_runs(self.board.folder))
            work.start(run.folder, kind, settings, owner=visitor.name)
        return run.name

    def _resume(self, visitor, message) -> str:
        run, changes = self.board.find(message.need("run")), dict(message.changes or {})
        accept = str(changes.pop("accept_data", "false")).lower() == "true"
        device = changes.pop("device", None)
        flat.check_names(changes, Training)
        with self.room.turn:
            self.room.check_resume(visitor, run, changes, runs.all_runs(self.board.folder))
            runs.resume(run.folder, device=device, accept_data=accept, **changes)
        return run.name


_CONTROLS = {"stop": runs.stop, "pause": runs.pause, "unpause": runs.unpause, "delete": runs.delete}
