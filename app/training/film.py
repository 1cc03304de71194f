"""The samples that a run has drawn at its ticks, as messages."""

from __future__ import annotations

import base64
import io
import math
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from app.figures import pack
from edm import checkpoints, diagnostics, runs
from edm.base.errors import Refused
from edm.data import points
from edm.files import saved

MOST_BYTES = 8 << 20
MOST_POINTS, THUMBNAIL_POINTS = 1000, 220
GAP = 4  # pixels between the tiles of `edm.render.grid`
FIELD, WINDOW, FIELD_SIGMA = 15, 1.3, 0.5  # arrows each way; half width; σ in units of σ_data


def frame(run: runs.Run, images: int, count: int, field: Callable | None = None) -> dict | None:
    """The samples of one tick, or None if there are none.

    Of pictures {images, count, columns, tile, gap, png}: a grid, its sizes in pixels; of points {images, dimension, x,
    field}. count: of the samples. field: of points in the plane, a checkpoint -> where the flow goes.
    """
    stem = run.folder / "samples" / f"{int(images):011}"
    found = _picture(stem.with_suffix(".png"), count) or _points(stem.with_suffix(".npz"))
    if found is None:
        return None
    checkpoint = run.folder / "checkpoints" / f"{int(images):011}.safetensors"
    if field and found.get("dimension") == 2 and checkpoint.is_file():
        found["field"] = field(checkpoint)
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
        width = Image.open(io.BytesIO(data)).width
    except OSError:
        return None
    columns = math.ceil(math.sqrt(count))
    tile = (width - GAP) // columns - GAP
    return {"count": count, "columns": columns, "tile": tile, "gap": GAP, "png": base64.b64encode(data).decode()}


def _points(path) -> dict | None:
    samples = _samples(path)
    return None if samples is None else {"dimension": samples.shape[1], "x": pack.float32(samples[:MOST_POINTS])}


def _samples(path) -> np.ndarray | None:
    """The points [n, d] in a file; None if there are none."""
    data = _bytes(path)
    try:
        samples = np.load(io.BytesIO(data))["samples"] if data else None
    except (*points.NOT_NUMPY, OSError, NotImplementedError, RuntimeError, zipfile.BadZipFile, zlib.error):
        return None
    return samples if samples is not None and samples.ndim == 2 and samples.dtype.kind == "f" else None


@torch.no_grad()
def field(checkpoint: Path, device) -> dict | None:
    """Where the flow of a checkpoint goes, over the plane at one σ; None if the file is gone."""
    try:
        denoiser = checkpoints.load(checkpoint, device)
    except (Refused, OSError):
        return None
    grid = diagnostics.window_grid(WINDOW, WINDOW, FIELD, FIELD).to(device)
    (arrows,) = diagnostics.direction_field(denoiser, grid, [FIELD_SIGMA * denoiser.sigma_data])
    return {"positions": pack.float32(grid.cpu()), "arrows": pack.float32(arrows.cpu())}


def thumbnail(checkpoint: Path, shape) -> str | None:
    """What the run of a checkpoint has drawn last, as a thumbnail of its model; None if it has drawn nothing yet."""
    try:
        found = saved.samples(checkpoint.parent.parent)
    except OSError:
        return None
    for path in reversed(found):
        if len(shape) == 1 and (samples := _samples(path)) is not None:
            return pack.float32(samples[:THUMBNAIL_POINTS])
        if len(shape) == 3 and (data := _bytes(path)):
            try:
                return pack.uint8([_first_tile(data, shape)])
            except OSError:
                continue
    return None


def _first_tile(data, shape) -> np.ndarray:
    """The first picture of a grid [C, H, W] in [−1, 1], at its own size."""
    channels, height, width = shape
    scale = max(1, 64 // width)
    sheet = Image.open(io.BytesIO(data)).convert("L" if channels == 1 else "RGB")
    tile = np.asarray(sheet.crop((GAP, GAP, GAP + width * scale, GAP + height * scale)))[::scale, ::scale]
    tile = tile[None] if channels == 1 else tile.transpose(2, 0, 1)
    return tile.astype(np.float32) / 127.5 - 1
