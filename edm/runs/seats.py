"""Who holds which place of this machine: each trains so many runs at a time, whoever looks after the queue.

.queue/<machine>/<device>.<seat>/<n>.json    the n-th holder of a seat; n + 1 is given out when n's run is over

A launcher that dies between two of its steps leaves a holder whose launcher is gone, which counts as over.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from edm.base.paths import expanded
from edm.files import saved
from edm.runs import clocks, launchers, places, reading

if TYPE_CHECKING:
    from edm.base.types import StrPath

_KEPT = 32  # former holders


def folder_of(folder: StrPath) -> Path:
    """Where this machine, as it was started last, keeps who holds its places."""
    label = hashlib.sha256(clocks.machine().encode()).hexdigest()[:12]
    return expanded(folder, ".queue", f"{clocks.host()}-{label}")


def former(folder: StrPath) -> list[Path]:
    """The same of this machine before it was started anew."""
    mine = folder_of(folder)
    return [path for path in mine.parent.glob(f"{mine.name.rpartition('-')[0]}-*") if path != mine]


def take(folder: StrPath, suitable: dict[str, str], needed: int, at_once: int, holder: dict) -> dict[str, Path]:
    """Seats at as many of the suitable places as are needed, by place; none at all if too few are free.

    suitable: {place: its name here, the same for everybody}, the best first. at_once: seats at each. holder: who takes
    them: a claim of `edm.runs.launchers`, with run, number and id.
    """
    held: dict[str, Path] = {}
    try:
        for place, name in suitable.items():
            if len(held) < needed and (seat := _hold(folder, name, holder, at_once)):
                held[place] = seat
    finally:
        if len(held) < needed:
            release(held)
    return held if len(held) == needed else {}


def release(held: dict[str, Path]) -> None:
    """Give seats back whose run has not begun after all."""
    for seat in held.values():
        seat.unlink(missing_ok=True)


def _hold(folder, place, holder, at_once) -> Path | None:
    """Take a free seat at a place."""
    for seat in range(at_once):
        seats = folder_of(folder) / f"{place.replace(':', '')}.{seat}"
        seats.mkdir(parents=True, exist_ok=True)
        last = max((saved.number(path, (".json",)) or 0 for path in seats.iterdir()), default=0)
        if last and not _is_over(folder, places.read(seats / f"{last:08}.json")):
            continue
        (seats / f"{last - _KEPT:08}.json").unlink(missing_ok=True)
        if places.create(seats / f"{last + 1:08}.json", holder):
            return seats / f"{last + 1:08}.json"
    return None


def _is_over(folder, holder) -> bool:
    """Whether nobody needs a seat any more that its holder has got; once that is so, it stays so."""
    turns = holder.get("turns") or ()
    return _has_left(folder, holder) and not any(_sits_beside(folder, str(name), turns) for name in turns)


def _sits_beside(folder, name, turns) -> bool:
    """Whether a run trains in turns with the holder of a seat, and has none of its own."""
    path = places.within(folder, name)
    number = places.newest(path)
    start, taken = (places.read(places.request(path, number, what)) for what in ("start", "taken"))
    return bool(taken.get("beside")) and start.get("turns") == turns and not reading.read(path, details=False).over


def _has_left(folder, holder) -> bool:
    """Whether the holder of a seat needs it no more."""
    path, number = places.within(folder, str(holder.get("run"))), holder.get("number")
    start = places.read(places.request(path, number, "start")) if type(number) is int else {}
    if not start or start.get("id") != holder.get("id"):
        return True
    number = places.going_on(path, int(number or 0))
    if places.newest(path) > number:
        return True  # deleted, or resumed since, which only a run that is over can be
    if places.request(path, number, "taken").exists():
        return reading.read(path, details=False).over
    claimant = holder.get("process")
    living = isinstance(claimant, dict) and launchers.LAUNCHERS[launchers.LOCAL].alive(claimant)
    return not living or not reading.is_starting(holder)
