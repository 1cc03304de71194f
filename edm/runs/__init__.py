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

from edm.files.names import check_name, runs_folder
from edm.runs.keeping import best, delete, find, gc
from edm.runs.logs import tail
from edm.runs.places import TASKS
from edm.runs.queue import advance, pause, resume, start, stop, unpause
from edm.runs.reading import LIVE, OVER, Run, all_runs, disk_use, read
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
