"""Archives: which files are such, whatever they are called."""

from __future__ import annotations

import bz2
import lzma
import zlib
from pathlib import Path
from typing import IO

from edm.base.errors import Refused
from edm.data.brought import Limits, tars, zips
from edm.data.brought.files import Files
from edm.data.brought.packed import BROKEN, whole

_TARS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
ENDINGS = (*_TARS, ".zip", ".rar", ".7z", ".gz", ".bz2", ".xz", ".zst")
WHOLE = (".npz", ".xlsx", ".xlsm", ".parquet", ".pt", ".pth", ".ckpt", ".docx", ".pptx", ".ods")  # zips, but one file
_SHEET = "[Content_Types].xml"  # in a spreadsheet, whatever it is called
_ZIP = (b"PK\3\4", b"PK\5\6")
_PACKED = {
    b"\x1f\x8b": lambda: zlib.decompressobj(31), b"BZh": bz2.BZ2Decompressor, b"\xfd7zXZ\0": lzma.LZMADecompressor,
}  # fmt: skip
_BEGIN, _TAR = 1 << 20, 512  # bytes by which a file is known, and of a tar's first header
_OTHERS = {
    b"Rar!\x1a\x07": "a RAR archive",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"\x28\xb5\x2f\xfd": "packed by zstd",
}


def opened(source: Path | IO[bytes], name: str, limits: Limits) -> Files | None:
    """The files of an archive; None of a file that is none. name: how it is called."""
    place = name if isinstance(source, Path) else f"{name!r:.80}"
    ending = name.lower()
    with whole(source) as file:
        begin = file.read(_BEGIN)
        file.seek(0)
        for magic, kind in _OTHERS.items():
            if begin.startswith(magic):
                raise Refused(f"{place} is {kind}, which is not read: unpack it, and bring the folder or a zip of it")
        if ending.endswith(WHOLE):
            return None
        if begin.startswith(_ZIP):
            found = zips.opened(file, source, place, limits)
            return None if _SHEET in found.names and any(one.startswith("xl/") for one in found.names) else found
        if begin[257:262] == b"ustar" or ending.endswith(_TARS) or _unpacked(begin)[257:262] == b"ustar":
            return tars.opened(file, source, place, limits)
        if ending.endswith(".zip"):
            return zips.opened(file, source, place, limits)
    return None


def _unpacked(begin: bytes) -> bytes:
    """The beginning of what is packed as a whole; of other files nothing."""
    for magic, unpacker in _PACKED.items():
        if begin.startswith(magic):
            try:
                return unpacker().decompress(begin, _TAR)
            except (*BROKEN, OSError):
                return b""
    return b""
