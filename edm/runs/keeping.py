"""Keeping a runs folder small: which checkpoints stay, and what goes with a run."""

from __future__ import annotations

import shutil
import uuid
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from edm.base.errors import Refused
from edm.base.paths import expanded
from edm.files.names import runs_folder
from edm.runs import launchers, lease, places, reading, seats
from edm.training.keeping import RECORD, age_of, best, halves, superfluous

if TYPE_CHECKING:
    from edm.base.types import StrPath

# What writers that were killed have left of files, by folder: as `edm.base.atomic.atomic` names it, and safetensors did
STATUS = {"": r"\.status\.json\.[a-z0-9_]{8}"}
_SHARED = r"\.([0-9]{4,}(\.[a-z]+[0-9]*)?|moment)\.json\.[a-z0-9_]{8}"  # requests, places: of many writers, at any time
_OLD = 3600.0  # seconds after which none of those is still at it


def delete(run: StrPath) -> None:
    """Delete a run, or a task, with all it holds. Raises ValueError while it runs, or a task of it."""
    run = expanded(run)
    found = reading.read(run, details=False)
    number = places.newest(run)
    for task in reading.all_runs(run / places.TASKS):
        if not task.over:
            raise Refused(f"the run {run.name!r} has a task that is {task.state}, {task.name!r}; stop it first")
    taken = places.request(run, number, "taken")
    waits = found.state == "queued" and places.create(taken, launchers.claim())  # so it never begins
    if not (waits or found.over):
        what = "task" if places.is_task(run) else "run"
        raise Refused(f"the {what} {found.name!r} is {found.state}; stop it before deleting it")
    if not waits:
        lease.seize(found)
    gone = run.with_name(f".trash-{uuid.uuid4().hex}")
    run.rename(gone)  # at once, so that nobody sees half a run
    shutil.rmtree(gone, ignore_errors=True)  # what a network file system holds back is left to gc


def gc(folder: StrPath, keep: int = 1) -> int:
    """Free what runs that are over need no more: checkpoints but for the `keep` newest and the best, halves of files
    that were being written, and what a `delete` or a reboot has left. Returns the bytes."""
    if keep < 1:
        raise Refused(f"keep = {keep}: must be 1 or more")
    folder, freed = expanded(folder), 0
    unfinished = [path for path in folder.glob("*/tensorboard/.new.*") if age_of(path) > _OLD]
    deleted = [*folder.glob(".trash-*"), *folder.glob(f"*/{places.TASKS}/.trash-*")]
    for trash in (*deleted, *seats.former(folder), *unfinished):
        freed += places.disk_use(trash)
        shutil.rmtree(trash, ignore_errors=True)
    for run in (found.folder for found in reading.all_work(folder) if found.over and lease.certain(found)):
        torn = [*halves(run, RECORD), *halves(run, STATUS), *halves(run, {"requests": _SHARED}, _OLD)]
        for path in [*torn, run / ".reserve", *superfluous(run, keep, best(run))]:
            if not reading.read(run, details=False).over:  # somebody has just resumed it
                break
            with suppress(OSError):
                size = path.stat().st_size
                path.unlink()
                freed += size
    return freed


def find(folder: StrPath | None, name: str) -> Path:
    """The directory of the run of that name, or of RUN/TASK, in the runs folder. Raises ValueError if there is none."""
    return places.place(runs_folder(folder), name)
