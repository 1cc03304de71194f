"""The options of commands whose work can wait in the queue of runs, on a run's checkpoint (`edm.runs.tasks`)."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from edm.base.errors import Refused
from edm.base.paths import expanded
from edm.commands import options as common
from edm.files import names, saved


def add(parser: argparse.ArgumentParser, what: str) -> None:
    """--queue, and --run for whoever starts a task. what: is put into the queue."""
    text = f"{what} in the background, as a task of the run whose checkpoint it is: python -m edm runs list"
    parser.add_argument("--queue", action="store_true", help=text)
    own = "do the task in this folder as its own files say, as a queue does; other options are not for that"
    parser.add_argument("--run", dest="folder", type=common.place, metavar="FOLDER", help=own)
    parser.add_argument("--beginning", type=int, help=argparse.SUPPRESS)  # of a task that a queue starts: which one


def work(kind: str, options: argparse.Namespace) -> int:
    """Do the task of --run."""
    from edm.runs.working import work as done

    if options.queue or options.preset or options.config or common.given(options):
        raise Refused("--run does a task as its folder says; for another one leave it out")
    return done(options.folder, options.beginning, kind)


def start(kind: str, model: str, settings: dict, device: str) -> None:
    """Put a task into the queue of the runs among which the model's run is, and start what that allows."""
    from edm import runs
    from edm.runs import tasks

    run, images = _run(model)
    path = tasks.start(run, kind, settings, device, checkpoint=images)
    runs.advance(run.parent)
    print(f"{path}: {tasks.read(path).state}")


def _run(model: str) -> tuple[Path, int | None]:
    """(a run's folder, which of its checkpoints) of a model: run-NAME_IMAGES, its file, the run's folder or name."""
    file: Any = names.checkpoint(model) or expanded(model)
    if file.is_file() and file.parent.name == "checkpoints" and (images := saved.number(file)) is not None:
        return file.absolute().parent.parent, images
    for folder in (file, names.runs_folder() / model):
        if saved.checkpoints(folder):
            return folder.absolute(), None
    raise Refused(f"--queue is for a run's checkpoint, and {model!r} is none; leave it out, or name a run")
