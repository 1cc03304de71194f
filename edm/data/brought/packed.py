"""The files of an archive, read where they lie: each is unpacked when it is asked for, and no more than it claims."""

from __future__ import annotations

import bz2
import io
import lzma
import struct
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

from PIL.ContainerIO import ContainerIO

from edm.base.errors import Refused
from edm.data.brought import Limits
from edm.data.brought.files import Files
from edm.data.brought.told import LeftOut
from edm.data.images import SUFFIXES, Unreadable

AGAIN = "pack it again from inside the folder with: zip -r set.zip ."
UNPACKERS = {zipfile.ZIP_DEFLATED: lambda: zlib.decompressobj(-15), zipfile.ZIP_BZIP2: bz2.BZ2Decompressor}
_PIECE, _IN_MEMORY = 1 << 16, 1 << 26

# What the modules raise on damaged files; anything else is a fault of this program
BROKEN = (
    zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, ValueError, EOFError, NotImplementedError,
    OverflowError, RuntimeError, struct.error,
)  # fmt: skip


class Part(NamedTuple):
    """Where a file lies in an archive. header: whether one of a zip comes first; crc: None if it is not known."""

    offset: int
    packed: int
    size: int
    method: int = zipfile.ZIP_STORED
    crc: int | None = None
    header: bool = False


class Packed(Files):
    """The files of an archive. source: its path, or a binary file that can seek."""

    def __init__(
        self,
        source: Path | IO[bytes],
        place: str,
        parts: dict[str, Part],
        left_out: Iterable[LeftOut],
        keeps: object = None,
    ):
        self._source, self._parts, self._keeps = source, parts, keeps
        super().__init__(place, list(parts), left_out)

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        part = self._parts[name]
        try:
            with whole(self._source) as file:
                start = self._start(file, part, name)
                if part.method == zipfile.ZIP_STORED:
                    yield ContainerIO(file, start, part.size)
                    return
                with tempfile.SpooledTemporaryFile(_IN_MEMORY) as store:
                    yield io.BufferedReader(_Unpacked(file, store, start, part, self.told(name)), _PIECE)
        except OSError as error:
            raise Refused(f"{self.told(name)} cannot be read ({error.strerror or error})") from None

    def size(self, name: str) -> int:
        return self._parts[name].size

    def contents(self, name: str, most: int) -> bytes:
        data, crc = super().contents(name, most), self._parts[name].crc
        if crc is not None and zlib.crc32(data) != crc:
            raise Refused(f"{self.place} is damaged: the checksum of {name!r} is wrong; pack it again")
        return data

    def _start(self, file, part, name) -> int:
        if not part.header:
            return part.offset
        file.seek(part.offset)
        header = file.read(30).ljust(30)
        if not header.startswith(b"PK\3\4"):
            raise Refused(f"{self.place} is damaged: {name!r} is not where it should be; pack it again")
        return part.offset + 30 + sum(struct.unpack("<2H", header[26:]))


class _Unpacked(io.RawIOBase):
    """A packed file as it was, which can seek: it is unpacked as far as somebody reads, and no more than it claims."""

    def __init__(self, file, store, start: int, part: Part, told: str):
        self._file, self._next, self._left, self._size, self._told = file, start, part.packed, part.size, told
        self._unpacker, self._piece = UNPACKERS[part.method](), b""
        self._store, self._there, self._at = store, 0, 0

    def readable(self):
        return True

    def seekable(self):
        return True

    def tell(self):
        return self._at

    def seek(self, offset, whence=0):
        self._at = max(offset + (0, self._at, self._size)[whence], 0)
        return self._at

    def readinto(self, buffer):
        end = min(self._at + len(buffer), self._size)
        try:
            while self._there < end or (end == self._size and not self._unpacker.eof):
                self._unpack()
        except (*BROKEN, OSError) as error:
            if isinstance(error, Unreadable):
                raise
            raise Unreadable(self._told, f"cannot be unpacked ({error})", "pack it again") from None
        self._store.seek(self._at)
        data = self._store.read(max(end - self._at, 0))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def _unpack(self):
        """One piece more."""
        if not self._piece and self._left:
            self._file.seek(self._next)
            self._piece = self._file.read(min(_PIECE, self._left))
            self._next, self._left = self._next + len(self._piece), self._left - len(self._piece)
        ends = not self._piece
        data = self._unpacker.decompress(self._piece, _PIECE)
        self._piece = getattr(self._unpacker, "unconsumed_tail", b"")
        if self._there + len(data) > self._size or (ends and not data and not self._unpacker.eof):
            raise Unreadable(self._told, "is not of the size that it claims", AGAIN)
        self._store.seek(self._there)
        self._store.write(data)
        self._there += len(data)
        if self._unpacker.eof and self._there < self._size:
            raise Unreadable(self._told, "is not of the size that it claims", AGAIN)


@contextmanager
def whole(source: Path | IO[bytes]) -> Iterator[IO[bytes]]:
    """An archive, open: one that was sent stays so."""
    if isinstance(source, Path):
        with open(source, "rb") as file:
            yield file
    else:
        yield source


def check(parts: dict[str, Part], place: str, limits: Limits) -> None:
    """Raises Refused for more than the limits allow, and for files that lie in one another, as none that is honest."""
    total, before = 0, (0, "")
    if len(parts) > limits.files:
        raise Refused(f"{place} holds {len(parts):,} files; at most {limits.files:,} are taken")
    for name, part in sorted(parts.items(), key=lambda item: item[1].offset):
        if part.offset < before[0]:
            inside = f"{name!r:.200} is not where it should be, but inside {before[1]!r:.200}"
            raise Refused(f"{place} is damaged: {inside}; {AGAIN}")
        before, total = (part.offset + part.packed, name), total + part.size
        check_one(name, part.size, place, limits)
    if limits.unpacked is not None and total > limits.unpacked:
        raise Refused(f"{place} unpacks to {total:,} bytes; at most {limits.unpacked:,} are taken: shrink the images")


def check_one(name: str, size: int, place: str, limits: Limits) -> None:
    """Raises Refused for a file of more bytes than are taken."""
    most = limits.each if name.lower().endswith(SUFFIXES) else limits.table_bytes
    if size > most:
        raise Refused(f"{name!r:.200} in {place} unpacks to {size:,} bytes; at most {most:,} are taken of such a file")
