"""What all computations of one process share: the device, the places to compute in, and what is known already."""

from __future__ import annotations

import copy
import json
import os
import threading
from collections.abc import Callable, Hashable

import torch
from cachetools import LRUCache

from app.work.slots import Slots
from edm import models, runner
from edm.base.copies import COPIES
from edm.experiments.experiment import Experiment

REMEMBERED = 512  # values


class Work:
    """Thread-safe. device: where computing runs, but for what `place` puts elsewhere. megabytes: of finished answers
    that are kept.

    own: who looks owns this machine, and may see where things lie (`app.work.snippets.complete`).
    """

    def __init__(self, device, megabytes: int = 256, own: bool = True):
        self.device, self.own = device, own
        self.slots = Slots(max(2, os.cpu_count() or 1))
        self._lock = threading.Lock()
        self._answers: LRUCache = LRUCache(megabytes << 20, getsizeof=len)
        self._known: LRUCache = LRUCache(REMEMBERED)

    def now(self) -> Work:
        """The same with the device of this moment, so that what has begun ends where it began."""
        with self._lock:
            return copy.copy(self)

    def move(self, device) -> None:
        """Compute on another device from now on. What is remembered lies on the one before, or was timed there."""
        with self._lock:
            before, self.device, self._known = self.device, device, LRUCache(REMEMBERED)
        if torch.device(before) != device:
            COPIES.forget(torch.device(before))

    def place(self, model: models.Model, count: int | None = None) -> torch.device:
        """Where a model is computed, of which so many samples are asked (see `edm.runner.quickest`)."""
        return runner.quickest(model, self.device, count)

    def answer(self, key: str) -> str | None:
        """The finished answer under `key`, as JSON text, if it is kept."""
        with self._lock:
            return self._answers.get(key)

    def keep(self, key: str, text: str) -> None:
        """Keep a finished answer, unless it is larger than all that is kept."""
        with self._lock:
            if len(text) <= self._answers.maxsize:
                self._answers[key] = text

    def remember(self, key: Hashable, make: Callable):
        """The value under `key`, made now if it is not known. Two threads may make it at once; both are right."""
        with self._lock:
            if key in self._known:
                return self._known[key]
        value = make()
        with self._lock:
            self._known[key] = value
        return value


def identity(experiment: Experiment) -> str:
    """What an experiment's results are kept under: the settings, and which model it is that has their model's name."""
    return json.dumps([experiment.document(), models.of(experiment).identity])
