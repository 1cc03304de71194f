"""`bring`: what somebody brings, read by whoever reads its kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, TYPE_CHECKING, Any

from edm.base.errors import Refused
from edm.data import points
from edm.data.brought import Brought, Limits, places
from edm.data.brought.survey import is_image, survey
from edm.data.folders import ImageFolder

if TYPE_CHECKING:
    from edm.base.types import StrPath
    from edm.data.brought.files import Files


def bring(
    given: StrPath | Sequence[tuple[str, IO[bytes]]], *, columns: Sequence[str] | None = None,
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
        return _points(files, files.names[0])
    return _images(files, limits)


def _images(files: Files, limits: Limits) -> Brought:
    found = survey(files, limits)
    return Brought(
        "images", len(found.names), found.shape, found.classes, found.class_names, found.left_out, found.notes,
        opened=partial(ImageFolder.of, found),
    )  # fmt: skip


def _points(files: Files, name: str) -> Brought:
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"brought{Path(name).suffix}"
        path.write_bytes(files.contents(name, points.MAX_BYTES))
        try:
            known = points.read(path)
        except Refused as error:
            raise Refused(str(error).replace(str(path), files.told(name))) from None
    return Brought("points", len(known), known.shape[1:], left_out=files.left_out, points=known)
