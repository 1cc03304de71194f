"""The samples that a run has drawn at its ticks, as messages."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from app.figures import pack
from app.figures.flow import arrows
from edm import checkpoints, runs
from edm.base import atomic
from edm.base.errors import Refused
from edm.data.brought.vectors import NOT_NUMPY
from edm.embedded import in_plane
from edm.files import names, render, saved

MOST_BYTES = 8 << 20
MOST_POINTS, THUMBNAIL_POINTS = 1000, 220


def frame(run: runs.Run, images: int, count: int, flow: Callable | None = None, plane=None) -> dict | None:
    """The samples of one tick, or None if there are none.

    Of pictures {images, count, columns, tile, gap, png}: a grid, its sizes in pixels; of points {images, dimension, x,
    field}. count: of the samples. flow: of points in the plane, a checkpoint -> where the flow goes. plane: by which
    those of more dimensions are drawn (`edm.embedded.in_plane`).
    """
    drawn = [names.samples_file(run.folder, int(images), suffix) for suffix in (".png", ".npz")]
    found = _picture(drawn[0], count) or _points(drawn[1], plane)
    if found is None:
        return None
    checkpoint, flat = names.checkpoint_file(run.folder, int(images)), found.pop("of", None) == 2
    if flow and flat and checkpoint.is_file():
        found["field"] = flow(checkpoint)
    return {"images": int(images), **found}


def _bytes(path) -> bytes | None:
    try:
        return path.read_bytes() if path.stat().st_size <= MOST_BYTES else None
    except OSError:
        return None


def _picture(path, count) -> dict | None:
    data = _bytes(path)
    if data is None:
        return None
    try:
        sheet = render.sheet_of(Image.open(io.BytesIO(data)), count)
    except OSError:
        return None
    layout = {"columns": sheet.columns, "tile": sheet.width, "gap": sheet.gap}
    return {"count": count, **layout, "png": base64.b64encode(data).decode()}


def _points(path, plane) -> dict | None:
    samples = _samples(path)
    if samples is None:
        return None
    drawn = in_plane(samples[:MOST_POINTS], plane)
    return {"of": samples.shape[1], "dimension": drawn.shape[1], "x": pack.float32(drawn)}


def _samples(path) -> np.ndarray | None:
    """The points [n, d] in a file; None if there are none."""
    data = _bytes(path)
    try:
        samples = np.load(io.BytesIO(data))["samples"] if data else None
    except NOT_NUMPY:
        return None
    return samples if samples is not None and samples.ndim == 2 and samples.dtype.kind == "f" else None


def flow(checkpoint: Path, device) -> dict | None:
    """Where the flow of a checkpoint goes, over the plane at one σ; None if the file is gone."""
    try:
        denoiser = checkpoints.load(checkpoint, device)
    except (Refused, OSError):
        return None
    return arrows(denoiser, denoiser.sigma_data, device)


def thumbnail(checkpoint: Path, shape, plane: np.ndarray | None = None) -> str | None:
    """What the run of a checkpoint has drawn last, as a thumbnail of its model; None if it has drawn nothing yet."""
    run = checkpoint.parent.parent
    try:
        return _last(run, tuple(shape), None if plane is None else plane.tobytes(), atomic.stamp(run / "samples"))
    except OSError:
        return None


@lru_cache(maxsize=256)
def _last(run, shape, plane, _changed) -> str | None:  # the same for all checkpoints of a run
    for path in reversed(saved.samples(run)):
        if len(shape) == 1 and (samples := _samples(path)) is not None:
            axes = None if plane is None else np.frombuffer(plane).reshape(2, -1)
            return pack.float32(in_plane(samples[:THUMBNAIL_POINTS], axes))
        if len(shape) == 3 and (data := _bytes(path)):
            try:
                return pack.uint8([render.first_of(Image.open(io.BytesIO(data)), shape)])
            except OSError:
                continue
    return None
