"""A run as a directory of plain files, each written atomically or by whole lines, on the disk before the next event,
readable while it grows:

config.json                     the settings, complete; of a run of minutes, once they are known, its images
data.npz                        names and marks of the images that it learns (`edm.data.identity`), to tell changes
metrics.jsonl                   one line for each tick; `sigmas` are those of `validation`; null: not a finite number;
                                `accuracy`, of a classifier, too;
                                early ones have no validation (`edm.training.clock.Early`);
                                on GPUs gpu_memory (bytes) and gpu_utilization (0 to 1), see `edm.runs.usage`
history.json                    a long one of these in few numbers, for who looks at it (`edm.training.thinned`)
samples/<images>.png            of the first average, from the same latents at every tick (.npz for points)
checkpoints/<images>.safetensors
*.safetensors.torn              one that was not whole, from which the run therefore did not go on (`edm.files.saved`)
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from edm.base.atomic import append, atomic, make
from edm.base.paths import expanded
from edm.files import names
from edm.files.checkpoints import Metrics
from edm.files.saved import PICTURES, checkpoints, number, room, samples, set_aside
from edm.training.events import Checkpoint, Length, Started, Tick
from edm.training.keeping import RECORD, Best, halves, superfluous
from edm.training.metrics import parsed
from edm.training.thinned import Thinned

if TYPE_CHECKING:
    from edm.base.types import StrPath

__all__ = ["checkpoints", "record"]


def record(
    events: Iterator,
    folder: StrPath,
    keep: int | None = None,
    keep_best: bool = False,
    check: Callable[[], object] | None = None,
    measured: Callable[[], dict] | None = None,
) -> Iterator:
    """Pass events on, writing what they report into `folder`.

    keep: only so many of the newest checkpoints; keep_best: and the one with the least validation error. check: called
    before a checkpoint takes its place; what it raises keeps it from there. measured: () -> what else stands in a
    tick's line.
    """
    folder, best, history = expanded(folder), Best(), Thinned()
    for event in events:
        if isinstance(event, Started):
            _begin(folder, event.state)
            best, history = Best.so_far(folder), Thinned.of(folder)
        elif isinstance(event, Tick):
            line = _line(event) | (measured() if measured else {})
            best.see(line)
            append(folder / "metrics.jsonl", json.dumps(line).encode() + b"\n")
            history.keep(folder)
            if len(event.samples):
                _save_samples(folder, event)
        elif isinstance(event, Length):
            _write_settings(folder, event.settings)
        elif isinstance(event, Checkpoint) and event.state.finite():  # the newest is that from which a run goes on
            event.state.save(room(names.checkpoint_file(folder, event.images)), check)
            for old in superfluous(folder, keep, best.images if keep_best else None) if keep else ():
                old.unlink(missing_ok=True)
        yield event


def _begin(folder, state):
    """Room for a run, without what one that was killed has left: halves of files, and what will be done again.

    Checkpoints of later images that are not whole are put aside, so that they do not stand for the run."""
    for name in ("checkpoints", "samples"):
        make(folder / name)
    for half in halves(folder, RECORD):
        half.unlink(missing_ok=True)
    for path in samples(folder):
        if number(path, PICTURES) > state.images:
            path.unlink()
    set_aside(folder, state.images)
    if state.contents is not None:
        state.contents.write(folder)
    _write_settings(folder, state.settings)
    if (folder / "metrics.jsonl").exists():
        with open(folder / "metrics.jsonl", "rb") as lines:
            _write(folder / "metrics.jsonl", (line for line in lines if _kept(line, state.images)))


def _kept(line, images):
    """Whether a line is whole, and of a tick that will not be repeated."""
    tick = parsed(line) if line.endswith(b"\n") else None
    return tick is not None and tick["images"] <= images


def _line(tick: Tick) -> dict:
    left_out = {"evaluation", *(() if tick.accuracy else ("accuracy",))}
    line = {name: getattr(tick, name) for name in Metrics.model_fields if name not in left_out}
    return {name: [*map(_finite, value)] if isinstance(value, tuple | list) else _finite(value)
            for name, value in line.items()}  # fmt: skip


def _finite(value):
    return None if value is None or not math.isfinite(value) else value


def _save_samples(folder, tick):
    samples = tick.samples.numpy()
    if samples.ndim == 4:
        from edm.files.render import grid, scale_of

        with atomic(names.samples_file(folder, tick.images, ".png")) as file:
            grid(samples, scale_of(samples.shape)).save(file, format="PNG")
    else:
        with atomic(names.samples_file(folder, tick.images, ".npz")) as file:
            np.savez(file, samples=samples)


def _write_settings(folder, settings):
    _write(folder / "config.json", [json.dumps(settings.document(complete=True), indent=2).encode()])


def _write(path, parts):
    with atomic(path) as file:
        file.writelines(parts)
