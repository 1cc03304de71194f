"""All runs of the runs folder as the page lists them, and the one thread that looks after the queue.

Every row has a version, so that a page asks only for what changed since it last looked.
"""

from __future__ import annotations

import json
import logging
import math
import secrets
import threading
import time

from cachetools import LRUCache

from app.training import about
from app.training.history import History
from edm import classifiers, models, runs
from edm.base import atomic
from edm.runs import places

AGE = 0.3  # seconds for which a look at the folder serves everybody
CYCLE = 1.0  # seconds between two looks of the thread
HISTORIES = 64


class Board:
    """The runs in `folder`. Thread-safe."""

    def __init__(self, folder=None, at_once: int = 1):
        self.folder, self._at_once = runs.runs_folder(folder).absolute(), at_once
        self.still = threading.RLock()  # to hold while runs are put into the queue that shall begin together
        self._lock, self._wake, self._count = threading.Lock(), threading.Event(), threading.Lock()
        self._mark, self._version = secrets.token_hex(4), 1
        # when the last look began; how many wakes there were, and of which it knew
        self._looked, self._asked, self._answered = -math.inf, 0, 0
        self._rows: dict[str, tuple[int, str, runs.Run]] = {}  # name -> (version, as text, run)
        self._order: tuple[int, list[str]] = (1, [])
        self._checkpoints: dict[str, str] = {}
        # version, name -> (version in which it came, identity of the model)
        self._models: tuple[int, dict[str, tuple[int, str]]] = (1, {})
        self._guides: list[str] = []  # the newest classifiers of runs
        self._histories: LRUCache = LRUCache(HISTORIES)

    def begin(self) -> None:
        """Look once, then go on in a thread: start what waits, end what should stop, make new checkpoints known."""
        self.follow()
        threading.Thread(target=self._live, name="runs", daemon=True).start()

    def wake(self) -> None:
        """Let the thread look now, and the next visitor see what it found."""
        with self._count:
            self._asked += 1
        self._wake.set()

    def _live(self):
        silent = False
        while True:
            try:
                with self.still:
                    runs.advance(self.folder, self._at_once)
                self.follow()
                silent = False
            except Exception:  # a file server that is away, a full disk: the next look may be luckier
                if not silent:
                    logging.getLogger(__name__).exception("the runs in %s could not be looked after", self.folder)
                silent = True
            self._wake.wait(CYCLE)
            self._wake.clear()

    def follow(self):
        """Models and classifiers of checkpoints that are new, or gone."""
        folders = {path.name: path for path in (run.folder for run in self.runs())}
        changed = looked = False
        for name in self._checkpoints.keys() - folders.keys():
            looked, changed = True, models.follow_run(self.folder / name) or changed
            del self._checkpoints[name]
        for name, folder in folders.items():
            stamp = atomic.stamp(folder / "checkpoints")
            if stamp is not None and self._checkpoints.get(name) != stamp:
                looked, changed = True, models.follow_run(folder) or changed
                self._checkpoints[name] = stamp
        if looked and (guides := classifiers.of_runs()) != self._guides:
            self._guides, changed = guides, True
        if changed:
            version, known = self._models[0] + 1, self._models[1]
            found = {model.name: model.identity for model in models.followed()}
            self._models = (
                version,
                {
                    name: known[name] if known.get(name, (0, ""))[1] == identity else (version, identity)
                    for name, identity in found.items()
                },
            )

    def models_since(self, clock: str) -> tuple[str, list[str], dict[str, int]] | None:
        """(clock, names of all models of runs, those that are new since a clock, each with the version in which it
        came); None if nothing changed."""
        version, known = self._models
        now, seen = f"{self._mark}:{version}", self._number(clock)
        new = {name: came for name, (came, _) in known.items() if came > seen}
        return None if clock == now else (now, list(known), new)

    def _number(self, clock) -> int:
        """The version in a clock of this board; 0 for any other."""
        mark, _, number = str(clock).partition(":")
        return int(number) if mark == self._mark and number.isascii() and number.isdecimal() else 0

    def runs(self) -> list[runs.Run]:
        """Every run, the last asked for first."""
        self._look()
        with self._lock:
            return [self._rows[name][2] for name in self._order[1]]

    def find(self, name) -> runs.Run:
        """The run of that name, as it is now, with its log. Raises Refused if there is none."""
        return runs.read(runs.find(self.folder, name))

    def history(self, name) -> History:
        """The metrics of the run of that name. Raises Refused if there is none."""
        folder = runs.find(self.folder, name)
        key = name, places.identity(folder)
        with self._lock:
            return self._histories.setdefault(key, History(folder))

    def since(self, clock: str) -> dict:
        """JSON data: {clock, rows that changed, order of all names or None if that did not}."""
        self._look()
        seen = self._number(clock)
        with self._lock:
            rows = [json.loads(text) for version, text, _ in self._rows.values() if version > seen]
            order = self._order[1] if self._order[0] > seen else None
            return {"clock": f"{self._mark}:{self._version}", "rows": rows, "order": order}

    def _look(self):
        with self._lock:
            began, asked = time.monotonic(), self._asked  # what happens from here on may not be in what is found
            if began - self._looked < AGE and asked == self._answered:
                return
            found = runs.all_runs(self.folder)
            version, names = self._version + 1, [run.name for run in found]
            rows = {}
            for run in found:
                text = json.dumps(about.row(run))
                before = self._rows.get(run.name)
                rows[run.name] = (before[0] if before and before[1] == text else version, text, run)
            if names != self._order[1]:
                self._order = version, names
            if self._order[0] == version or any(row[0] == version for row in rows.values()):
                self._version = version
            self._rows, self._looked, self._answered = rows, began, asked
