"""Keeping a runs folder small: which checkpoints stay, and what goes with a run."""

from __future__ import annotations

import json
import math
import shutil
import uuid
from pathlib import Path

from edm.runs import places, reading


def best(run) -> int | None:
    """The images of the tick with the least validation error, weighted as EDM's loss is with σ_data = 0.5 (Table 1)."""
    errors = {}
    try:
        text = Path(run, "metrics.jsonl").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    for line in text.splitlines():
        try:
            tick = json.loads(line)
            pairs = zip(tick["sigmas"], tick["validation"], strict=True)
            error = sum((s**2 + 0.25) / (0.5 * s) ** 2 * loss for s, loss in pairs)
            if math.isfinite(error):
                errors[int(tick["images"])] = error
        except (ValueError, KeyError, TypeError, ZeroDivisionError):
            continue
    return min(errors, key=errors.get) if errors else None


def superfluous(run, keep: int, keep_best: bool) -> list[Path]:
    """The checkpoints beside the `keep` newest and, if so asked, the first one at or after the best tick."""
    found = sorted(Path(run, "checkpoints").glob("*.safetensors"))
    old = found[:-keep]
    if old and keep_best and (images := best(run)) is not None:
        chosen = next((path for path in found if path.stem.isdecimal() and int(path.stem) >= images), None)
        old = [path for path in old if path != chosen]
    return old


def delete(run) -> None:
    """Delete a run with all it holds. Raises ValueError while it runs."""
    run = Path(run)
    state = reading.read(run, details=False).state
    if state in reading.LIVE:
        raise ValueError(f"the run {run.name!r} is {state}; stop it before deleting it")
    gone = run.with_name(f".trash-{uuid.uuid4().hex}")
    run.rename(gone)  # at once, so that nobody sees half a run
    shutil.rmtree(gone)


def gc(folder, keep: int = 1) -> int:
    """Free what runs that are over need no more: checkpoints but for the `keep` newest and the best, halves of files
    that were being written, and what a `delete` has left. Returns the bytes."""
    if keep < 1:
        raise ValueError(f"keep = {keep}: must be 1 or more")
    folder, freed = Path(folder), 0
    for trash in folder.glob(".trash-*"):
        freed += reading.disk_use(trash)
        shutil.rmtree(trash, ignore_errors=True)
    for run in reading.all_runs(folder):
        if not run.over:
            continue
        torn = [p for part in ("", "checkpoints", "samples", "requests") for p in (run.folder / part).glob(".*.*.*")]
        for path in [*torn, *superfluous(run.folder, keep, True)]:
            freed += path.stat().st_size
            path.unlink(missing_ok=True)
    return freed


def find(folder, name) -> Path:
    """The directory of the run of that name in the runs folder. Raises ValueError if there is none."""
    return places.place(places.runs_folder(folder), name)
