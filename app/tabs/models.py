"""What changes of the models of runs, for pages that are open."""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from threading import Lock

from cachetools import LRUCache

from app.tabs import controls
from app.training.board import Board
from edm import models
from edm.base.errors import Refused


class ModelNews:
    """The models of the runs on a board. Thread-safe."""

    def __init__(self, board: Board):
        self._board = board
        self._described: LRUCache = LRUCache(2048)
        self._offering = Lock()
        self._offered = lru_cache(maxsize=8)(_offered)

    def since(self, clock: str = "") -> dict | None:
        """What changed since a clock, and what is offered now: classifiers, and models by every instrument; None if
        nothing did."""
        news = self._board.models_since(clock)
        if news is None:
            return None
        clock, names, new = news
        found, thumbnails = [], {}
        for name, came in new.items():
            with suppress(Refused, OSError):  # gone again
                model = models.load(name)
                if (name, came) not in self._described:
                    self._described[name, came] = controls.described(model)
                found.append(self._described[name, came])
                if model.run and model.run not in thumbnails:
                    thumbnails[model.run] = controls.thumbnail(model)
        with self._offering:  # a class that comes at once waits for one answer, instead of computing it thirty times
            offered = self._offered(clock)
        return {"clock": clock, "names": names, "new": found, "thumbnails": thumbnails, **offered}


def _offered(_clock) -> dict:
    """What is offered since."""
    return {"classifiers": controls.told_apart(), "choices": controls.choices()}
