"""Where the flow of a run's checkpoint goes, as a computation."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from app.training import film
from app.work.jobs import Job
from app.work.shared import Work
from app.work.watch import Watch
from edm.base import atomic


class Flow(Job):
    """Arrows over the plane at one σ (see `film.flow`). checkpoint: its file. Kept as long as the file is the same."""

    kind: ClassVar[str] = "flow"

    checkpoint: str

    def compute(self, work: Work, watch: Watch) -> Iterator[tuple[dict | None, bool]]:
        path = Path(self.checkpoint)
        key = "flow", self.checkpoint, atomic.stamp(path)
        yield work.remember(key, lambda: film.flow(path, "cpu")), True  # done before a GPU has got the network
