"""What of a run's folder stays: which checkpoints, and no half-written files."""

from __future__ import annotations

import math
import os
import re
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from edm.base.paths import expanded
from edm.files import saved
from edm.training.metrics import parsed
from edm.training.score import score

if TYPE_CHECKING:
    from edm.base.types import StrPath

# What a writer that was killed has left of files, by folder: as `edm.base.atomic` names it, and safetensors did
RECORD = {
    "": r"\.(config\.json|metrics\.jsonl|history\.json|data\.npz)\.[a-z0-9_]{8}",
    "checkpoints": r"\.[0-9]+\.safetensors\.[A-Za-z0-9_]+|\.tmp[A-Za-z0-9]{6}",
    "samples": r"\.[0-9]+\.(png|npz)\.[A-Za-z0-9_]+",
}


class Best:
    """The tick with the least score (`edm.training.score`), as the page shows it. images: its; None: no tick yet."""

    def __init__(self):
        self.images, self._score = None, math.inf

    @classmethod
    def so_far(cls, run: StrPath) -> Best:
        """Of all that a run has measured."""
        best = cls()
        with suppress(OSError), open(expanded(run, "metrics.jsonl"), "rb") as lines:
            for line in lines:
                best.see(parsed(line))
        return best

    def see(self, tick: dict | None) -> None:
        """Take a line of metrics into account; what is not one is not."""
        if tick is not None and (found := score(tick)) < self._score:
            self.images, self._score = tick["images"], found


def best(run: StrPath) -> int | None:
    """The images of a run's tick with the least score; None if it has none yet."""
    return Best.so_far(run).images


def superfluous(run: StrPath, keep: int, best: int | None = None) -> list[Path]:
    """The checkpoints beside the `keep` newest, the newest whole one, and, if it is given, the first one at or after
    the best tick."""
    found = saved.checkpoints(run)
    old = found[:-keep]
    if not old:
        return []
    kept = {saved.newest(run)}
    if best is not None:
        kept.add(next((path for path in found if (saved.number(path) or 0) >= best), None))
    return [path for path in old if path not in kept]


def halves(run: StrPath, names: dict[str, str], age: float = -math.inf) -> list[Path]:
    """Half-written files in a run's folder. names: folder -> expression for their names. age: seconds, at least.

    What else begins with a dot there is somebody's own.
    """
    found = []
    for folder, pattern in names.items():
        with suppress(OSError):
            entries = [e for e in os.scandir(expanded(run, folder)) if re.fullmatch(pattern, e.name)]
            found += [Path(e.path) for e in entries if e.is_file(follow_symlinks=False) and age_of(e.path) >= age]
    return found


def age_of(path: StrPath) -> float:
    return time.time() - os.lstat(path).st_mtime
