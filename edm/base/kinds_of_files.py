"""What a file is by its first bytes, whatever it is called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edm.base.paths import expanded

if TYPE_CHECKING:
    from edm.base.types import StrPath

BEGIN = 64  # bytes, by which it is known
_PIXELS = (b"\x89PNG\r\n\x1a\n", b"GIF8", b"\xff\xd8\xff", b"BM")


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
