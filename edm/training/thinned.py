"""A run's history in a few thousand numbers, however long it is: what a page can draw, and open at once.

A point stands for `stride` ticks, a power of two, and every tick is in one: by the mean, the least and the most of what
is a finite number. The worker keeps it beside the metrics, in history.json, while they are long; whoever reads a run
goes on from there. A history.json that is not of the metrics as they are now is not believed.
"""

from __future__ import annotations

import math
import os
import secrets
import time
from array import array
from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from edm.base.atomic import atomic
from edm.base.paths import expanded
from edm.training import score as scores
from edm.training.metrics import belongs, metrics_since

if TYPE_CHECKING:
    from edm.base.types import StrPath

FILE = "history.json"
MOST = 2000  # points
MOST_FRAMES = 200  # ticks whose losses per σ are kept
LARGEST = 1e300  # no loss; and a million of them have a sum
EVERY = 1 << 20  # bytes of metrics that a reader may have to read beside it
_READ = ("images", "loss", "seconds", "copies")
_MEANS = (
    "loss",
    "score",
    "seconds",
    "copies",
)  # of a point: [images, least loss, most, sums of these, how many of each]
_WIDTH = 3 + 2 * len(_MEANS)


class Thinned:
    """mark: another one where the metrics were written anew. total: ticks so far. stride: how many of them a point
    stands for. sigmas: the noise levels of the last. gaps: ticks whose loss is no finite number. nonfinite: steps left
    out, since their gradients were not finite. frames: number of a tick -> its images and λ·error at each σ; of every
    `_pace(total)`-th tick, and of the last. right: of a classifier, the same numbers -> its accuracy at each σ.
    """

    def __init__(self):
        self._forget()

    def _forget(self):
        self.mark, self._cursor = secrets.token_hex(4), ""
        self.total, self.stride, self.gaps, self.nonfinite = 0, 1, 0, 0
        self.sigmas: tuple[float, ...] = ()
        self.frames: dict[int, tuple[int, np.ndarray]] = {}
        self.right: dict[int, np.ndarray] = {}
        self._points = np.empty((0, _WIDTH))
        self._recent = np.empty((0, 1 + len(_MEANS)))  # the last ticks, as they are
        self._levels: tuple[Any, tuple[float, ...]] = None, ()  # the σ of the last line as they stood there, and read

    @classmethod
    def of(cls, run: StrPath) -> Thinned:
        """What is kept beside a run's metrics; nothing yet where that is missing, or of other metrics."""
        with suppress(OSError, ValueError, TypeError, KeyError, AttributeError, OverflowError):
            document = orjson.loads(expanded(run, FILE).read_bytes())
            if belongs(run, document["cursor"]):
                return cls()._taken(document)
        return cls()

    def read(self, run: StrPath, seconds: float = math.inf) -> bool:
        """Take in what the metrics have beyond it. Returns whether there is still more, after so many seconds."""
        end = time.monotonic() + seconds
        while True:
            found = metrics_since(run, self._cursor)
            if found.anew:
                self._forget()
            self._cursor = found.cursor
            self.add(found.lines)
            if not found.more or time.monotonic() > end:
                return found.more

    def keep(self, run: StrPath) -> None:
        """Keep it beside the metrics, where they have become so much longer that reading the rest takes a moment."""
        if self.unread(run) > EVERY:
            self.read(run)
            with suppress(OSError), atomic(expanded(run, FILE), durable=False) as file:  # who looks can do without
                file.write(orjson.dumps(self._document()))

    def unread(self, run: StrPath) -> int:
        """Bytes of metrics that it does not know."""
        try:
            return os.stat(expanded(run, "metrics.jsonl")).st_size - int(self._cursor.partition(":")[0] or 0)
        except OSError:
            return 0

    # what it holds

    def add(self, lines: Iterable[dict]) -> None:
        """Take in ticks, lines of metrics in their order."""
        for sigmas, some in groupby(lines, self._levels_of):
            self._add(sigmas, list(some))

    def points(self) -> dict[str, np.ndarray | None]:
        """All of it as columns: images, loss, score, seconds and copies; low and high, of the loss within a point, are
        None while a point is a tick. NaN: nothing there is finite."""
        sums, counts = np.split(self._points[:, 3:], 2, axis=1)
        means = np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)
        low, high = (None, None) if self.stride == 1 else self._points[:, 1:3].T
        return {"images": self._points[:, 0], **dict(zip(_MEANS, means.T, strict=True)), "low": low, "high": high}

    def since(self, start: int) -> dict[str, np.ndarray | None] | None:
        """The same of the ticks from number `start` on, as they are; None where they are not known any more."""
        known = len(self._recent) - (self.total - start)
        if known < 0:
            return None
        return {**dict(zip(("images", *_MEANS), self._recent[known:].T, strict=True)), "low": None, "high": None}

    @property
    def last(self) -> int | None:
        """Images of the newest tick."""
        return int(self._recent[-1, 0]) if len(self._recent) else int(self._points[-1, 0]) if self.total else None

    def chosen(self, start: int) -> tuple[int, list[int]]:
        """(pace, numbers of the ticks from `start` on whose losses per σ are kept)."""
        return _pace(self.total), sorted(number for number in self.frames if number >= start)

    # ticks

    def _levels_of(self, line) -> tuple[float, ...]:
        """The σ at which a tick has measured; () for a line of another making."""
        raw, known = self._levels
        errors, sigmas = line.get("validation"), line.get("sigmas")
        if sigmas == raw and isinstance(errors, list) and len(errors) == len(known):
            return known
        levels = scores.measured(line)[0]
        if levels:
            self._levels = sigmas, levels
        return levels

    def _add(self, sigmas, lines):
        """Take in ticks that have measured at the same σ."""
        fresh = np.full((len(lines), 1 + len(_MEANS)), np.nan)
        fresh[:, [0, 1, 3, 4]] = [[scores.number(line.get(name)) for name in _READ] for line in lines]
        errors = np.empty((len(lines), 0))
        if sigmas:
            self.sigmas, (weight, share) = sigmas, scores.weights(sigmas, bool(lines[-1].get("accuracy")))
            with np.errstate(over="ignore", invalid="ignore"):
                errors = _table([line["validation"] for line in lines]).reshape(len(lines), len(sigmas)) * weight
                fresh[:, 2] = errors @ share
        fresh[~(np.abs(fresh) < LARGEST)] = np.nan
        untrained = bool(sigmas) & (fresh[:, 0] == 0)  # which has no loss
        self.gaps += int((np.isnan(fresh[:, 1]) & ~untrained).sum())
        told = (line.get("nonfinite") for line in reversed(lines))
        self.nonfinite = next((number for number in told if type(number) is int and number >= 0), self.nonfinite)
        self._keep(errors, fresh[:, 0], [line.get("accuracy") for line in lines])
        self._fold(fresh)

    def _fold(self, fresh):
        """Ticks into points."""
        begin, self.total = self.total, self.total + len(fresh)
        while self.total > MOST * self.stride:
            self._points, self.stride = _halved(self._points), 2 * self.stride
        places = (begin + np.arange(len(fresh))) // self.stride
        made = _points(fresh, np.flatnonzero(np.diff(places, prepend=-1)))
        if begin % self.stride:  # the last one has not all its ticks yet
            made[:1] = _joined(self._points[-1:], made[:1])
            self._points = self._points[:-1]
        self._points = np.concatenate([self._points, made])
        self._recent = np.concatenate([self._recent, fresh])[-MOST:]

    def _keep(self, errors, images, right):
        begin, total = self.total, self.total + len(errors)
        pace = _pace(total)
        self.frames = {k: kept for k, kept in self.frames.items() if k % pace == 0}
        for k in {*range(-(-begin // pace) * pace, total, pace), total - 1}:
            self.frames[k] = int(images[k - begin]), errors[k - begin].copy()
            if isinstance(right[k - begin], list) and len(right[k - begin]) == errors.shape[1]:
                self.right[k] = _table([right[k - begin]])
        self.right = {k: kept for k, kept in self.right.items() if k in self.frames}

    # as a file

    def _document(self) -> dict:
        frames = [[number, images, errors.tolist()] for number, (images, errors) in self.frames.items()]
        right = [[number, right.tolist()] for number, right in self.right.items()]
        counted = {name: getattr(self, name) for name in ("total", "stride", "gaps", "nonfinite", "sigmas")}
        return {"cursor": self._cursor, **counted, "points": self._points.tolist(), "frames": frames, "right": right}

    def _taken(self, document) -> Thinned:
        """What `_document` has made. Raises ValueError, TypeError, KeyError, … for anything else."""
        self._cursor, self.sigmas = document["cursor"], tuple(map(float, document["sigmas"]))
        self.total, self.stride = _count(document["total"], 1), _count(document["stride"], 1)
        self.gaps, self.nonfinite = _count(document["gaps"]), _count(document["nonfinite"])
        self._points = np.array(document["points"], dtype=np.float64)
        if self._points.shape != (-(-self.total // self.stride), _WIDTH) or len(self._points) > MOST:
            raise ValueError("points of another making")
        if not np.isfinite(self._points[:, [0, *range(3, _WIDTH)]]).all():
            raise ValueError("points without a place")
        kept = {_count(k): (_count(seen), np.array(errors, dtype=np.float64)) for k, seen, errors in document["frames"]}
        if len(kept) > MOST_FRAMES + 1 or any(errors.ndim != 1 or k >= self.total for k, (_, errors) in kept.items()):
            raise ValueError("frames of another making")
        self.frames = kept
        self.right = {_count(k): np.array(right, dtype=np.float64) for k, right in document.get("right", ())}
        if any(right.ndim != 1 or k not in kept for k, right in self.right.items()):
            raise ValueError("accuracies of another making")
        return self


def _points(ticks, edges) -> np.ndarray:
    """Ticks [n, 5] as points; edges: where each begins."""
    values = ticks[:, 1:]
    there = np.isfinite(values)
    sums = np.add.reduceat(np.where(there, values, 0.0), edges)
    counts = np.add.reduceat(there.astype(np.float64), edges)
    last = np.append(edges[1:], len(ticks)) - 1
    low, high = (least.reduceat(ticks[:, 1], edges) for least in (np.fmin, np.fmax))
    return np.column_stack([ticks[last, 0], low, high, sums, counts])


def _joined(first, second) -> np.ndarray:
    """Pairs of neighbouring points as one each."""
    low, high = np.fmin(first[:, 1], second[:, 1]), np.fmax(first[:, 2], second[:, 2])
    return np.column_stack([second[:, 0], low, high, first[:, 3:] + second[:, 3:]])


def _halved(points) -> np.ndarray:
    """Half as many; one that has no neighbour yet stays."""
    pairs = len(points) // 2 * 2
    return np.concatenate([_joined(points[:pairs:2], points[1:pairs:2]), points[pairs:]])


def _pace(total) -> int:
    """Of so many ticks, every how many-th has its losses per σ kept."""
    pace = 1
    while total > MOST_FRAMES * pace:
        pace *= 2
    return pace


def _count(value, least=0) -> int:
    if type(value) is not int or value < least:
        raise ValueError(f"{value!r} is no count")
    return value


def _table(rows: Sequence[list]) -> np.ndarray:
    """Rows of a file as numbers, one after the other; NaN for what is none."""
    found = array("d")
    for row in rows:
        try:
            found.fromlist(row)
        except (TypeError, OverflowError):
            found.extend(map(scores.number, row))
    return np.frombuffer(found)
