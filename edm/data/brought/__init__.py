"""What people bring, whatever it is: one reader for the page, the command line and Python.

`edm.data.bring` looks at a folder, an archive or files (`files`), says which of them are samples, and of which classes
(`names`), and gives a `Brought`: what was found, what was left out and why, and what training reads.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edm.data.brought.told import Choice, LeftOut, NotTaken, grouped, readable

if TYPE_CHECKING:
    import numpy as np

    from edm.base.protocols import Source
    from edm.data.brought.tables import Table


__all__ = ["Brought", "Choice", "LeftOut", "Limits", "NotTaken"]


@dataclass(frozen=True)
class Limits:
    """Of what comes out, however tightly it was packed. files: how many; each: bytes of one image file, table_bytes:
    of one table or array; unpacked: bytes of all, None: what the disk has; pixels: of one image. looked: pixels that
    are decoded to see whether files are whole, before only their ends are looked at; below 0: neither."""

    files: int = 2_000_000
    each: int = 1 << 28
    table_bytes: int = 1 << 34
    unpacked: int | None = None
    pixels: int = 1 << 26
    looked: int = 1 << 26


@dataclass(frozen=True, eq=False)
class Brought:
    """What was brought.

    kind: "images" or "points". count: of samples. shape: of one; of images (C, H, W), with 0 for a side that is not
    the same everywhere. classes: how many (0: none), class_names: what they are called, in their order, or ().
    left_out: each file or row that was not taken. notes: sentences of what was decided. choices: what is offered, and
    was not assumed. held_out: how many of the samples are there to validate on, because the files say so.

    points: float64 [n, 1] or [n, 2] of points, as networks see them. table: of points, what else is known of them.
    opened: of images, (resolution, crop, channels) -> their source.
    """

    kind: str
    count: int
    shape: tuple[int, ...]
    classes: int = 0
    class_names: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()
    choices: tuple[Choice, ...] = ()
    held_out: int = 0
    points: np.ndarray | None = None
    table: Table | None = None
    opened: Callable[[int | None, bool, int], Source] | None = None

    def source(self, resolution: int | None = None, crop: bool = False, channels: int = 3) -> Source:
        """What training reads of images (`edm.data.sources`). Raises Refused where they do not fit together."""
        if self.opened is None:
            raise TypeError("points are learned as a distribution: edm.data.of_points")
        return self.opened(resolution, crop, channels)

    def document(self) -> dict[str, Any]:
        """As JSON: `python -m edm data PATH --json`."""
        told = {} if self.table is None else {"columns": list(self.table.columns), "units": self.table.units.document()}
        return {
            "kind": self.kind,
            "count": self.count,
            "shape": list(self.shape),
            "classes": self.classes,
            "class_names": list(self.class_names),
            "left_out": [{"name": readable(one.name), "reason": one.reason} for one in self.left_out],
            "notes": list(self.notes),
            "choices": [one._asdict() for one in self.choices],
            "held_out": self.held_out,
            **told,
        }

    def told(self) -> str:
        """As lines for people."""
        shape = "×".join(str(side or "?") for side in self.shape)
        names = ", ".join(self.class_names[:10]) + (", …" if len(self.class_names) > 10 else "")
        kind = self.kind if self.count != 1 else self.kind[:-1]
        lines = [f"{self.count:,} {kind}, {shape}{'-D' * (self.kind == 'points')}"]
        if self.classes:
            lines[0] += f", {self.classes} classes" + (f": {names}" if names else "")
        if self.left_out:
            lines.append(f"left out: {grouped(self.left_out)}")
        return "\n".join([*lines, *self.notes, *(f"offered: {one.title}" for one in self.choices)])
