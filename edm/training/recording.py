"""A run as a directory of plain files, each written atomically or by whole lines, readable while it grows:

config.json                     the settings, complete
metrics.jsonl                   one line for each tick; `sigmas` are those of `validation`
samples/<images>.png            of the first average, from the same latents at every tick (.npz for points)
checkpoints/<images>.safetensors
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from edm.checkpoints import Metrics
from edm.files import atomic
from edm.runs.keeping import superfluous
from edm.training.loop import Checkpoint, Started, Tick


def record(events: Iterator, folder, keep: int | None = None, keep_best: bool = False) -> Iterator:
    """Pass events on, writing what they report into `folder`.

    keep: only so many of the newest checkpoints; keep_best: and the one with the least validation error.
    """
    folder = Path(folder)
    for event in events:
        if isinstance(event, Started):
            for name in ("checkpoints", "samples"):
                (folder / name).mkdir(parents=True, exist_ok=True)
                for torn in (folder / name).glob(".0*.*.*"):  # of a run that was killed while it wrote
                    torn.unlink()
            document = event.state.settings.document(complete=True)
            _write(folder / "config.json", json.dumps(document, indent=2))
            _forget_after(folder / "metrics.jsonl", event.state.images)
        elif isinstance(event, Tick):
            line = _line(event)
            with open(folder / "metrics.jsonl", "a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
            _save_samples(folder / "samples" / f"{event.images:011}", event)
        elif isinstance(event, Checkpoint):
            event.state.save(folder / "checkpoints" / f"{event.images:011}.safetensors")
            for old in superfluous(folder, keep, keep_best) if keep else ():
                old.unlink(missing_ok=True)
        yield event


def checkpoints(folder) -> list[Path]:
    """The checkpoints of a run's folder, oldest first."""
    return sorted(Path(folder, "checkpoints").glob("*.safetensors"))


def _line(tick: Tick) -> dict:
    return {name: getattr(tick, name) for name in Metrics.model_fields if name != "evaluation"}


def _forget_after(path, images):
    """Lines of ticks that a resumed run will repeat go, and a half-written last one."""
    if not path.exists():
        return
    kept = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            if json.loads(line)["images"] <= images:
                kept.append(line + "\n")
        except (ValueError, KeyError, TypeError):
            continue
    _write(path, "".join(kept))


def _save_samples(stem, tick):
    samples = tick.samples.numpy()
    if samples.ndim == 4:
        from edm.render import grid

        with atomic(stem.with_suffix(".png")) as file:
            grid(samples, scale=max(1, 64 // samples.shape[-1])).save(file, format="PNG")
    else:
        with atomic(stem.with_suffix(".npz")) as file:
            np.savez(file, samples=samples)


def _write(path, text):
    with atomic(path) as file:
        file.write(text.encode())
