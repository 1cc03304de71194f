"""Learn, then copy: when a network that learns from few samples begins to copy them (`app.work.copying_runs`).

Good samples come after a time that does not depend on the number n of training samples; copies after one that grows
with it (arXiv 2505.17638).
"""

from __future__ import annotations

import numpy as np

from app.instruments.base import Instrument, View, option
from app.messages import drawings
from app.work import copying_runs

COLORS = ("c2", "c1", "c3", "c4")
CHANCE = 100 / 27  # % of points on a plane of 3 dimensions that are nearer to one than ⅓ of the way to the next


def _counts() -> dict[str, str]:
    return {str(examples): f"n = {examples}" for examples in copying_runs.COUNTS}


class Times(View):
    """Which of the runs."""

    runs: tuple[str, ...] = option(
        tuple(_counts()),
        "runs",
        "How many samples of a 3-dimensional plane in 16 dimensions were learned",
        choices=_counts,
        colors=lambda name: COLORS[list(_counts()).index(name)],
        section="Training samples",
    )


def respond(settings: Times, context):
    found = [run for run in copying_runs.recorded() if str(run["examples"]) in settings.runs]
    yield _body(found), True


def _body(runs):
    images = {"title": "images seen", "log": True}
    copies = {
        "x": images,
        "y": {"title": "copies, %", "range": [-4, 104]},
        "lines": [_line(run, [100 * share for share in run["copies"]]) for run in runs],
        "marks": [{"y": CHANCE, "text": "by chance"}],
    }
    error = {
        "x": images,
        "y": {"title": "E[λ · error] on fresh samples"},
        "lines": [_line(run, run["error"]) for run in runs],
    }
    return {
        "figure": {"panels": [copies, error], "columns": 2},
        "summary": _summary(runs),
        "python": _PYTHON,
    }


def _line(run, values):
    color = dict(zip(copying_runs.COUNTS, COLORS, strict=False))[run["examples"]]
    return {"name": f"n = {run['examples']}", "color": color, "mode": "lines+markers", "size": 5,
            "x": run["images"], "y": values}  # fmt: skip


def _summary(runs):
    if not runs:
        return "Choose a number of training samples."
    said = []
    for run in runs:
        best = int(np.argmin(run["error"]))
        said.append(
            f"n = {run['examples']}: {100 * run['copies'][-1]:.0f} % copies at the end, error least "
            f"({run['error'][best]:.2f}) after {run['images'][best]:,} images and {run['error'][-1]:.2f} at the end"
        )
    return (
        f"{'; '.join(said)}. Recorded here; on Train, choose A plane in 16 dimensions and a number of training samples "
        "to run it yourself."
    )


_PYTHON = """\
import edm

preset = edm.presets.read("training/plane")["training"]
for n in (16, 64, 256):
    settings = edm.Training.parse(preset | {"data": preset["data"] | {"examples": n}})
    for event in edm.train(settings):
        if getattr(event, "copies", None) is not None:
            print(n, event.images, event.copies)
"""

INSTRUMENT = Instrument(
    "times",
    "loss",
    "Learn, then copy",
    "When does a network begin to copy what it learns? The later, the more samples there are.",
    Times,
    respond,
    body=drawings.Drawing,
)
