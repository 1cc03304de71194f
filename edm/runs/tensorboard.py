"""A run's measures as logs for TensorBoard. Steps are images; times are those of training."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

from edm.base.atomic import move
from edm.base.errors import Refused
from edm.base.extras import needed
from edm.base.paths import expanded
from edm.files import names
from edm.training.metrics import metrics_since

if TYPE_CHECKING:
    from edm.base.types import StrPath

_SCALARS = ("loss", "rate", "gpu_memory", "gpu_utilization")


def write(run: StrPath, folder: StrPath | None = None) -> Path:
    """Write what a run, finished or not, has measured so far: its loss, its loss at each σ, images per second, and its
    samples, if they are images. Returns the folder, by default `tensorboard` in the run's own; logs of ours that are
    in it are replaced. Raises ValueError if there is nothing to write yet, or a file is in the way.
    """
    with needed("train", "writing logs for TensorBoard"):
        from tensorboardX import SummaryWriter

    run = expanded(run)
    folder = expanded(folder) if folder else run / "tensorboard"
    ticks = _ticks(run)
    if not ticks:
        raise Refused(f"the run {run.name!r} has not measured anything yet; wait for its first tick")
    if folder.exists() and not folder.is_dir():
        raise Refused(f"{folder} is a file; name a folder for the logs")
    folder.mkdir(parents=True, exist_ok=True)
    made = Path(mkdtemp(dir=folder, prefix=".new."))
    try:
        start = _start(run, ticks)
        with SummaryWriter(str(made), write_to_disk=True) as writer:
            for tick in ticks:
                _add(writer, run, tick, start + (tick.get("seconds") or 0.0))
        there = os.listdir(made)
        for name in there:
            move(made / name, folder / name)
        for old in folder.glob("events.out.tfevents.*"):
            if old.name not in there:
                old.unlink()
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return folder


def _ticks(run) -> list[dict]:
    ticks, found = [], metrics_since(run)
    ticks += found.lines
    while found.more:
        found = metrics_since(run, found.cursor)
        ticks += found.lines
    return ticks


def _start(run, ticks) -> float:
    """When the run would have begun, had it trained without a break until its last tick."""
    return (run / "metrics.jsonl").stat().st_mtime - (ticks[-1].get("seconds") or 0.0)


def _add(writer, run, tick, time):
    images = tick["images"]
    for name in _SCALARS:
        if isinstance(tick.get(name), int | float):
            writer.add_scalar(name, tick[name], images, walltime=time)
    for sigma, loss in zip(tick.get("sigmas") or (), tick.get("validation") or (), strict=False):
        if isinstance(sigma, int | float) and isinstance(loss, int | float):
            writer.add_scalar(f"validation/sigma {sigma:.4g}", loss, images, walltime=time)
    picture = names.samples_file(run, images, ".png")
    if picture.exists():
        import numpy as np
        from PIL import Image

        with Image.open(picture) as image:
            writer.add_image("samples", np.asarray(image.convert("RGB")), images, walltime=time, dataformats="HWC")
