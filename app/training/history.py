"""The metrics of a run, read as they grow, and thinned so that a page of any age can draw them.

A visitor's page names a place in the history (a cursor) and gets what is new since; a page without one, or whose
history was rewritten, gets everything in a few thousand points (`edm.training.thinned`). A long history that nobody has
thinned is shown at once by ticks from all over it, until it is read.
"""

from __future__ import annotations

import threading

import numpy as np

from edm.plots.panels import rounded
from edm.training.metrics import sampled
from edm.training.thinned import Thinned

PATIENCE = 0.25  # seconds of reading for one answer
LONG = 8 << 20  # bytes of metrics that take longer


class History:
    """One run's ticks. Thread-safe. `folder`: of the run."""

    def __init__(self, folder):
        self.folder = folder
        self._lock = threading.Lock()
        self._ticks: Thinned | None = None
        self._outline: Thinned | None = None  # what is shown until all is read

    def read(self) -> bool:
        """Take in what the worker has written since. Returns whether there is more, which takes longer."""
        with self._lock:
            if self._ticks is None:
                self._ticks = Thinned.of(self.folder)
                if self._ticks.unread(self.folder) > LONG:
                    self._outline = Thinned()
                    self._outline.add(sampled(self.folder))
                    return True
            more = self._ticks.read(self.folder, PATIENCE)
            if not more:
                self._outline = None
            return more

    @property
    def _known(self) -> Thinned:
        return self._outline or self._ticks or Thinned()

    def since(self, cursor: str) -> dict:
        """JSON data: {cursor, anew, points, frames, sigmas, ticks, gaps, nonfinite}. anew: forget what you had.

        points: columns images, loss, low, high (of the loss in a point), score, seconds and
        copies (the share of samples that are copies of what is learned). frames: {index, images,
        errors[i]: λ·error at sigmas[i]} of ticks whose index is a multiple of `stride`, and of the last.
        score: of `edm.training.score`: one measure for all designs. ticks: how many in all; gaps: of them with a loss
        that is no finite number. nonfinite: steps left out.
        """
        with self._lock:
            known = self._known
            mark, _, place = str(cursor).partition(":")
            mine = mark == known.mark and place.isascii() and place.isdecimal() and int(place) <= known.total
            start = int(place) if mine else 0
            points = known.since(start) if mine else known.points()
            if points is None:  # it has not asked for long
                mine, start, points = False, 0, known.points()
            pace, numbers = known.chosen(start)
            frames = [(number, *known.frames[number]) for number in numbers]
            return {
                "cursor": f"{known.mark}:{known.total}",
                "anew": not mine,
                "points": {name: _sent(column) for name, column in points.items()},
                "stride": pace,
                "frames": [
                    {"index": k, "images": images, "errors": rounded(errors), "accuracy": _sent(known.right.get(k))}
                    for k, images, errors in frames
                ],
                "sigmas": list(known.sigmas),
                "ticks": known.total,
                "gaps": known.gaps,
                "nonfinite": known.nonfinite,
            }

    @property
    def last(self) -> int | None:
        """Images of the newest tick with samples."""
        with self._lock:
            known = self._known
            drawn = [images for images, errors in known.frames.values() if len(errors)]
            return max(drawn, default=known.last)


def _sent(column: np.ndarray | None) -> list[float | None] | None:
    return None if column is None else rounded(column)
