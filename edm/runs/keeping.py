"""Keeping a runs folder small: which checkpoints stay, and what goes with a run."""

from __future__ import annotations

import math
import os
import re
import shutil
import time
import uuid
from contextlib import suppress
from pathlib import Path

from edm import saved
from edm.errors import Refused
from edm.runs import launchers, lease, places, reading, seats
from edm.runs.metrics import parsed
from edm.training.score import score

# What writers that were killed have left of files, by folder: as `edm.files.atomic` names it, and safetensors did
STATUS = {"": r"\.status\.json\.[a-z0-9_]{8}"}
RECORD = {
    "": r"\.(config\.json|metrics\.jsonl|data\.npz)\.[a-z0-9_]{8}",
    "checkpoints": r"\.[0-9]+\.safetensors\.[A-Za-z0-9_]+|\.tmp[A-Za-z0-9]{6}",
    "samples": r"\.[0-9]+\.(png|npz)\.[A-Za-z0-9_]+",
}
_SHARED = r"\.([0-9]{4,}(\.[a-z]+[0-9]*)?|moment)\.json\.[a-z0-9_]{8}"  # requests, places: of many writers, at any time
_OLD = 3600.0  # seconds after which none of those is still at it


class Best:
    """The tick with the least score (`edm.training.score`), as the page shows it. images: its; None: no tick yet."""

    def __init__(self):
        self.images, self._score = None, math.inf

    @classmethod
    def of(cls, run) -> Best:
        best = cls()
        with suppress(OSError), open(Path(run, "metrics.jsonl"), "rb") as lines:
            for line in lines:
                best.see(parsed(line))
        return best

    def see(self, tick: dict | None) -> None:
        """Take a line of metrics into account; what is not one is not."""
        found = score(tick) if tick is not None else math.nan
        if found < self._score:
            self.images, self._score = tick["images"], found


def best(run) -> int | None:
    """The images of a run's tick with the least score; None if it has none yet."""
    return Best.of(run).images


def superfluous(run, keep: int, best: int | None = None) -> list[Path]:
    """The checkpoints beside the `keep` newest, the newest whole one, and, if it is given, the first one at or after
    the best tick."""
    found = saved.checkpoints(run)
    old = found[:-keep]
    if not old:
        return []
    kept = {saved.newest(run)}
    if best is not None:
        kept.add(next((path for path in found if saved.number(path) >= best), None))
    return [path for path in old if path not in kept]


def halves(run, names: dict[str, str], age: float = -math.inf) -> list[Path]:
    """Half-written files in a run's folder. names: folder -> expression for their names. age: seconds, at least.

    What else begins with a dot there is somebody's own.
    """
    found = []
    for folder, pattern in names.items():
        with suppress(OSError):
            entries = [e for e in os.scandir(Path(run, folder)) if re.fullmatch(pattern, e.name)]
            found += [Path(e.path) for e in entries if e.is_file(follow_symlinks=False) and _age(e.path) >= age]
    return found


def _age(path) -> float:
    return time.time() - os.lstat(path).st_mtime


def delete(run) -> None:
    """Delete a run with all it holds. Raises ValueError while it runs."""
    run = Path(run)
    found = reading.read(run, details=False)
    number = places.newest(run)
    taken = places.request(run, number, "taken")
    waits = found.state == "queued" and places.create(taken, launchers.claim())  # so it never begins
    if not (waits or found.over):
        raise Refused(f"the run {run.name!r} is {found.state}; stop it before deleting it")
    if not waits:
        lease.seize(found)
    gone = run.with_name(f".trash-{uuid.uuid4().hex}")
    run.rename(gone)  # at once, so that nobody sees half a run
    shutil.rmtree(gone, ignore_errors=True)  # what a network file system holds back is left to gc


def gc(folder, keep: int = 1) -> int:
    """Free what runs that are over need no more: checkpoints but for the `keep` newest and the best, halves of files
    that were being written, and what a `delete` or a reboot has left. Returns the bytes."""
    if keep < 1:
        raise Refused(f"keep = {keep}: must be 1 or more")
    folder, freed = Path(folder), 0
    unfinished = [path for path in folder.glob("*/tensorboard/.new.*") if _age(path) > _OLD]
    for trash in (*folder.glob(".trash-*"), *seats.former(folder), *unfinished):
        freed += reading.disk_use(trash)
        shutil.rmtree(trash, ignore_errors=True)
    for run in (found.folder for found in reading.all_runs(folder) if found.over and lease.certain(found)):
        torn = [*halves(run, RECORD), *halves(run, STATUS), *halves(run, {"requests": _SHARED}, _OLD)]
        for path in [*torn, run / ".reserve", *superfluous(run, keep, best(run))]:
            if not reading.read(run, details=False).over:  # somebody has just resumed it
                break
            with suppress(OSError):
                size = path.stat().st_size
                path.unlink()
                freed += size
    return freed


def find(folder, name) -> Path:
    """The directory of the run of that name in the runs folder. Raises ValueError if there is none."""
    return places.place(places.runs_folder(folder), name)
