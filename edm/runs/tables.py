"""What runs have measured, as tables for notebooks and spreadsheets."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from edm.base.paths import expanded
from edm.runs.keeping import find
from edm.training.metrics import metrics_since

if TYPE_CHECKING:
    import pandas as pd

_SCALARS = ("loss", "seconds", "rate", "nonfinite")
_GPUS = ("gpu_memory", "gpu_utilization")  # of runs on a GPU


def history(run: str | os.PathLike, folder: str | os.PathLike | None = None) -> pd.DataFrame:
    """The ticks of a run, finished or not, a row each, with `images` as the index.

    run: its name in the runs folder, or, as a Path, its own folder. folder: of all runs, where it is not $EDM_RUNS or
    runs/. Columns: loss (mean since the tick before), seconds (spent in steps), rate (images per second), nonfinite
    (steps left out), on GPUs gpu_memory (bytes) and gpu_utilization (0 to 1), and "σ = …" for each noise level, the
    mean ‖D − y‖²/d there on images for validation. NaN: not measured, or not finite. Raises ValueError if there is no
    such run.
    """
    import pandas as pd

    place = find(folder, run) if isinstance(run, str) else expanded(run)
    rows, cursor, more = [], "", True
    while more:
        found = metrics_since(place, cursor)
        rows = [*([] if found.anew else rows), *map(_row, found.lines)]
        cursor, more = found.cursor, found.more
    images = pd.Index([row.pop("images") for row in rows], dtype="int64", name="images")
    known = {name for row in rows for name in row}
    levels = sorted(known.difference(_SCALARS, _GPUS))
    scalars = [*_SCALARS, *(name for name in _GPUS if name in known)]
    table = pd.DataFrame(rows, index=images, columns=[*scalars, *levels], dtype="float64")
    return table.rename(columns={sigma: f"σ = {sigma:.4g}" for sigma in levels})


def _row(line: dict) -> dict:
    """A line of metrics as {images, loss, …, σ: error}; what is of another making is left out."""
    row = {name: line[name] for name in (*_SCALARS, *_GPUS) if _is_number(line.get(name))}
    sigmas, measured = line.get("sigmas"), line.get("validation")
    if isinstance(sigmas, list) and isinstance(measured, list) and len(sigmas) == len(measured):
        pairs = zip(sigmas, measured, strict=True)
        row |= {float(s): error for s, error in pairs if _is_number(s) and _is_number(error)}
    return {"images": line["images"], **row}


def _is_number(value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
