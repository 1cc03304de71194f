"""Archives: which files are such, whatever they are called."""

from __future__ import annotations

from pathlib import Path
from typing import IO

from edm.base.errors import Refused
from edm.data.brought import Limits, tars, zips
from edm.data.brought.files import Files
from edm.data.brought.packed import whole

_TARS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
ENDINGS = (*_TARS, ".zip", ".rar", ".7z", ".gz", ".bz2", ".xz", ".zst")
WHOLE = (".npz", ".xlsx", ".xlsm", ".parquet", ".pt", ".pth", ".ckpt", ".docx", ".pptx", ".ods")  # zips, but one file
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
        file.seek(0)
        begin = file.read(512)
        file.seek(0)
        if any(ending.endswith(one) for one in WHOLE):
            return None
        for magic, kind in _OTHERS.items():
            if begin.startswith(magic):
                raise Refused(f"{place} is {kind}, which is not read: unpack it, and bring the folder or a zip of it")
        if ending.endswith(".zip") or begin.startswith((b"PK\3\4", b"PK\5\6")):
            return zips.opened(file, source, place, limits)
        if ending.endswith(_TARS) or begin[257:262] == b"ustar":
            return tars.opened(file, source, place, limits)
    return None
