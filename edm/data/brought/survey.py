"""The images among some files: which they are, of what sizes and classes, and which are broken."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from edm.base.errors import Refused
from edm.data import depths, images, marks
from edm.data.brought import names, sorting, told
from edm.data.brought.told import Choice, LeftOut

if TYPE_CHECKING:
    from edm.data.brought import Limits
    from edm.data.brought.files import Files

_TAIL = 64  # bytes at the end of a file, where it says that it is whole
_ENDS = {"PNG": b"IEND", "JPEG": b"\xff\xd9", "GIF": b";"}


@dataclass(frozen=True, eq=False)
class Survey:
    """names: of the images, sorted; stored: int32 [N, 3], the (C, H, W) of each, upright; marks: uint64 [N].

    labels: the class of each, or None; class_names may be () though there are classes. held: int64, the numbers of
    those that the files say are there to validate on. scales: of pictures of more than eight bits (`edm.data.depths`).
    """

    files: Files
    names: tuple[str, ...]
    stored: np.ndarray
    marks: np.ndarray
    labels: list[int] | None
    classes: int
    class_names: tuple[str, ...]
    held: np.ndarray
    scales: Mapping[str, tuple[float, float]]
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()
    choices: tuple[Choice, ...] = ()

    @property
    def areas(self) -> np.ndarray:
        """The pixels of each as it is stored, int64 [N]."""
        return self.stored[:, 1].astype(np.int64) * self.stored[:, 2]

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W), with 0 for a side that is not the same everywhere."""
        height, width = (int(side[0]) if (side == side[0]).all() else 0 for side in self.stored.T[1:])
        return int(self.stored[:, 0].max()), height, width


def survey(
    files: Files, limits: Limits, found: sorting.Sorted, leave_out: bool = False,
    work: Callable[[Callable], Any] | None = None, progress: Callable[[int, int], Any] | None = None,
) -> Survey:  # fmt: skip
    """Look at the header of each image and, as far as `limits.looked` goes, whether it is whole.

    found: which they are, and of which classes. leave_out: those that are broken. work: is given each piece, a
    function that returns (value, pixels decoded), and returns the value. progress: is told (looked at, all).
    Raises Refused for places that hold no images, and NotTaken for broken ones.
    """
    known, look = depths.Depths(), work or (lambda piece: piece()[0])
    count, spare = len(found.names), limits.looked
    stored, seen, broken = np.zeros((count, 3), np.int32), np.zeros(count, "<u8"), {}
    for row, name in enumerate(found.names):
        label = found.labels[row] if found.labels and found.marked else None

        def piece(name=name, label=label, spare=spare):
            return _looked_at(files, name, label, known, limits, spare)

        try:
            stored[row], seen[row], decoded = look(piece)
            spare = max(spare - decoded, -1 if spare < 0 else 0)
        except images.Unreadable as error:
            broken[row] = error
        if progress is not None:
            progress(row + 1, count)
    kept = np.setdiff1d(np.arange(count), np.fromiter(broken, np.int64))
    _refuse(files, found, broken, leave_out)
    chosen = [found.names[row] for row in kept]
    held = np.flatnonzero([found.splits[row] != names.TRAIN for row in kept]) if found.splits else np.arange(0)
    return Survey(
        files, tuple(chosen), stored[kept], seen[kept],
        found.labels and [found.labels[row] for row in kept], found.classes, found.class_names, held, known.scales,
        (*files.left_out, *found.left_out, *(LeftOut(found.names[row], error.reason) for row, error in broken.items())),
        (*found.notes, *known.notes), tuple(found.choices),
    )  # fmt: skip


def _looked_at(files, name, label, known, limits, spare):
    """-> ((stored shape, mark, pixels decoded), pixels decoded)."""
    place = files.told(name)
    with files.open(name) as file, images.opened(file, place, limits.pixels) as image:
        shape, size = images.stored(image), image.width * image.height
        look = size <= spare or bool(depths.kind(image)) or (spare >= 0 and not _ends(file, image.format))
        if look:
            images.look(image, place, known)
        mark = marks.of_file(file, name, label)
    return (shape, mark, size if look else 0), size if look else 0


def _ends(file, kind) -> bool:
    """Whether the end of a file says that it is whole, or its kind does not say so."""
    end = _ENDS.get(kind)
    here = file.tell()
    file.seek(max(file.seek(0, 2) - _TAIL, 0))
    tail = file.read(_TAIL)
    file.seek(here)
    return end is None or end in tail


def _refuse(files, found, broken, leave_out):
    """Raises for broken images, unless they are to be left out and others remain."""
    if not broken:
        return
    if leave_out and len(broken) < len(found.names):
        number = len(broken)
        found.notes.append(f"{number:,} broken {'image was' if number == 1 else 'images were'} left out")
        return
    its = [LeftOut(found.names[row], error.reason) for row, error in broken.items()]
    if leave_out:
        raise Refused(f"none of the {len(its):,} images in {files.place} can be read: {told.listed(found.names)}")
    if len(its) > 1:
        raise told.broken(its, files.place, len(found.names))
    (error,) = broken.values()
    raise told.NotTaken(f"{error}, or leave it out (--leave-out)", its, [told.without_broken(1)])
