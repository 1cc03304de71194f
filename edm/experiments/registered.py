"""Models that this process knows besides what ships, and how another process is told of them."""

from __future__ import annotations

import threading
from pathlib import Path

from edm.experiments.model import Model

Told = tuple[str, Path | None, str | None, str, str, str | None]  # name, path, stamp, title, family, run


class Registered:
    """By name. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._models: dict[str, Model] = {}
        self._told: tuple[Told, ...] | None = ()

    def know(self, name: str, model: Model) -> None:
        with self._lock:
            self._models[name], self._told = model, None

    def drop(self, name: str) -> bool:
        """Whether it was there."""
        with self._lock:
            there = self._models.pop(name, None) is not None
            self._told = None if there else self._told
            return there

    def get(self, name: str) -> Model | None:
        return self._models.get(name)

    def all(self) -> dict[str, Model]:
        """As it is at this moment."""
        with self._lock:
            return dict(self._models)

    def told(self) -> tuple[Told, ...]:
        """All of them, for another process; the same object as long as they are the same."""
        with self._lock:
            if self._told is None:
                self._told = tuple(_told(name, model) for name, model in self._models.items())
            return self._told


def _told(name, model) -> Told:
    return name, model.path, model.stamp, model.title, model.header.family if model.header else "", model.run
