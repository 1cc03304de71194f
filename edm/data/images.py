"""One image file from anywhere: opened with care, and brought to the size that is wanted.

A file is what its content says, whatever its name. Of an animation, and of several pages, the first picture is taken.
"""

from __future__ import annotations

import io
import re
import struct
from typing import IO, TYPE_CHECKING

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from edm.base import kinds_of_files
from edm.base.errors import Refused
from edm.base.extras import needed
from edm.data import depths

if TYPE_CHECKING:
    from edm.base.types import Shape

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "AVIF", "GIF", "TIFF", "JPEG2000", "PPM")  # and HEIF, where it is met
SUFFIXES = (".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".avif", ".gif", ".tif", ".tiff")
SUFFIXES += (".jp2", ".j2k", ".j2c", ".jpc", ".jpf", ".jpx", ".heic", ".heif", ".hif", ".ppm", ".pgm", ".pbm", ".pnm")
MAX_PIXELS = 2**26  # before cropping; below the level at which PIL warns
FINER = 4
MOST_PARTS, MOST_SCANS = 20_000, 100  # of one PNG or JPEG file; each costs time, and none but a few bytes
MOST_PACKED = 1 << 20  # pixels of a BMP packed by run lengths, or of a PPM in letters: PIL reads each by itself
_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd7\xff]")

# What PIL's decoders raise on damaged files; anything else is a fault of this program
BROKEN = (OSError, SyntaxError, ValueError, EOFError, LookupError, TypeError, OverflowError, struct.error)
BROKEN += (RuntimeError,)  # of AVIF


class Unreadable(Refused):
    """A file that is no image, or a damaged one. reason: what is the matter, the end of a sentence about it."""

    def __init__(self, place: str, reason: str, remedy: str = "replace or remove it"):
        super().__init__(f"{place} {reason}; {remedy}")
        self.reason = reason


def opened(file: IO[bytes], place: str, most: int = MAX_PIXELS) -> Image.Image:
    """The image in a binary file, its pixels not yet decoded. Raises Unreadable, naming `place`."""
    begin = file.read(kinds_of_files.BEGIN)
    file.seek(0)
    known = kinds_of_files.described(begin)
    formats = FORMATS
    if known == "HEIC":
        formats = (*FORMATS, _heif(place))
    try:
        image = Image.open(file, formats=formats)
        size = max(image.width * image.height, _tile(image))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        size = most + 1
    except UnidentifiedImageError:
        raise _unknown(known, place) from None
    except BROKEN as error:
        raise Unreadable(place, f"has a broken header ({error})") from None
    if size > most:
        raise Unreadable(place, f"claims more than {most} pixels, the limit for one image", "shrink or remove it")
    return image


def stored(image: Image.Image) -> Shape:
    """The shape (C, H, W) of an image that is opened, upright; transparency is no channel, for it is laid on white."""
    width, height = image.size
    # PIL decodes a whole PNG to say that it has no EXIF
    if width != height and (image.format != "PNG" or "exif" in image.info):
        turned = image.getexif().get(depths.ORIENTATION, 1) in (5, 6, 7, 8)
        width, height = (height, width) if turned else (width, height)
    return 1 if depths.is_grey(image) else 3, height, width


def look(image: Image.Image, place: str, known: depths.Depths) -> None:
    """Decode an opened image, a JPEG at an eighth of its size, so that `known` knows its values.

    Raises Unreadable where it is damaged."""
    try:
        known.look(image)
        image.draft(None, (1, 1))
        image.load()
    except BROKEN as error:
        raise _damaged(place, error) from None


def pixels(image: Image.Image, place: str, crop: bool, shape: Shape, scales: depths.Scales | None = None) -> np.ndarray:
    """Its pixels, uint8 [C, H, W]. scales: of its set (`edm.data.depths.Depths`). Raises Unreadable."""
    try:
        return fitted(depths.shallow(image, scales or {}) if depths.kind(image) else image, crop, shape)
    except BROKEN as error:
        raise _damaged(place, error) from None


