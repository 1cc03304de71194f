"""Where what people bring lies: a folder, an archive, files that were sent, or one alone."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import IO, TYPE_CHECKING

from edm.base.errors import Refused
from edm.base.paths import expanded
from edm.data.brought import Limits, archives
from edm.data.brought.files import Files, Folder, Sent

if TYPE_CHECKING:
    from edm.base.types import StrPath


def opened(given: StrPath | Sequence[tuple[str, IO[bytes]]], limits: Limits | None = None) -> Files:
    """The files of a folder, of an archive, of what was sent, or one alone. Raises Refused with a sentence."""
    limits = limits or Limits()
    if not isinstance(given, str | os.PathLike):
        alone = given[0] if len(given) == 1 else None
        packed = alone and archives.opened(alone[1], alone[0], limits)
        return packed or Sent(given)
    path = expanded(given).absolute()
    try:
        if path.is_dir():
            return Folder(path)
        if not path.is_file():
            raise Refused(f"there is no folder and no zip or other file at {path!s:.300}; check the path")
        return archives.opened(path, str(path), limits) or Folder(path.parent, path.name)
    except OSError as error:
        raise Refused(f"{error.filename or path} cannot be opened ({error.strerror or error})") from None
