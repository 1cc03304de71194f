"""Students' runs, and work on their checkpoints, end when they have had their time."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from app.visitors.room import TEACHER, Room
from edm import runs

if TYPE_CHECKING:
    from edm.runs.tasks import Task

OVERDUE_SECONDS = 5  # between two looks for runs that have had their time


def overdue(room: Room, run: runs.Run | Task) -> bool:
    """Whether a student's run, or a task of one, has had its time."""
    if room.kind != "classroom" or run.state not in ("running", "paused") or not run.started or not run.owner:
        return False
    return not run.owner.endswith(TEACHER) and time.time() - run.started > 60 * room.allowance.minutes


def keep_time(room: Room) -> None:
    """Stop students' runs that have had their time, in a thread, from now on."""

    def watch():
        while True:
            time.sleep(OVERDUE_SECONDS)
            from edm.runs import tasks  # which loads torch: not before the page is there

            try:
                for run in runs.all_runs(room.folder):
                    for one in (run, *tasks.of(run.folder)):
                        if overdue(room, one):
                            runs.stop(one.folder)
            except Exception:  # a file server that is away, a run that is gone: look again
                logging.getLogger(__name__).exception("the runs in %s could not be timed", room.folder)

    if room.kind == "classroom":
        threading.Thread(target=watch, name="time-keeper", daemon=True).start()
