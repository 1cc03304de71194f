"""`bring`: what somebody brings, read by whoever reads its kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import IO, TYPE_CHECKING, Any

from edm.base.errors import Refused
from edm.data.brought import Brought, Limits, places, tables
from edm.data.brought.survey import is_image, survey
from edm.data.folders import ImageFolder

if TYPE_CHECKING:
    from edm.base.types import StrPath
    from edm.data.brought.files import Files


def bring(
    given: StrPath | Sequence[tuple[str, IO[bytes]]], *, columns: str | Sequence[str | int] | None = None,
    labels: str | None = None, leave_out: bool = False, limits: Limits | None = None,
    progress: Callable[[int, int], Any] | None = None,
) -> Brought:  # fmt: skip
    """What was brought; see `edm.data.bring`."""
    limits = limits or Limits()
    files = places.opened(given, limits)
    if not files.names:
        raise Refused(f"{files.place} holds no files")
    # arrays of images (arrays.recognized, arrays.read) and tables (tables.recognized, tables.read) are asked here
    if len(files.names) == 1 and not is_image(files.names[0]):
        return _points(files, files.names[0], columns, limits)
    return _images(files, limits)


def _images(files: Files, limits: Limits) -> Brought:
    found = survey(files, limits)
    return Brought(
        "images", len(found.names), found.shape, found.classes, found.class_names, found.left_out, found.notes,
        opened=partial(ImageFolder.of, found),
    )  # fmt: skip


def _points(files: Files, name: str, columns: str | Sequence[str | int] | None, limits: Limits) -> Brought:
    with files.open(name) as file:
        most = min(limits.table_bytes, tables.MAX_BYTES)
        table = tables.read(file, name, columns, place=files.told(name), most=most)
    return Brought(
        "points", len(table.points), table.points.shape[1:], len(table.class_names), table.class_names,
        (*files.left_out, *table.left_out), table.notes, table.choices, points=table.points, table=table,
    )  # fmt: skip