def fitted(image: Image.Image, crop: bool, shape: Shape) -> np.ndarray:
    """The pixels of an image of eight bits, turned upright, cropped, converted and resized: uint8 [C, H, W]."""
    channels, *sides = shape
    ImageOps.exif_transpose(image, in_place=True)
    width, height = image.size
    if crop and width != height:
        square = min(width, height)
        left, top = (width - square) // 2, (height - square) // 2
        image = image.crop((left, top, left + square, top + square))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    if image.mode != (mode := "RGB" if channels == 3 else "L"):
        image = image.convert(mode)
    if image.size != (sides[1], sides[0]):
        image = image.resize((sides[1], sides[0]), Image.Resampling.LANCZOS)
    return np.asarray(image).reshape(*sides, channels).transpose(2, 0, 1)


def square(
    data: bytes, place: str, side: int, most: int = MAX_PIXELS, scales: depths.Scales | None = None
) -> tuple[np.ndarray, int]:
    """(the central square of an encoded image, uint8 RGB [3, side, side], how many pixels of it were decoded).

    A JPEG is decoded at an eighth, a quarter or half of its size, if that still is FINER times what is wanted.
    Raises ValueError, naming `place`, for what is no whole image, has more than `most` pixels, or is made to take long.
    """
    if _laborious(data):
        raise Unreadable(place, "is made of more parts than any photograph", "save it anew, or remove it")
    with opened(io.BytesIO(data), place, most) as image:
        if image.width * image.height > MOST_PACKED and _by_single_pixels(image, data):
            raise Unreadable(place, f"is a {image.format} whose pixels take long to read", "save it as PNG")
        image.draft(None, (FINER * side, FINER * side))
        decoded = image.width * image.height
        return pixels(image, place, True, (3, side, side), scales), decoded


def _by_single_pixels(image, data) -> bool:
    """Whether PIL reads each of its pixels by itself: of a BMP packed by run lengths, or a PPM that is text."""
    return bool(image.format == "BMP" and image.info.get("compression")) or data[:2] in (b"P1", b"P2", b"P3")


def _tile(image) -> int:
    """The pixels of one tile of a TIFF, which may be larger than the image."""
    sides = [getattr(image, "tag_v2", {}).get(tag, 0) for tag in (322, 323)]  # its width and its length
    return sides[0] * sides[1] if all(isinstance(side, int) for side in sides) else 0


def _heif(place) -> str:
    """What PIL calls HEIC, once it knows it."""
    with needed("files", f"{place}, a HEIC picture,"):
        from pillow_heif import register_heif_opener
    register_heif_opener()
    return "HEIF"


def _unknown(known: str, place: str) -> Unreadable:
    """For a file that PIL does not know."""
    if known in kinds_of_files.PICTURES:
        return Unreadable(
            place, f"is {known} with a broken header, or of an unusual kind", "save it anew as PNG, or remove it"
        )
    if known:
        return Unreadable(place, f"is no image, but {known}")
    return Unreadable(place, f"is no image ({', '.join(FORMATS)}), or its header is broken")


def _damaged(place, error) -> Unreadable:
    return Unreadable(place, f"is damaged ({error})")


def _laborious(data: bytes) -> bool:
    """Whether a PNG has more chunks, or a JPEG more segments or scans, than an honest one."""
    parts = scans = 0
    if data.startswith(b"\x89PNG"):
        at = 8
        while at + 8 <= len(data) and parts <= MOST_PARTS:
            at, parts = at + 12 + int.from_bytes(data[at : at + 4], "big"), parts + 1
    elif data.startswith(b"\xff\xd8"):
        at = 2
        while (found := _MARKER.search(data, at)) and found[0] != b"\xff\xd9" and parts <= MOST_PARTS:
            # PIL looks at each byte between two segments; between scans there are the pixels
            parts += 1 if scans else 1 + found.start() - at
            scans += found[0] == b"\xff\xda"
            at = found.end() + max(int.from_bytes(data[found.end() : found.end() + 2], "big"), 2)
    return parts > MOST_PARTS or scans > MOST_SCANS
