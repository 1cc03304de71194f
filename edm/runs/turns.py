"""Runs that train on one device in turns, some seconds each, so that all of them grow together.

A turn is a lock, and so is the place in front of the door. Who trains looks, when its time is up, whether somebody
stands there, lets that one in, and stands there itself. The system takes both from a process that has died, so that the
others go on. Nothing of a run depends on it: between two steps it just waits.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Container
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from edm.base.atomic import make
from edm.runs import places, reading, seats

if TYPE_CHECKING:
    from pathlib import Path

    from edm.base.types import StrPath

SLICE = 4.0  # seconds of a turn
LOOK = 0.2  # seconds between two looks whether somebody waits, once that time is up


class Turns:
    """Of one run at a place (a device by name), among all that take turns there. folder: of all runs."""

    def __init__(self, folder: StrPath, place: str, clock: Callable[[], float] = time.monotonic):
        room, name = seats.folder_of(folder), place.replace(":", "")
        make(room)
        self._turn, self._door = (FileLock(room / f"{name}.{what}", thread_local=False) for what in ("turn", "next"))
        self._clock, self._until = clock, 0.0
        self._began = clock()
        self._ended: float | None = None
        self._pace = 2.0  # with another one, until turns have been measured

    def mine(self) -> bool:
        """Whether it is this run's turn now. One that is told otherwise asks again soon."""
        if self._turn.is_locked:
            if self._clock() < self._until:
                return True
            if not self._awaited():
                self._until = self._clock() + LOOK
                return True
            self._ended = self._clock()
            self._turn.release()
            return False
        if not (self._door.is_locked or _taken(self._door)) or not _taken(self._turn):
            return False
        self._door.release()
        now = self._clock()
        if self._ended is not None:
            self._pace = 1 + (now - self._ended) / max(self._ended - self._began, SLICE / 2)
        self._began, self._until = now, now + SLICE
        return True

    @property
    def pace(self) -> float:
        """How many times as long as alone it takes, as turns have been lately."""
        alone = self._turn.is_locked and self._clock() > self._began + 2 * SLICE
        return 1.0 if alone else self._pace

    def leave(self) -> None:
        """Let the others train: this run holds, or is over."""
        self._turn.release(force=True)
        self._door.release(force=True)

    def _awaited(self) -> bool:
        if not _taken(self._door):
            return True
        self._door.release()
        return False


def _taken(lock: FileLock) -> bool:
    try:
        lock.acquire(blocking=False)
    except (Timeout, OSError):
        return False
    return True


def shared(run: Path, suitable: Container[str]) -> str:
    """The place, of the suitable ones, at which a run trains that takes turns with this one; "": there is none."""
    living = (reading.read(path, details=False) for path in partners(run) if path.is_dir())
    found = [other.place for other in living if other.state in reading.LIVE]
    return next((place for place in found if place and place in suitable), "")


def partners(run: Path) -> list[Path]:
    """The folders of the runs with which the newest beginning of one shall take turns."""
    names = places.read(places.request(run, places.newest(run), "start")).get("turns")
    found = names if isinstance(names, list) else []
    return [places.within(places.home(run), str(name)) for name in found if name != run.name]
