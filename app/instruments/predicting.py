"""Predict what? A spiral in ever more dimensions, learned by networks that tell noise, velocity or data.

Data that fill few of many dimensions are few numbers, and noise is all of them: a network narrower than the space can
tell the one and not the other (JiT, arXiv 2511.13720). The runs are recorded (`app.work.prediction_runs`).
"""

from __future__ import annotations

import numpy as np

from app.figures import pack
from app.instruments.base import Instrument, View, option
from app.messages import drawings
from app.work import prediction_runs as runs
from edm import data
from edm.base.choices import formula_of
from edm.preconditioning import PRECONDITIONINGS

LETTERS = {name: made.tells[0] for name, made in runs.PREDICTIONS.items()}
KEPT = 0.25  # of the data's size: samples that are nearer to the data than that have not lost it


def _choices() -> dict[str, str]:
    return LETTERS


def _color(name) -> str:
    """What is noise, and what data, has the colour of it."""
    return {"noise": "noise", "the data": "data"}.get(runs.PREDICTIONS[name].tells[1], "flow")


class Predicting(View):
    """Which of the runs."""

    predictions: tuple[str, ...] = option(
        tuple(runs.PREDICTIONS),
        "predicts",
        "What the network tells: the noise ε, the velocity v = n − y (flow's), or the data x",
        choices=_choices,
        colors=_color,
        section="Network",
    )


def respond(settings: Predicting, context):
    yield _body([run for run in runs.recorded() if run["preconditioning"] in settings.predictions]), True


def _body(found):
    spiral, rows = data.load("spiral"), _rows(found)
    lines = [
        {
            "name": row["title"], "color": row["color"], "mode": "lines+markers", "size": 6,
            "x": [*runs.DIMENSIONS], "y": [cell["distance"] for cell in row["cells"]],
        }
        for row in rows
    ]  # fmt: skip
    x = {"title": "dimensions d", "log": True}
    y = {"title": "distance to the data, median", "log": True}
    size = _size(spiral)
    marks = [{"y": size, "text": "size of the data"}]
    return {
        "figure": {"panels": [{"x": x, "y": y, "lines": lines, "marks": marks}]},
        "summary": _summary(rows, size),
        "python": _PYTHON,
        "dimensions": [*runs.DIMENSIONS],
        "rows": rows,
        "components": pack.components(spiral.denoiser),
    }


def _rows(found) -> list[dict]:
    """A row for each prediction, a cell for each number of dimensions."""
    rows = []
    for name in dict.fromkeys(run["preconditioning"] for run in found):
        known = {run["dimensions"]: run for run in found if run["preconditioning"] == name}
        cells = [{"distance": known[d]["distance"], "x": known[d]["points"]} for d in runs.DIMENSIONS]
        title, what = runs.PREDICTIONS[name].tells
        formula = formula_of(PRECONDITIONINGS, name)
        rows.append({"title": title, "what": what, "formula": formula, "color": _color(name), "cells": cells})
    return rows


def _size(spiral) -> float:
    """RMS of ‖y‖."""
    return float(spiral.sigma_data * np.sqrt(spiral.shape[0]))


def _summary(rows, size):
    if not rows:
        return "Choose what the network predicts."
    said = [f"{row['title']} {', '.join(_short(cell['distance']) for cell in row['cells'])}" for row in rows]
    most = runs.DIMENSIONS[-1]
    ends = {row["title"]: row["cells"][-1]["distance"] for row in rows}
    kept = [title for title, distance in ends.items() if distance < KEPT * size]
    lost = [title for title in ends if title not in kept]
    verdict = f"In {most} dimensions {' and '.join(kept) or 'none'} keeps to the spiral"
    verdict += f", {' and '.join(lost)} {'are' if len(lost) > 1 else 'is'} lost" if lost else ""
    return (
        f"Median distance to the data in {', '.join(map(str, runs.DIMENSIONS))} dimensions: {'; '.join(said)}. "
        f"{verdict}: the same network of width 256, data, noise levels and loss. Recorded here; on Train, choose "
        "Spiral and a number of dimensions to run it yourself."
    )


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


_PYTHON = """\
import edm

preset = edm.presets.read("training/prediction")["training"]
rows = {"discretization": "flow", "schedule": "flow", "scaling": "flow"}
for d in (2, 16, 512):
    for prediction in ("flow_eps", "flow", "x"):  # the noise, the velocity, the data
        changes = {"data": preset["data"] | {"dimensions": d}}
        changes |= {"design": preset["design"] | {"preconditioning": prediction}}
        settings = edm.Training.parse(preset | changes)
        *_, end = (event for event in edm.train(settings) if hasattr(event, "last"))
        latents = edm.latents(edm.seeds(0, 1000), (d,))
        x = edm.last(edm.sample(end.state.denoisers()[0], latents, edm.Sampling(**rows))).x
        exact = edm.data.chosen(settings.data).denoiser
        print(d, prediction, 0.0 if d == 2 else exact.distance(x).median())
"""

INSTRUMENT = Instrument(
    "prediction",
    "loss",
    "Predict what?",
    "Noise, velocity or data: what should a network tell, where data fill few of many dimensions?",
    Predicting,
    respond,
    script="prediction",
    body=drawings.Predictions,
)
