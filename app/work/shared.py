"""What all computations of one process share: the device, the places to compute in, and what is known already."""

from __future__ import annotations

import copy
import json
import threading
from collections.abc import Callable, Hashable

import torch
from cachetools import LRUCache

from app.work.memory import Memory
from app.work.slots import CORES, Slots
from app.work.watch import Watch
from edm import models, runner
from edm.base.copies import COPIES
from edm.experiments.experiment import Experiment


class Work:
    """Thread-safe. device: where computing runs, but for what `place` puts elsewhere. megabytes: of finished answers
    that are kept.

    own: who looks owns this machine, and may see where things lie (`app.work.snippets.complete`).
    """

    def __init__(self, device, megabytes: int = 128, own: bool = True):
        self.device, self.own = device, own
        self.slots = Slots(max(2, CORES))
        self._lock = threading.Lock()
        self._answers: LRUCache = LRUCache(megabytes << 20, getsizeof=len)
        self._memory = Memory()

    def now(self) -> Work:
        """The same with the device of this moment, so that what has begun ends where it began."""
        with self._lock:
            return copy.copy(self)

    def move(self, device) -> None:
        """Compute on another device from now on. What is remembered lies on the one before, or was timed there."""
        with self._lock:
            before, self.device, self._memory = self.device, device, Memory()
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
        """See `Memory.remember`."""
        return self._memory.remember(key, make)

    def once(self, key: Hashable, make: Callable[[Watch], object], watch: Watch):
        """See `Memory.once`."""
        return self._memory.once(key, make, watch)


def identity(experiment: Experiment, model: models.Model | None = None) -> str:
    """What an experiment's results are kept under: the settings, and which model it is that has their model's name, and
    which those of its base and its guide. model: that one, where it has been looked up already."""
    return json.dumps([experiment.document(), *(one.identity for one in runner.used(experiment, model))])


def files_of(experiment: Experiment) -> dict[str, str | None]:
    """The files that an experiment's results are of, as they were when they became known."""
    return {str(one.path): one.stamp for one in runner.used(experiment) if one.path is not None}
