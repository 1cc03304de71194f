"""What a set looks like: some of its pictures, by class, or some of its points."""

from __future__ import annotations

import base64

import numpy as np

ROWS, MOST, BYTES = 8, 48, 400_000  # of a contact sheet: classes, pictures of them all without classes, and their size
MOST_POINTS = 2000
THUMBNAIL_POINTS = 220
REACH, FILLED = 1.45, 1.2  # half a thumbnail's side in units of points, and what those fill that are brought to it


def packed(array) -> str:
    """Base64 of numbers, for the page."""
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


class Contact:
    """Gathers some pictures of each of the first classes, while all of them pass by.

    labels: of all, or None. class_names: or (), though there are classes.
    """

    def __init__(self, labels: np.ndarray | None, class_names, size: int):
        self._labels, self._names = labels, class_names
        self._groups: dict[int | None, list] = {}
        self._most, self._size = MOST, size
        if labels is not None:
            kinds = np.unique(labels)[:ROWS].tolist()
            self._groups = {kind: [] for kind in kinds}
            self._most = max(MOST // len(kinds), 12)
        else:
            self._groups = {None: []}
        self._wanted = {number for kind in self._groups for number in self._chosen(kind)}

    def _chosen(self, kind):
        members = np.arange(self._size) if kind is None else np.flatnonzero(self._labels == kind)
        return members[np.linspace(0, len(members) - 1, min(len(members), self._most)).astype(int)].tolist()

    def add(self, number: int, picture: np.ndarray) -> None:
        """The picture of that number, uint8 [3, side, side]."""
        if number in self._wanted:
            self._groups[None if self._labels is None else int(self._labels[number])].append(picture)

    def document(self, grey: bool) -> dict:
        """As `app.messages.uploads.Pictures`."""
        channels = 1 if grey else 3
        side = next(group[0].shape[-1] for group in self._groups.values() if group)
        most = max(BYTES // (len(self._groups) * channels * side * side), 3)
        rows = []
        for kind, group in self._groups.items():
            kept = [picture[:channels] for picture in group[:: -(-len(group) // most)]] if group else []
            rows.append({"label": kind, "count": len(kept), "images": packed(np.array(kept, np.uint8))})
        return {"shape": [channels, side, side], "rows": rows}


def scatter(points: np.ndarray, labels: np.ndarray | None) -> dict:
    """Some of the points [n, d], in the file's own units, and their classes."""
    chosen = np.linspace(0, len(points) - 1, min(len(points), MOST_POINTS)).astype(int)
    return {
        "count": len(chosen),
        "dimension": points.shape[1],
        "x": packed(points[chosen].astype("<f4")),
        "labels": None if labels is None else [int(label) for label in labels[chosen]],
    }


def thumbnail(points: np.ndarray) -> str:
    """Few of the points, such that they fill a thumbnail if they would lie beside it as they are."""
    chosen = points[np.linspace(0, len(points) - 1, min(len(points), THUMBNAIL_POINTS)).astype(int)]
    if np.abs(chosen).max() > REACH:
        low, high = chosen.min(0), chosen.max(0)
        chosen = (chosen - (low + high) / 2) / max(float((high - low).max()), 1e-12) * 2 * FILLED
    return packed(chosen.astype("<f4"))
