"""Runs: training that outlives whoever started it. A run is its folder, of plain files, and a worker that reads there
what to do: `python -m edm train --run FOLDER`. How one is started, watched and ended is known to a launcher alone
(`edm.runs.launchers`): processes of this machine, or whatever else is put into its LAUNCHERS.

path = runs.start(edm.Training(images=100_000), "runs", name="moons")
runs.advance("runs")                   # starts what the queue allows; call it again and again
runs.read(path).state                  # queued, running, paused, stopping; stopped, finished, failed, interrupted
runs.metrics_since(path, cursor)       # what is new
runs.history("moons")                  # the whole of it, as a pandas DataFrame
tasks.start(path, "evaluate")          # of edm.runs.tasks: work on its checkpoint, in the same queue
runs.pause(path); runs.unpause(path); runs.stop(path); runs.resume(path, lr="1e-4"); runs.delete(path)
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edm.files.names import check_name, runs_folder
    from edm.runs.keeping import best, delete, find, gc
    from edm.runs.logs import tail
    from edm.runs.places import TASKS, disk_use
    from edm.runs.queue import advance, pause, resume, start, stop, unpause
    from edm.runs.reading import LIVE, OVER, Run, all_runs, read
    from edm.runs.tables import history
    from edm.training.metrics import Lines, metrics_since

__all__ = [
    "LIVE",
    "OVER",
    "TASKS",
    "Lines",
    "Run",
    "advance",
    "all_runs",
    "best",
    "check_name",
    "delete",
    "disk_use",
    "find",
    "gc",
    "history",
    "metrics_since",
    "pause",
    "read",
    "resume",
    "runs_folder",
    "start",
    "stop",
    "tail",
    "unpause",
]
_HOMES = {  # each is loaded when it is asked for: where a run lies is known without torch
    "LIVE": "runs.reading",
    "Lines": "training.metrics",
    "OVER": "runs.reading",
    "Run": "runs.reading",
    "TASKS": "runs.places",
    "advance": "runs.queue",
    "all_runs": "runs.reading",
    "best": "runs.keeping",
    "check_name": "files.names",
    "delete": "runs.keeping",
    "disk_use": "runs.places",
    "find": "runs.keeping",
    "gc": "runs.keeping",
    "history": "runs.tables",
    "metrics_since": "training.metrics",
    "pause": "runs.queue",
    "read": "runs.reading",
    "resume": "runs.queue",
    "runs_folder": "files.names",
    "start": "runs.queue",
    "stop": "runs.queue",
    "tail": "runs.logs",
    "unpause": "runs.queue",
}


def __getattr__(name):
    if name not in _HOMES:
        raise AttributeError(f"module 'edm.runs' has no attribute {name!r}; it has {', '.join(__all__)}")
    return getattr(import_module(f"edm.{_HOMES[name]}"), name)
