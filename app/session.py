"""One visitor: which request is the newest, and settings to and from the address bar."""

from __future__ import annotations

import threading

from cachetools import LRUCache

from edm.fields import SettingsError
from edm.flat import unflatten
from edm.settings import Experiment

PIN = "pin."  # prefix of the pinned result's settings in the address
VIEW = "view."  # prefix of what only concerns the picture: coordinates, arrows, …


class Superseded(Exception):
    """A newer request of the same visitor has arrived; this one ends at its next evaluation."""


class Newest:
    """The newest request of each visitor and lane. Thread-safe; it forgets the visitors of long ago."""

    def __init__(self, visitors: int = 10_000):
        self._newest: LRUCache = LRUCache(visitors)
        self._lock = threading.Lock()

    def guard(self, visitor: str, lane: str, serial: int):
        """A wrapper for denoisers that raises Superseded once a request with a higher serial has come."""
        key = (visitor, lane)
        with self._lock:
            self._newest[key] = max(serial, self._newest.get(key, serial))

        def check():
            with self._lock:
                if self._newest.get(key, serial) > serial:
                    raise Superseded

        check()
        return lambda denoiser: _Guarded(denoiser, check)

    def stop(self, visitor: str):
        """The visitor has left: whatever still runs for them ends. A later request of theirs works again."""
        with self._lock:
            for key in [key for key in self._newest if key[0] == visitor]:
                self._newest[key] += 0.5


class _Guarded:
    def __init__(self, denoiser, check):
        self._denoiser, self._check = denoiser, check

    def __call__(self, *arguments):
        self._check()
        return self._denoiser(*arguments)

    def __getattr__(self, name):
        return getattr(self._denoiser, name)


def from_query(values: dict[str, str]) -> tuple[Experiment, Experiment | None, str | None]:
    """(experiment, pinned or None, notice) of an address. A bad address gives the default and a sentence."""
    own = {k: v for k, v in values.items() if not k.startswith((PIN, VIEW, "__"))}
    pinned = {k.removeprefix(PIN): v for k, v in values.items() if k.startswith(PIN)}
    try:
        experiment = Experiment.parse(unflatten(own))
        return experiment, Experiment.parse(unflatten(pinned)) if pinned else None, None
    except SettingsError as error:
        return Experiment(), None, f"This link could not be read, so here is the default instead. {error}"
