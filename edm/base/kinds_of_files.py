"""What a file is by its first bytes, whatever it is called."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

from edm.base.paths import expanded

if TYPE_CHECKING:
    from edm.base.types import StrPath

BEGIN = 64  # bytes, by which it is known
_PIXELS = (b"\x89PNG\r\n\x1a\n", b"GIF8", b"\xff\xd8\xff", b"BM")
PICTURES = ("PNG", "JPEG", "GIF", "WebP", "BMP", "TIFF", "JPEG 2000", "AVIF", "HEIC", "PPM")  # that are read
_KNOWN = {  # first bytes -> what that is, in a sentence
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"GIF8": "GIF",
    b"BM": "BMP",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"II+\0": "TIFF",
    b"\0\0\0\x0cjP  ": "JPEG 2000",
    b"\xff\x4f\xff\x51": "JPEG 2000",
    b"8BPS": "a Photoshop file; export it as PNG",
    b"%PDF": "a PDF document",
    b"%!PS": "PostScript",
    b"PK\3\4": "a zip archive",
    b"PK\5\6": "an empty zip archive",
    b"\x1f\x8b": "a gzip archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"Rar!": "a RAR archive",
    b"\x89HDF": "HDF5",
    b"PAR1": "a Parquet table",
    b"\x93NUMPY": "a NumPy array",
    b"\0\0\1\0": "an icon",
    b"\xff\x0a": "JPEG XL, which is not read",
    b"\0\0\0\x0cJXL ": "JPEG XL, which is not read",
    b"\x1a\x45\xdf\xa3": "a film",
}
_AVIF, _HEIF = {b"avif", b"avis"}, {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"heif"}


def described(begin: bytes) -> str:
    """What a file with these first BEGIN bytes is: one of PICTURES, or words for a sentence; "" for the unknown."""
    if not begin:
        return "empty"
    for start, name in _KNOWN.items():
        if begin.startswith(start):
            return name
    if begin[:4] == b"RIFF":
        return "WebP" if begin[8:12] == b"WEBP" else "sound or a film"
    if begin[4:8] == b"ftyp":
        brands = {begin[at : at + 4] for at in (8, *range(16, min(int.from_bytes(begin[:4], "big"), BEGIN), 4))}
        return "AVIF" if brands & _AVIF else "HEIC" if brands & _HEIF else "a film"
    if begin[:1] == b"P" and begin[1:2] in b"123456f" and begin[2:3].isspace():
        return "PPM"
    return _text(begin)


def _text(begin) -> str:
    for mark, encoding in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        if begin.startswith(mark):
            begin = begin.decode(encoding, "ignore").encode()
    start = begin.removeprefix(codecs.BOM_UTF8).lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return "a page of the web"
    if start.startswith((b"<svg", b"<?xml")):
        return "a drawing of lines (SVG or XML), without pixels"
    printable = all(byte >= 32 or byte in b"\t\n\r\f" for byte in begin)
    try:  # the last letter may be cut off
        codecs.getincrementaldecoder("utf-8")().decode(begin, final=len(begin) < BEGIN)
    except UnicodeDecodeError:
        return ""
    return "text" if printable else ""


def is_picture(path: StrPath) -> bool:
    """Whether it is a picture, ours or another's. Raises OSError if it cannot be opened."""
    begin = _begin(path)
    return begin.startswith(_PIXELS) or begin[8:12] == b"WEBP" or is_svg(path)


def is_svg(path: StrPath) -> bool:
    """Whether it is one that is drawn."""
    return _begin(path).removeprefix(b"\xef\xbb\xbf").lstrip().startswith((b"<svg", b"<?xml"))


def is_safetensors(path: StrPath) -> bool:
    """Whether it holds tensors: the length of its header in eight bytes, and a header in JSON."""
    begin = _begin(path)
    return begin[8:9] == b"{" and begin[4:8] == bytes(4)


def _begin(path) -> bytes:
    with open(expanded(path), "rb") as file:
        return file.read(BEGIN)
