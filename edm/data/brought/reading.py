"""`bring`: what somebody brings, read by whoever reads its kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import IO, TYPE_CHECKING, Any

from edm.base.errors import Refused
from edm.data.brought import Brought, Limits, arrays, parquet, places, tables
from edm.data.brought.archives import ENDINGS
from edm.data.brought.sorting import Sorted, is_image, sorted_out
from edm.data.brought.survey import survey
from edm.data.brought.told import LeftOut, listed
from edm.data.folders import ImageFolder

if TYPE_CHECKING:
    from edm.base.types import StrPath
    from edm.data.brought.files import Files


def bring(
    given: StrPath | Sequence[tuple[str, IO[bytes]]], *, columns: str | Sequence[str | int] | None = None,
    labels: str | None = None, leave_out: bool = False, limits: Limits | None = None,
    work: Callable[[Callable], Any] | None = None, progress: Callable[[int, int], Any] | None = None,
) -> Brought:  # fmt: skip
    """What was brought; see `edm.data.bring`."""
    limits = limits or Limits()
    files = places.opened(given, limits)
    if not files.names:
        raise Refused(f"{files.place} holds no files")
    if found := arrays.read(files, limits, labels, work, progress):
        return found
    if rows := parquet.rows(files, limits):
        return of_images(rows[0], limits, rows[1], leave_out=leave_out, work=work, progress=progress)
    if name := table_among(files):
        return (work or _done)(lambda: (_points(files, name, columns, limits), 0))
    found = sorted_out(files, limits, labels)
    return of_images(files, limits, found, leave_out=leave_out, work=work, progress=progress)


def _done(piece):
    return piece()[0]


def table_among(files: Files) -> str | None:
    """The file that holds a table of points: one alone that is no image, or the only table without any images."""
    if len(files.names) == 1:
        name = files.names[0]
        packed = name.lower().endswith(ENDINGS) and not tables.recognized(name)
        return None if is_image(name) or packed else name
    found = [name for name in files.names if tables.recognized(name)]
    if not found or any(map(is_image, files.names)):
        return None
    if len(found) > 1:
        raise Refused(f"{files.place} holds {len(found):,} tables: {listed(found)}; give one of them")
    return found[0]


def of_images(files: Files, limits: Limits, found: Sorted, **how: Any) -> Brought:
    """Images among files, of which somebody has said which they are, and of which classes. how: of `survey`."""
    seen = survey(files, limits, found, **how)
    return Brought(
        "images", len(seen.names), seen.shape, seen.classes, seen.class_names, seen.left_out, seen.notes,
        seen.choices, len(seen.held), opened=partial(ImageFolder.of, seen),
    )  # fmt: skip


def _points(files: Files, name: str, columns: str | Sequence[str | int] | None, limits: Limits) -> Brought:
    with files.open(name) as file:
        most = min(limits.table_bytes, tables.MAX_BYTES)
        table = tables.read(file, name, columns, place=files.told(name), most=most)
    others = [LeftOut(other, "is no table") for other in files.names if other != name]
    return Brought(
        "points", len(table.points), table.points.shape[1:], len(table.class_names), table.class_names,
        (*files.left_out, *others, *table.left_out), table.notes, table.choices, points=table.points, table=table,
    )  # fmt: skip
