"""The worker of a task: `python -m edm sample --run FOLDER`, or `evaluate`, as a launcher starts it."""

from __future__ import annotations

import os
import sys
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from edm.base.devices import option, out_of_memory
from edm.base.errors import Refused
from edm.base.faults import fault
from edm.base.paths import expanded
from edm.base.rates import Rate
from edm.runs import beginnings, launchers, places, tasks
from edm.runs.failures import Failure, disk_full, explain
from edm.runs.kinds import KINDS
from edm.runs.reading import OVER
from edm.runs.worker import BEAT, Worker
from edm.training import parallel

if TYPE_CHECKING:
    from edm.base.types import StrPath


class _Worker(Worker):
    """A context in which a task is done: it says how far it is, and why it ended."""

    def __init__(self, task: tasks.Task, number: int | None, **told: Any):
        super().__init__(task.folder, number, None, **told)
        self._task, self._rate = task, Rate()

    def reached(self, done: int, total: int) -> None:
        self._rate.add(done)
        self._status |= {"images": done, "total": total}
        self._status |= {"rate": self._rate.each_second, "left": self._rate.left(total)}

    def _explained(self, error) -> Failure:
        return explained(error)


def explained(error: BaseException) -> Failure:
    """What has ended a task."""
    text = " ".join(str(error).split())
    if disk_full(error):
        sentence = f"the disk is full; make room, then resume it: what is done is kept ({text:.200})"
        return Failure("disk", sentence, (("Make room, then resume", {}),))
    if out_of_memory(error):
        fewer = "begin one that takes fewer samples at once (batch), or half precision"
        return Failure("memory", f"it does not fit into memory; {fewer} ({text:.200})")
    if isinstance(error, KeyboardInterrupt):
        return Failure("stopped", "interrupted from its terminal; resume it")
    if isinstance(error, Refused | OSError):
        return Failure("settings", text[:1000])
    name = type(error).__name__
    known = fault(f"{name}: {text}")
    if known:
        return Failure(known.reason, f"{known.sentence}; what is done is kept, and resuming goes on ({text:.200})")
    if explain(error).reason == "lost":
        return Failure("lost", f"one of its processes was lost; what is done is kept: resume it ({text:.200})")
    return Failure("unexpected", f"it met an error of the program, {name}: {text:.300}; its log has more")


def work(folder: StrPath, number: int | None = None, kind: str | None = None) -> int:
    """Do the task in a folder, or what is left of it, as its worker. Returns an exit code.

    number: of its beginning, which has been taken; None: take the next one. Raises ValueError for what is no task of
    that kind, or is being done.
    """
    folder = expanded(folder).absolute()
    if not folder.is_dir():
        raise Refused(f"--run {folder}: there is no such folder")
    task = tasks.read(folder)
    if kind not in (None, task.kind):
        raise Refused(f"--run {folder}: it is to {task.kind}: python -m edm {task.kind} --run {folder}")
    if task.state == "finished":
        raise Refused(f"--run {folder}: it has finished")
    launcher = launchers.launcher_of(folder)
    with parallel.world(option(_device(folder, number))) as world:
        handles = world.gather(launcher.own())
        if world.rank:
            return _follow(task, number, world)
        device = str(world.device) if world.size == 1 else f"{world.device.type}*{world.size}"
        told: dict[str, Any] = {"device": device, "images": 0, "total": KINDS[task.kind].total(task.settings)}
        if world.size > 1:
            told |= {"leader": launcher.own(leader=True), "others": handles}
        if number is None:
            number = beginnings.take(folder, {"kind": task.kind})
        try:
            with _Worker(task, number, **told) as worker:
                for done, total in KINDS[task.kind].work(task, tasks.model_of(task), world):
                    worker.check()
                    worker.reached(done, total)
                    if worker.asked():
                        break
                else:
                    worker.reached(told["total"], told["total"])
                    (folder / tasks.MODEL).unlink(missing_ok=True)
        except KeyboardInterrupt:
            return 130
    found = tasks.read(folder)
    print(f"{places.called(folder)}: {found.state}, {found.done:,} of {found.total or 0:,} samples")
    sys.stdout.flush()
    if world.size > 1 and found.state != "finished":
        os._exit(0)  # the others may be waiting for this one, and end by what its status says
    return 0


def _follow(task, number, world) -> int:
    """Do one's share of a task that another process leads; ends when that has ended."""
    threading.Thread(target=_end_with, args=(task.folder, number), name="its leader's end", daemon=True).start()
    try:
        for _ in KINDS[task.kind].work(task, tasks.model_of(task), world):
            pass
    except Exception as error:
        failure = explained(error)
        if number is not None and failure.reason != "lost":  # of which its leader knows as much
            with suppress(OSError):
                places.create(places.request(task.folder, number, "fellow"), vars(failure))
        raise
    return 0


def _end_with(folder, number):
    """End this process once the leader has told how the task ended."""
    while True:
        time.sleep(BEAT)
        status = places.read(folder / "status.json")
        if (number is None or status.get("number") == number) and status.get("state") in OVER:
            os._exit(0 if status["state"] in ("finished", "stopped") else 1)


def _device(folder, number) -> str:
    """The device that this beginning has got, or was asked for."""
    number = number or places.newest(folder)
    asked = places.read(places.request(folder, number, "start")).get("device") or "auto"
    taken = places.read(places.request(folder, number, "taken")).get("place")
    return taken if asked == "auto" and isinstance(taken, str) and "+" not in taken else asked
