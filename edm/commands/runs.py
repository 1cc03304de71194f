"""python -m edm runs: everything that can be done to runs, from a terminal."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from edm.base import paths
from edm.base.atomic import atomic
from edm.base.errors import Refused
from edm.commands import bringing, costs
from edm.commands import options as common
from edm.commands.help import command
from edm.training.settings import Training

if TYPE_CHECKING:
    import argparse

WAIT = 0.2  # seconds between two looks
_DEVICES = "cpu, cuda, cuda:1, …, or several at once: cuda*2, cpu*2"


ABOUT = """Runs that outlive this terminal, and the page: each is `python -m edm train` in a process of its own, and a
folder of plain files in the folder of all runs. Each GPU, or the CPU, trains one run at a time; others wait, until the
page, or any command here, looks after the queue, and which GPU one gets is chosen then. Several machines may share the
folder: a worker on another one counts as gone after two minutes without a sign of life."""
MORE = """examples:
  python -m edm runs start --preset training/digits --name digits --device cuda*2
  python -m edm runs list
  python -m edm runs show digits
  python -m edm runs stop digits
  python -m edm runs resume digits --lr 1e-4
  python -m edm runs history digits --out digits.csv
  python -m edm runs gc

All the page's Train tab does can be done here, at the same time. `show` says why a run has ended, what to change, and
the last lines of its log."""


def add(commands: argparse._SubParsersAction) -> None:
    title = "list, start, stop, resume and delete runs that outlive this terminal"
    parser = command(commands, "runs", title, ABOUT, MORE)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for name, (text, act) in _VERBS.items():
        short = f"python -m edm runs {name}{' NAME' if act is _resume else ''} [options]"
        verb = command(verbs, name, text, usage=short if act in (_start, _resume) else None)
        verb.add_argument(
            "--runs", type=paths.text, metavar="FOLDER", help="folder of all runs (default: $EDM_RUNS, or runs/)"
        )
        verb.add_argument("--at-once", type=int, default=1, help="runs that a device may train at once (default: 1)")
        verb.set_defaults(run=_run, act=act)
        if act not in (_list, _start, _gc):
            one = act in (_resume, _history, _tensorboard)
            either = ", or RUN/TASK" if act in (_show, _stop, _resume, _delete) else ""
            verb.add_argument("name", nargs=None if one else "+", help=f"name of the run{either}")
        if act in (_start, _gc):
            verb.add_argument("--keep", type=int, default=3, help="checkpoints to keep of a run, beside its best one")
        if act is _stop:
            verb.add_argument("--grace", type=float, default=30, help="seconds it has to end by itself (default: 30)")
        if act is _start:
            verb.add_argument("--name", help="name of the run (default: the dataset's, with a number)")
            where = f"{_DEVICES} (default: the GPU with the most free memory)"
            verb.add_argument("--device", default="auto", help=where)
            common.add(verb, Training, "training", alone=True)
        if act is _resume:
            verb.add_argument("--device", help=f"{_DEVICES} (default: the same)")
            verb.add_argument("--accept-data", action="store_true", help="though its data are not the same any more")
            common.fields(verb, Training)
        if act is _history:
            verb.add_argument("--out", type=paths.text, metavar="FILE", help="a .csv file to write (default: print it)")
        if act is _tensorboard:
            verb.add_argument(
                "--out", type=paths.text, metavar="FOLDER", help="where to (default: tensorboard/ in the run's own)"
            )


def _run(options):
    from edm import runs

    if options.at_once < 1:
        raise Refused(f"--at-once {options.at_once}: must be 1 or more")
    folder = runs.runs_folder(options.runs)
    options.act(options, folder)
    runs.advance(folder, options.at_once)


def _list(options, folder):
    from edm import runs

    for run in runs.all_runs(folder, details=True):
        for one in (run, *runs.all_runs(run.folder / runs.TASKS, details=True)):
            print(
                f"{one.name:24} {one.state:12} {_progress(one):>22}  {_size(one.disk or 0):>9}  {_note(one)}".rstrip()
            )


def _show(options, folder):
    from edm import runs

    for name in options.name:
        run = runs.read(runs.find(folder, name))
        print(f"{run.name}: {run.state}, {_progress(run)} images, {_size(run.disk or 0)}")
        facts = {
            "why": run.sentence,
            "place": run.pid and run.state in runs.LIVE and f"process {run.pid} on {run.host}, {run.device}",
            "GPUs": run.state == "running" and _gpus(run),
            "loss": run.loss and f"{run.loss:.4f}",
            "left": run.state == "running" and run.left is not None and f"{run.left:,.0f} s, {run.rate:,.0f} images/s",
            "checkpoint": run.checkpoint,
            "command": run.command,
        }
        facts |= _result(run.folder)
        facts |= {f"remedy {i}": title for i, (title, _) in enumerate(run.remedies, 1)}
        for title, value in facts.items():
            if value:
                print(f"  {title:12}{value}")
        for line in run.log:
            print(f"  | {line}")


def _start(options, folder):
    from edm import runs

    settings = Training.parse(bringing.completed(common.document_of(options)))
    path = runs.start(settings, folder, options.device, options.name, options.keep)
    costs.warn(settings, options.device)
    runs.advance(folder, options.at_once)
    print(f"{path}: {runs.read(path).state}")


def _stop(options, folder):
    from edm import runs

    paths = [runs.find(folder, name) for name in options.name]
    for path in paths:
        runs.stop(path, options.grace)
    for path in paths:
        while (run := runs.read(path)).state in runs.LIVE:
            runs.advance(folder, options.at_once)
            time.sleep(WAIT)
        print(f"{path}: {run.state}, {_progress(run)} images")


def _resume(options, folder):
    from edm import runs
    from edm.runs import tasks

    path, changes = runs.find(folder, options.name), common.given(options)
    if "/" not in options.name:
        runs.resume(path, device=options.device, accept_data=options.accept_data, look=True, **changes)
    elif options.accept_data or changes:
        raise Refused(f"{options.name} is a task, which goes on as it was asked for; for other settings begin another")
    else:
        tasks.resume(path, options.device)
    runs.advance(folder, options.at_once)
    print(f"{path}: {runs.read(path).state}")


def _result(folder) -> dict[str, str]:
    """What has come of a task, in lines."""
    from edm.runs import places, tasks

    if not places.is_task(folder):
        return {}
    task = tasks.read(folder)
    found, lines = task.result or {}, {"checkpoint": f"of {task.images:,} images"}
    if "measure" in found:
        distance = found.get("frechet", found.get("sliced_wasserstein"))
        lines["result"] = f"{found['measure']} {distance:.4g} of {found['count']:,} samples"
    elif found:
        lines["result"] = f"{found['images']:,} images in {folder / found['place']}"
    return lines


def _pause(options, folder):
    from edm import runs

    for path in [runs.find(folder, name) for name in options.name]:
        runs.pause(path)


def _unpause(options, folder):
    from edm import runs

    for path in [runs.find(folder, name) for name in options.name]:
        runs.unpause(path)


def _delete(options, folder):
    from edm import runs

    for path in [runs.find(folder, name) for name in options.name]:
        runs.delete(path)
        print(f"{path}: deleted")


def _history(options, folder):
    from edm import runs

    table = runs.history(options.name, folder)
    if options.out is None:
        print(table.to_csv(lineterminator="\n"), end="")
        return
    with atomic(options.out) as file:
        table.to_csv(file, lineterminator="\n")


def _tensorboard(options, folder):
    from edm import runs
    from edm.runs import tensorboard

    print(tensorboard.write(runs.find(folder, options.name), options.out))


def _gc(options, folder):
    from edm import runs

    print(f"{_size(runs.gc(folder, options.keep))} freed")


_VERBS = {
    "list": ("every run, with its state", _list),
    "show": ("one run, with the last lines of its log", _show),
    "start": ("start a run, or put it into the queue", _start),
    "stop": ("ask runs to end with a checkpoint, and see to it that they do", _stop),
    "pause": ("ask runs to hold: they keep their device, and compute nothing", _pause),
    "unpause": ("let runs that were asked to hold go on", _unpause),
    "resume": ("go on with a run that is over, from its last checkpoint, with other settings if given", _resume),
    "delete": ("delete runs that are over", _delete),
    "history": ("what a run has measured, as a table: .csv", _history),
    "tensorboard": ("write a run's measures as logs for TensorBoard", _tensorboard),
    "gc": ("delete checkpoints of runs that are over, but for the newest and the best", _gc),
}


def _progress(run) -> str:
    return f"{run.images:,} / {run.total:,}" if run.total else f"{run.images:,}"


def _note(run) -> str:
    if run.waits:
        return "waits for its turn"
    return run.sentence or (f"{run.left:,.0f} s left" if run.state == "running" and run.left is not None else "")


def _gpus(run) -> str:
    """How busy and how full they are, and what of their arithmetic the run gets."""
    busy = [] if run.gpu_utilization is None else [f"{run.gpu_utilization:.0%} busy"]
    taken = [f"{run.gpu_memory / 1e9:,.1f} GB taken"] if run.gpu_memory else []
    got = [f"{run.rate / run.most:.0%} of their arithmetic"] if run.rate and run.most else []
    return ", ".join([*busy, *taken, *got])


def _size(count: int) -> str:
    return f"{count / 1e6:,.1f} MB"
