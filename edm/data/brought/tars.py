"""Tars. One that is packed as a whole cannot be read at a place: its files are unpacked into one temporary file, which
goes with the process."""

from __future__ import annotations

import os
import shutil
import tarfile
import tempfile
import weakref
from pathlib import Path
from typing import IO

from edm.base.errors import Refused
from edm.data.brought import Limits, names
from edm.data.brought.packed import BROKEN, Packed, Part, check_one
from edm.data.brought.told import LeftOut

_SPARE = 1 << 30  # bytes of a disk that stay free


def opened(file: IO[bytes], source: Path | IO[bytes], place: str, limits: Limits) -> Packed:
    """The files of a tar. file: it, open; source: where it is read later. Raises Refused."""
    ending = bytes(file.read(6))
    file.seek(0)
    plain = not ending.startswith((b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0"))
    store = None if plain else _Store()
    allowed = limits.unpacked
    if store is not None and allowed is None:
        allowed = max(shutil.disk_usage(tempfile.gettempdir()).free - _SPARE, 0)
    parts, left_out, total = {}, [], 0
    try:
        with tarfile.open(fileobj=file, mode="r:" if plain else "r|*") as archive:
            for entry in archive:
                if entry.isdir():
                    continue
                found = names.checked(entry.name, place)
                told = f"{found!r:.200} in {place}"
                reason = names.hidden(found) or ("" if entry.isreg() else "is a link or no plain file")
                if reason:
                    left_out.append(LeftOut(found, reason))
                    continue
                total += entry.size
                check_one(found, entry.size, place, limits)
                if allowed is not None and total > allowed:
                    raise Refused(f"{told} brings what is unpacked to {total:,} bytes, more than there is room for")
                if found in parts:
                    raise Refused(f"{told} is there twice; pack the tar again")
                if len(parts) >= limits.files:
                    raise Refused(f"{place} holds more than {limits.files:,} files, the most that are taken")
                if store is None:
                    parts[found] = Part(entry.offset_data, entry.size, entry.size)
                else:
                    parts[found] = Part(store.add(archive.extractfile(entry), entry.size), entry.size, entry.size)
    except (*BROKEN, OSError) as error:
        if isinstance(error, Refused):
            raise
        raise Refused(f"{place} is not a whole tar ({error}); pack it again with: tar -cf set.tar .") from None
    if store is not None:
        return Packed(store.finish(), place, parts, left_out, store)
    end = file.seek(0, 2)
    if any(part.offset + part.size > end for part in parts.values()):
        raise Refused(f"{place} is not a whole tar (its end is missing); pack it again with: tar -cf set.tar .")
    return Packed(source, place, parts, left_out)


class _Store:
    """A temporary file that goes with the process that has made it, or sooner."""

    def __init__(self):
        number, name = tempfile.mkstemp(prefix="edm-", suffix=".unpacked")
        self._file, self.path = os.fdopen(number, "wb"), Path(name)
        weakref.finalize(self, _gone, self.path, os.getpid())

    def add(self, file, size) -> int:
        start = self._file.tell()
        shutil.copyfileobj(file, self._file)
        if self._file.tell() != start + size:
            raise EOFError("it ends too early")
        return start

    def finish(self) -> Path:
        self._file.close()
        return self.path

    def __reduce__(self):  # whoever gets a copy reads the file, and leaves it
        return str, (str(self.path),)


def _gone(path, owner):
    if os.getpid() == owner:
        path.unlink(missing_ok=True)
