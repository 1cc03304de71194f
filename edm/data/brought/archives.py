"""Zips and tars. Their files are read where they lie, each unpacked when it is asked for, and no more than it claims.

What a directory claims is held against the limits before anything is unpacked. A tar that is packed as a whole cannot
be read at a place, and is unpacked into one temporary file, which goes with the process.
"""

from __future__ import annotations

import bz2
import io
import lzma
import os
import shutil
import stat
import struct
import tarfile
import tempfile
import weakref
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

from PIL.ContainerIO import ContainerIO

from edm.base.errors import Refused
from edm.data.brought import LeftOut, Limits, names
from edm.data.brought.files import Files

AGAIN = "pack it again from inside the folder with: zip -r set.zip ."
WHOLE = (".npz", ".xlsx", ".xlsm", ".parquet", ".pt", ".pth", ".docx", ".pptx", ".ods")  # zips that are one file
_TARS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
_OTHERS = {b"Rar!\x1a\x07": "a RAR archive", b"7z\xbc\xaf\x27\x1c": "a 7z archive"}
_UNPACKERS = {zipfile.ZIP_DEFLATED: lambda: zlib.decompressobj(-15), zipfile.ZIP_BZIP2: bz2.BZ2Decompressor}
_UNREAD = {9: "Deflate64", 14: "LZMA", 93: "Zstandard", 95: "XZ", 99: "AES"}
_PIECE, _IN_MEMORY = 1 << 16, 1 << 26
_BYTES_OF_ENTRY = 256  # of a zip's directory, in which a long name takes most of it
_SPARE = 1 << 30  # bytes of a disk that stay free

# What the modules raise on damaged files; anything else is a fault of this program
_BROKEN = (
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
            with _whole(self._source) as file:
                start = self._start(file, part, name)
                if part.method == zipfile.ZIP_STORED:
                    yield ContainerIO(file, start, part.size)
                    return
                with tempfile.SpooledTemporaryFile(_IN_MEMORY) as unpacked:
                    file.seek(start)
                    self._unpack(file, part, name, unpacked)
                    unpacked.seek(0)
                    yield unpacked
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

    def _unpack(self, file, part, name, unpacked):
        """Write what lies at a file's place into another one: no more than it claims, and no less."""
        unpacker, left, size, piece = _UNPACKERS[part.method](), part.packed, 0, b""
        try:
            while size <= part.size and not unpacker.eof:
                if not piece and left:
                    piece = file.read(min(_PIECE, left))
                    left -= len(piece)
                    if not piece:
                        break
                data = unpacker.decompress(piece, _PIECE)
                piece = getattr(unpacker, "unconsumed_tail", b"")
                if not data and not piece and not left:
                    break
                size += len(data)
                unpacked.write(data)
        except (*_BROKEN, OSError) as error:
            raise Refused(f"{self.told(name)} cannot be unpacked ({error}); pack it again") from None
        if size != part.size:
            raise Refused(f"{self.told(name)} is not of the size that it claims; {AGAIN}")


@contextmanager
def _whole(source) -> Iterator[IO[bytes]]:
    if isinstance(source, Path):
        with open(source, "rb") as file:
            yield file
    else:
        yield source


def opened(source: Path | IO[bytes], name: str, limits: Limits) -> Files | None:
    """The files of an archive; None of a file that is none. name: how it is called."""
    place = name if isinstance(source, Path) else f"{name!r:.80}"
    ending = name.lower()
    with _whole(source) as file:
        file.seek(0)
        begin = file.read(512)
        file.seek(0)
        if any(ending.endswith(one) for one in WHOLE):
            return None
        for magic, kind in _OTHERS.items():
            if begin.startswith(magic):
                raise Refused(f"{place} is {kind}, which is not read: unpack it, and bring the folder or a zip of it")
        if ending.endswith(".zip") or begin.startswith((b"PK\3\4", b"PK\5\6")):
            return _zip(file, source, place, limits)
        if ending.endswith(_TARS) or begin[257:262] == b"ustar":
            return _tar(file, source, place, limits)
    return None


def _zip(file, source, place, limits) -> Files:
    modest = _Modest(file, _BYTES_OF_ENTRY * limits.files)
    end = file.seek(0, 2)
    try:
        with zipfile.ZipFile(modest) as archive:
            entries = archive.infolist()
    except _BROKEN as error:
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
        if not stored and entry.compress_type not in _UNPACKERS:
            kind = _UNREAD.get(entry.compress_type, f"method {entry.compress_type}")
            raise Refused(f"{told} is packed in an unusual way ({kind}), which is not read; {AGAIN}")
        size, packed = entry.file_size, entry.compress_size
        if (stored and size != packed) or entry.header_offset + packed > end:
            raise Refused(f"{told} claims {max(size, packed):,} bytes, which the zip does not hold; {AGAIN}")
        if found in parts:
            raise Refused(f"{told} is there twice; {AGAIN}")
        parts[found] = Part(entry.header_offset, packed, size, entry.compress_type, entry.CRC, True)
    _modest(parts, place, limits)
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


def _modest(parts, place, limits):
    """Raises Refused for more than the limits allow, and for files that lie in one another, as none that is honest."""
    total, before = 0, (0, "")
    if len(parts) > limits.files:
        raise Refused(f"{place} holds {len(parts):,} files; at most {limits.files:,} are taken")
    for name, part in sorted(parts.items(), key=lambda item: item[1].offset):
        if part.offset < before[0]:
            inside = f"{name!r:.200} is not where it should be, but inside {before[1]!r:.200}"
            raise Refused(f"{place} is damaged: {inside}; {AGAIN}")
        before, total = (part.offset + part.packed, name), total + part.size
        if part.size > max(limits.each, limits.table_bytes):
            raise Refused(f"{name!r:.200} in {place} unpacks to {part.size:,} bytes, more than is taken of one file")
    if limits.unpacked is not None and total > limits.unpacked:
        raise Refused(f"{place} unpacks to {total:,} bytes; at most {limits.unpacked:,} are taken: shrink the images")


def _tar(file, source, place, limits) -> Files:
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
                if (allowed is not None and total > allowed) or entry.size > max(limits.each, limits.table_bytes):
                    raise Refused(f"{told} brings what is unpacked to {total:,} bytes, more than there is room for")
                if found in parts:
                    raise Refused(f"{told} is there twice; pack the tar again")
                if len(parts) >= limits.files:
                    raise Refused(f"{place} holds more than {limits.files:,} files, the most that are taken")
                if store is None:
                    parts[found] = Part(entry.offset_data, entry.size, entry.size)
                else:
                    parts[found] = Part(store.add(archive.extractfile(entry), entry.size), entry.size, entry.size)
    except (*_BROKEN, OSError) as error:
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
