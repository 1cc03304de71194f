"""Who may write a run that several machines see, each of them late.

A worker may write until LEASE after it has begun to give a sign of life (status.json), by a clock of its own that
counts sleep, too. From then on, and at its start, it has to win a file first, requests/<n>.lapse<k>.json, the k-th of
its beginning n. Whoever takes the run over from a machine whose processes it cannot see must have seen no sign of life
for SILENCE, and then has to win that very file. Only one can: `places.create` asks the file server itself, no cache.

Why never two write: what one sees is at most CACHE old. If no sign of life is seen for LEASE + CACHE + SLACK, none was
given in the LEASE + SLACK before what is seen now, so whatever the worker was writing has ended (SLACK), and it needs
the file that is lost to it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from edm.base.errors import Refused
from edm.base.paths import expanded
from edm.runs import launchers, places, reading, signs
from edm.runs.clocks import lasting, machine
from edm.runs.signs import LEASE, SILENCE

if TYPE_CHECKING:
    from edm.base.types import StrPath


class Lease:
    """The right of a worker to write. Thread-safe. clock: seconds that nobody sets and that go on in sleep.

    lapses: how many of the files it has won.
    """

    def __init__(self, folder: StrPath, number: int, clock: Callable[[], float] = lasting):
        self._folder, self._number, self._clock = expanded(folder), number, clock
        self.lapses, self.lost = 0, False
        self._until, self._lock = float("-inf"), threading.Lock()

    def holds(self) -> bool:
        """Whether the worker may write now. False is for ever. Raises OSError while that cannot be known."""
        with self._lock:
            if not self.lost and self._clock() >= self._until:
                self._win()
            return not self.lost

    def renew(self, sign: Any) -> bool:
        """Give a sign of life by calling `sign`, if the worker may write; returns that."""
        began = self._clock()
        if not self.holds():
            return False
        sign()
        with self._lock:
            self._until = max(self._until, began + LEASE)
        return True

    def _win(self):
        began = self._clock()
        try:
            self.lost = not places.create(_file(self._folder, self._number, self.lapses), launchers.claim())
        except FileNotFoundError:  # the run has been deleted
            self.lost = True
        if not self.lost:
            self.lapses, self._until = self.lapses + 1, began + LEASE


def certain(run: reading.Run) -> bool:
    """Whether a run that reads as over is so for sure: by its worker's own word, its launcher's, or because
    all is done and no worker is known."""
    number, status = run.number, places.read(run.folder / "status.json")
    if number == 0 or (status.get("number") == number and status.get("state") in reading.OVER):
        return True
    leader, _ = reading.workers(run.folder)
    return launchers.launcher_of(run.folder).alive(leader) is not None if leader else run.state == "finished"


def seize(run: reading.Run) -> None:
    """Make sure that no worker of a run that reads as over can write any more, wherever it is.

    Raises ValueError if one may still live, or somebody else has been quicker.
    """
    leader, fellows = reading.workers(run.folder)
    if any(map(launchers.launcher_of(run.folder).alive, fellows)):
        raise Refused(f"the last processes of the run {run.name!r} are about to end; try again in a second")
    if certain(run):
        return
    taken = places.request(run.folder, run.number, "taken")
    if not taken.exists() and places.create(taken, {"process": launchers.claim()["process"], "time": 0.0}):
        return  # it never began, and now never will
    lapses, sign, told = _last_sign(run)
    claim = places.read(taken)
    if leader or claim.get("machine", machine()) != machine():
        quiet = max(places.moment(run.folder) - sign, signs.EAR.silence(leader) if told else 0.0)
        if quiet < SILENCE:
            raise Refused(
                f"the worker of the run {run.name!r} on {leader.get('host') or 'another machine'} may still live: "
                f"it counts as gone after {SILENCE:.0f} s without a sign of life, as file servers show changes late; "
                f"{max(quiet, 0):.0f} s have passed: try again then"
            )
    if not places.create(_file(run.folder, run.number, lapses), launchers.claim()):
        raise Refused(f"the run {run.name!r} has just given a sign of life, or somebody else takes it; look again")


def _last_sign(run) -> tuple[int, float, bool]:
    """(how many of its files are won, time of the file server at the last sign of life, whether its status tells of all
    of them) of the newest beginning."""
    status = places.read(run.folder / "status.json")
    own = status.get("number") == run.number
    lapses = status["lapses"] if own and type(status.get("lapses")) is int else 0
    known, files = lapses, [places.request(run.folder, run.number, what) for what in ("taken", "worker")]
    signs = [places.modified(path) for path in [*files, *([run.folder / "status.json"] if own else [])]]
    while (won := places.modified(_file(run.folder, run.number, lapses))) is not None:
        signs, lapses = [*signs, won], lapses + 1
    return lapses, max((sign for sign in signs if sign is not None), default=0.0), lapses == known


def _file(folder, number, lapses):
    return places.request(folder, number, f"lapse{lapses}")
