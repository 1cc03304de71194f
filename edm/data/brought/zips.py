"""Zips, as any system makes them: what their directory says, before anything is unpacked."""

from __future__ import annotations

import io
import stat
import zipfile
from pathlib import Path
from typing import IO

from edm.base.errors import Refused
from edm.data.brought import Limits, names
from edm.data.brought.packed import AGAIN, BROKEN, UNPACKERS, Packed, Part, check
from edm.data.brought.told import LeftOut

_UNREAD = {9: "Deflate64", 14: "LZMA", 93: "Zstandard", 95: "XZ", 99: "AES"}
_BYTES_OF_ENTRY = 256  # of a zip's directory, in which a long name takes most of it


def opened(file: IO[bytes], source: Path | IO[bytes], place: str, limits: Limits) -> Packed:
    """The files of a zip. file: it, open; source: where it is read later. Raises Refused."""
    modest = _Modest(file, _BYTES_OF_ENTRY * limits.files)
    end = file.seek(0, 2)
    try:
        with zipfile.ZipFile(modest) as archive:
            entries = archive.infolist()
    except BROKEN as error:
        raise Refused(f"{place} is not a whole zip ({error}); {AGAIN}") from None
    parts, left_out = {}, []
    for entry in entries:
        found = names.checked(_called(entry), place)
        told = f"{found!r:.200} in {place}"
        if entry.is_dir() or entry.filename.endswith("\\"):
            continue
        if reason := names.hidden(found) or _link(entry):
            left_out.append(LeftOut(found, reason))
            continue
        if entry.flag_bits & 1:
            raise Refused(f"{told} is encrypted; pack the zip without a password")
        stored = entry.compress_type == zipfile.ZIP_STORED
        if not stored and entry.compress_type not in UNPACKERS:
            kind = _UNREAD.get(entry.compress_type, f"method {entry.compress_type}")
            raise Refused(f"{told} is packed in an unusual way ({kind}), which is not read; {AGAIN}")
        size, packed = entry.file_size, entry.compress_size
        if (stored and size != packed) or entry.header_offset + packed > end:
            raise Refused(f"{told} claims {max(size, packed):,} bytes, which the zip does not hold; {AGAIN}")
        if found in parts:
            raise Refused(f"{told} is there twice; {AGAIN}")
        parts[found] = Part(entry.header_offset, packed, size, entry.compress_type, entry.CRC, True)
    check(parts, place, limits)
    return Packed(source, place, parts, left_out)


def _called(entry) -> str:
    """An entry's name; one without the flag for UTF-8 is UTF-8 where it can be, and else as old DOS wrote it."""
    name = entry.filename
    if not entry.flag_bits & 0x800 and not name.isascii():
        try:
            return name.encode("cp437").decode("utf-8")
        except UnicodeError:
            pass
    return name


def _link(entry) -> str:
    kind = stat.S_IFMT(entry.external_attr >> 16) if entry.create_system == 3 else 0
    return "" if kind in (0, stat.S_IFREG) else "is a link or no plain file"


class _Modest(io.BufferedIOBase):
    """A binary file of which zipfile reads no giant piece at once, whatever the file's directory claims."""

    def __init__(self, file, most):
        self._file, self._most = file, most

    def read(self, size=-1):
        if size is not None and size > self._most:
            raise zipfile.BadZipFile("it has too many entries, or none")
        return self._file.read(size)

    def seek(self, *place):
        try:
            return self._file.seek(*place)
        except (OSError, ValueError):
            raise zipfile.BadZipFile("its directory points out of it") from None

    def tell(self):
        return self._file.tell()

    def seekable(self):
        return True
