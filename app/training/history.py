"""The metrics of a run, read as they grow, and thinned so that a page of any age can draw them.

A visitor's page names a place in the history (a cursor) and gets what is new since; a page without one, or whose
history was rewritten, gets everything in a few thousand points: each stands for its bucket by mean, least and most.
"""

from __future__ import annotations

import math
import secrets
import threading
import time
from array import array
from itertools import groupby

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
        self._frames: dict[int, np.ndarray] = {}  # index of a tick -> λ·error at each σ, of those that are sent
        self._levels: tuple[list, tuple[float, ...]] = [], ()  # the σ of the last line as they stood there, and read

    def read(self) -> bool:
        """Take in what the worker has written since. Returns whether there is more, which takes longer."""
        with self._lock:
            end = time.monotonic() + PATIENCE
            while True:
                found = runs.metrics_since(self.folder, self._cursor)
                if found.anew:
                    self._forget()
                self._cursor = found.cursor
                for sigmas, lines in groupby(found.lines, self._levels_of):
                    self._add(sigmas, list(lines))
                if not found.more or time.monotonic() > end:
                    return found.more

    def _levels_of(self, line) -> tuple[float, ...]:
        """The σ at which a tick has measured; () for a line of another making."""
        raw, known = self._levels
        errors, sigmas = line.get("validation"), line.get("sigmas")
        if sigmas == raw and isinstance(errors, list) and len(errors) == len(raw):
            return known
        levels = scores.measured(line)[0]
        if levels:
            self._levels = sigmas, levels
        return levels

    def _add(self, sigmas, lines):
        """Take in ticks that have measured at the same σ."""
        begin = len(self._columns["images"])
        for name in ("images", "loss", "seconds"):
            self._columns[name].extend([scores.number(line.get(name)) for line in lines])
        if sigmas:
            self._sigmas, (weight, share) = sigmas, scores.weights(sigmas)
            errors = _table([line["validation"] for line in lines]).reshape(len(lines), len(sigmas)) * weight
            self._columns["score"].extend((errors @ share).tolist())
        else:
            errors = np.empty((len(lines), 0))
            self._columns["score"].extend([math.nan] * len(lines))
        self._keep(begin, errors)

    def _keep(self, begin, errors):
        """The errors of ticks from `begin` on, of which only those are kept that may still be sent."""
        total = begin + len(errors)
        stride = _stride(total)
        self._frames = {i: kept for i, kept in self._frames.items() if i % stride == 0}
        for i in range(-(-begin // stride) * stride, total, stride):
            self._frames[i] = errors[i - begin].copy()
        self._frames[total - 1] = errors[-1].copy()

    def since(self, cursor: str) -> dict:
        """JSON data: {cursor, anew, points, frames, sigmas}. anew: forget what you had.

        points: columns images, loss, low, high (of the loss in a bucket), score and seconds. frames: {index, images,
        errors[i]: λ·error at sigmas[i]} of ticks whose index is a multiple of `stride`, and of the last.
        score: of `edm.training.score`: one measure for all designs.
        """
        with self._lock:
            mark, _, place = str(cursor).partition(":")
            total = len(self._columns["images"])
            known = mark == self._mark and place.isascii() and place.isdecimal() and int(place) <= total
            start = int(place) if known else 0
            return {
                "cursor": f"{self._mark}:{total}",
                "anew": not known,
                "points": self._points(start, total),
                **self._ticks(start, total),
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

    def _ticks(self, start, total) -> dict:
        stride = _stride(total)
        chosen = list(range(-(-start // stride) * stride, total, stride))
        if total > start and (not chosen or chosen[-1] != total - 1):
            chosen.append(total - 1)
        images = self._columns["images"]
        frames = [{"index": i, "images": int(images[i]), "errors": rounded(self._frames[i])} for i in chosen]
        return {"stride": stride, "frames": frames}

    @property
    def last(self) -> int | None:
        """Images of the newest tick."""
        with self._lock:
            images = self._columns["images"]
            return int(images[-1]) if images else None


def _stride(total) -> int:
    """Of so many ticks, every how many-th is sent."""
    stride = 1
    while total > MOST_FRAMES * stride:
        stride *= 2
    return stride


def _table(rows) -> np.ndarray:
    """Rows of a file as numbers, one after the other; NaN for what is none."""
    found = array("d")
    for row in rows:
        try:
            found.fromlist(row)
        except TypeError:
            found.extend(map(scores.number, row))
    return np.frombuffer(found)
