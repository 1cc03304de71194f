"""A run in words and numbers for the page: its row in the list, what stays the same, and what a closer look shows."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from app.figures import pack
from app.sentences.visible import names
from app.training import devices, recipes
from edm import data, diagnostics, runs
from edm.base import atomic
from edm.base.errors import Refused
from edm.data import DATASETS, points
from edm.files import saved
from edm.plots.panels import rounded
from edm.runs import places
from edm.training.goals import GOALS
from edm.training.settings import Training

SHOWN_POINTS = 400
GRID = np.geomspace(0.002, 100, 121)  # σ of the curve p_train


def row(run: runs.Run) -> dict:
    """What the list shows of a run."""
    settings, told = settings_of(run), names(run.folder.parent).text
    return {
        "name": run.name,
        "state": run.state,
        "waits": run.waits,
        "images": run.images,
        "total": run.total,
        "minutes": settings and settings.minutes,
        "loss": run.loss,
        "rate": run.rate,
        "left": run.left,
        "memory": run.memory,
        "usage": devices.usage(run),
        "device": devices.place(run),
        "owner": run.owner,
        "started": run.started,
        "sentence": run.sentence and told(run.sentence),
        "remedies": [{"title": title, "changes": changes} for title, changes in run.remedies],
        "checkpoint": saved.number(run.checkpoint) if run.checkpoint else None,
        "command": run.command and told(run.command),
        "column": settings and recipes.column_of(settings.design),
        "dataset": settings and settings.data.dataset,
        "learns": settings.learns if settings else next(iter(GOALS)),
        "pictures": settings is not None and _are_pictures(settings.data.dataset),
    }


def peak(run: runs.Run) -> float | None:
    """The share of what its GPUs can compute that a run gets of them, from 0 to 1; None where that is not known."""
    return run.rate / run.most if run.rate and run.most and run.state == "running" else None


def settings_of(run: runs.Run) -> Training | None:
    """The settings in a run's config.json; None if there are none that can be read."""
    path = run.folder / "config.json"
    try:
        return _settings(path, atomic.stamp(path))
    except (OSError, Refused):
        return None


@lru_cache(maxsize=1024)
def _settings(path, _stamp) -> Training:
    return Training.parse(path.read_bytes())


def design(run: runs.Run) -> dict:
    """Where the run's training falls: p_train(σ) as a density in ln σ over a grid; its data, if they are points."""
    settings = settings_of(run)
    if settings is None:
        return {"grid": [], "density": [], "points": None}
    density = diagnostics.training_density(settings.design, GRID)
    return {"grid": rounded(GRID), "density": rounded(density), "points": _points(settings.data)}


def plane(settings: Training | None) -> np.ndarray | None:
    """By which points in many dimensions that a run draws are shown; None: the first two."""
    known = data.learned(settings.data) if settings else None
    return known.plane if known else None


def _are_pictures(dataset: str) -> bool:
    known = DATASETS.get(dataset)
    return len(known.shape) == 3 if known else dataset != "points"


def _points(data) -> str | None:
    """Some of the points in a file that a run learns from: a picture of its data."""
    if data.dataset != "points":
        return None
    try:
        known = points.read(data.path, data.columns)
    except Refused:
        return None
    return pack.float32(known[np.linspace(0, len(known) - 1, min(len(known), SHOWN_POINTS)).astype(int)])


def details(run: runs.Run) -> dict:
    """What a closer look at a run shows beside its row: the end of its log, its place on the disk, what it gets of its
    GPUs; and its id, which no other run of that name has."""
    told = {"id": places.identity(run.folder), "disk": run.disk, "host": run.host, "pid": run.pid, "peak": peak(run)}
    return {**told, "log": [names(run.folder.parent).text(line)[:400] for line in run.log[-12:]]}
