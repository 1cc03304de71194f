"""The metrics of a run, read as they grow, and thinned so that a page of any age can draw them.

A visitor's page names a place in the history (a cursor) and gets what is new since; a page without one, or whose
history was rewritten, gets everything in a few thousand points: each stands for its bucket by mean, least and most.
"""

from __future__ import annotations

import secrets
import threading
import time
from array import array

import numpy as np

from edm import runs
from edm.plots.panels import rounded
from edm.training import score as scores

MOST = 2000  # points of a curve in one answer
MOST_FRAMES = 200  # ticks whose losses per σ are sent
PATIENCE = 0.25  # seconds of reading for one answer


class History:
    """One run's ticks. Thread-safe. `folder`: of the run."""

    def __init__(self, folder):
        self.folder = folder
        self._lock = threading.Lock()
        self._forget()

    def _forget(self):
        self._mark, self._cursor, self._sigmas = secrets.token_hex(4), "", ()
        self._columns = {name: array("d") for name in ("images", "loss", "score", "seconds")}
        self._errors: list[array] = []

    def read(self) -> bool:
        """Take in what the worker has written since. Returns whether there is more, which takes longer."""
        with self._lock:
            end = time.monotonic() + PATIENCE
            while True:
                found = runs.metrics_since(self.folder, self._cursor)
                if found.anew:
                    self._forget()
                self._cursor = found.cursor
                for line in found.lines:
                    self._add(line)
                if not found.more or time.monotonic() > end:
                    return found.more

    def _add(self, line):
        sigmas, errors = scores.measured(line)
        if sigmas:
            self._sigmas = sigmas
            errors = np.asarray(errors) * scores.weights(sigmas)[0]
        score = scores.score(line)
        values = {"images": line["images"], "loss": line.get("loss"), "score": score, "seconds": line.get("seconds")}
        for name, value in values.items():
            self._columns[name].append(scores.number(value))
        self._errors.append(array("d", errors))

    def since(self, cursor: str) -> dict:
        """JSON data: {cursor, anew, points, frames, sigmas}. anew: forget what you had.

        points: columns images, loss, low, high (of the loss in a bucket), score and seconds. frames: {index, images,
        errors[i]: λ·error at sigmas[i]} of ticks whose index is a multiple of `stride`, and of the last.
        score: of `edm.training.score`: one measure for all designs.
        """
        with self._lock:
            mark, _, place = str(cursor).partition(":")
            total = len(self._errors)
            known = mark == self._mark and place.isascii() and place.isdecimal() and int(place) <= total
            start = int(place) if known else 0
            return {
                "cursor": f"{self._mark}:{total}",
                "anew": not known,
                "points": self._points(start, total),
                **self._frames(start, total),
                "sigmas": list(self._sigmas),
            }

    def _points(self, start, total) -> dict:
        columns = {name: np.frombuffer(column)[start:total].copy() for name, column in self._columns.items()}
        count = total - start
        if count <= MOST:
            return {**{name: rounded(values) for name, values in columns.items()}, "low": None, "high": None}
        edges = np.linspace(0, count, MOST + 1).astype(int)[:-1]
        sizes = np.diff([*edges, count])
        loss = columns["loss"]
        thin = {name: rounded(np.add.reduceat(values, edges) / sizes) for name, values in columns.items()}
        ends = np.append(edges[1:], count) - 1
        thin["images"] = rounded(columns["images"][ends])
        return {**thin, "low": rounded(np.fmin.reduceat(loss, edges)), "high": rounded(np.fmax.reduceat(loss, edges))}

    def _frames(self, start, total) -> dict:
        stride = 1
        while total > MOST_FRAMES * stride:
            stride *= 2
        chosen = list(range(-(-start // stride) * stride, total, stride))
        if total > start and (not chosen or chosen[-1] != total - 1):
            chosen.append(total - 1)
        images = self._columns["images"]
        frames = [{"index": i, "images": int(images[i]), "errors": rounded(self._errors[i])} for i in chosen]
        return {"stride": stride, "frames": frames}

    @property
    def last(self) -> int | None:
        """Images of the newest tick."""
        with self._lock:
            return int(self._columns["images"][-1]) if self._errors else None
