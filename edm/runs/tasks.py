"""Tasks: work on a run's checkpoint that waits in the queue of runs, and outlives whoever asked for it, as a run does.

RUN/tasks/NAME/config.json        which kind of `edm.runs.kinds`, on which checkpoint, and its settings
RUN/tasks/NAME/model.safetensors  that checkpoint, for as long as it is needed: the run may delete its own meanwhile
RUN/tasks/NAME/report.json        what has come of it
RUN/tasks/NAME/requests/, …       as in a run's folder: a task is queued, started, stopped and resumed like one

from edm.runs import tasks
path = tasks.start("runs/digits", "evaluate", {"count": 10_000})
tasks.read(path).result
"""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from edm.base.atomic import make, settle
from edm.base.errors import Refused
from edm.base.fields import Settings
from edm.base.paths import expanded
from edm.files import names, saved
from edm.runs import launchers, lease, places, queue, reading
from edm.runs.keeping import delete
from edm.runs.kinds import KINDS, REPORT, Task
from edm.runs.queue import stop

if TYPE_CHECKING:
    from edm.base.types import StrPath

__all__ = ["KINDS", "Task", "delete", "of", "read", "resume", "start", "stop"]

MODEL = "model.safetensors"
_FILES = ("path", "inception", "reference_stats")  # fields that say where something is


def start(
    run: StrPath, kind: str, settings: Settings | dict | None = None, device: str = "auto", name: str | None = None,
    owner: str | None = None, checkpoint: int | None = None, launcher: str = launchers.LOCAL,
) -> Path:  # fmt: skip
    """Put work on a run's checkpoint into the queue; `advance` starts it. Returns the task's directory.

    kind: a name of KINDS; settings: of it, or a document of them. device, owner, launcher: as of a run. name: None for
    the kind's with a number. checkpoint: images that it has seen; None: the newest whole one.
    Raises ValueError for what cannot be.
    """
    from edm.files.checkpoints import read_header

    run = expanded(run)
    if kind not in KINDS:
        raise Refused(f"there is no task {kind!r}; there are {', '.join(KINDS)}")
    known, model = KINDS[kind], _checkpoint(run, checkpoint)
    asked = settings if isinstance(settings, known.settings) else known.settings.parse(settings or {})
    asked = _placed(asked)
    known.check(asked, read_header(model))
    request = {**queue.requested(device, owner, launcher, known.total(asked)), "kind": kind}
    path = _new(run, kind, name)
    try:
        make(path / "requests")
        with suppress(OSError):  # on a file system without links the run's own is read
            os.link(model, path / MODEL)
        document = {"kind": kind, "checkpoint": int(model.stem), "settings": asked.document()}
        places.write(path / "config.json", document)
        queue.ask(path, 1, request, queue.passable([kind, f"--run={path.absolute()}"]))
    except BaseException:
        shutil.rmtree(path, ignore_errors=True)
        raise
    return path


def resume(path: StrPath, device: str | None = None, owner: str | None = None) -> Path:
    """Put a task that is over, and has not finished, into the queue again: it goes on where it was.

    device: None for the same. Raises ValueError if it cannot.
    """
    path = expanded(path)
    task, found, last = read(path), reading.read(path, details=False), places.newest(path)
    if not task.resumable:
        raise Refused(f"the task {found.name!r} is {task.state}; only one that has ended early can be resumed")
    before = places.read(places.request(path, last, "start"))
    device, owner = device or before.get("device", "auto"), owner or before.get("owner")
    total = KINDS[task.kind].total(task.settings)
    request = queue.requested(device, owner, before.get("launcher", launchers.LOCAL), total)
    lease.seize(found)
    queue.ask(path, last + 1, {**request, "kind": task.kind}, queue.passable([task.kind, f"--run={path.absolute()}"]))
    return path


def of(run: StrPath) -> list[Task]:
    """The tasks of a run, the last asked for first; those that cannot be read are left out."""
    found = []
    for each in reading.all_runs(expanded(run, places.TASKS)):
        with suppress(Refused):
            found.append(_read(each))
    return found


def read(path: StrPath, details: bool = False) -> Task:
    """The task in a directory. details: the last lines of its log, too. Raises ValueError if it is none."""
    return _read(reading.read(path, details))


def model_of(task: Task) -> Path:
    """The checkpoint that a task works on. Raises ValueError if it is gone."""
    model = task.folder / MODEL
    model = model if model.is_file() else names.checkpoint_file(task.folder.parents[1], task.images)
    if not model.is_file():
        raise Refused(f"the checkpoint of {task.images:,} images of the run {task.run!r} is gone; begin with another")
    return model


def _read(found) -> Task:
    document = places.read(found.folder / "config.json")
    kind = document.get("kind")
    if not isinstance(kind, str) or kind not in KINDS or not places.is_task(found.folder):
        raise Refused(f"{found.folder} is no task of a run")
    images = document.get("checkpoint")
    same = ("state", "total", "rate", "left", "device", "place", "owner", "asked", "started", "sentence", "remedies")
    return Task(
        name=found.folder.name, kind=kind, run=found.folder.parents[1].name, folder=found.folder,
        images=images if type(images) is int else 0, settings=KINDS[kind].settings.parse(document.get("settings")),
        done=found.images, result=places.read(found.folder / REPORT) or None, log=found.log,
        **{name: getattr(found, name) for name in same},
    )  # fmt: skip


def _checkpoint(run, images) -> Path:
    """The run's checkpoint of so many images, or its newest whole one."""
    if images is None:
        model = saved.newest(run)
        if model is None:
            raise Refused(saved.missing(run))
        return model
    model = names.checkpoint_file(run, images)
    if not model.is_file():
        raise Refused(f"the run {run.name!r} has no checkpoint of {images:,} images")
    if why := saved.flaw(model):
        raise Refused(f"{model} is not whole: {why}")
    return model


def _placed(settings):
    """With whole paths, as the worker may run elsewhere. Raises Refused for a file that is not there."""
    given = {name: getattr(settings, name, None) for name in _FILES}
    whole = {name: os.path.abspath(place) for name, place in given.items() if place}
    for name, place in whole.items():
        if not os.path.exists(place):
            raise Refused(f"{name} = {given[name]}: there is no such file")
    return settings.changed(**whole) if whole else settings


def _new(run, kind, name) -> Path:
    folder, number = run / places.TASKS, 1
    make(folder)
    while True:
        path = folder / names.check_name(name or f"{kind}-{number}")
        try:
            path.mkdir()
        except FileExistsError:
            if name:
                raise Refused(f"the run {run.name!r} has a task {name!r} already; give another name") from None
            number += 1
        else:
            settle(folder)
            return path
