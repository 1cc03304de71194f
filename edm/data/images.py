"""One image file from anywhere: opened with care, and brought to the size that is wanted."""

from __future__ import annotations

import io
import re
import struct
from typing import IO, TYPE_CHECKING

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from edm.base.errors import Refused

if TYPE_CHECKING:
    from edm.base.types import Shape

FORMATS = ("PNG", "JPEG", "WEBP", "BMP")
MAX_PIXELS = 2**26  # before cropping; below the level at which PIL warns
FINER = 4
MOST_PARTS, MOST_SCANS = 20_000, 100  # of one PNG or JPEG file; each costs time, and none but a few bytes
MOST_PACKED = 1 << 20  # pixels of a BMP that is packed by run lengths, each of which PIL reads by itself
_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd7\xff]")

# What PIL's decoders raise on damaged files; anything else is a fault of this program
BROKEN = (OSError, SyntaxError, ValueError, EOFError, LookupError, TypeError, OverflowError, struct.error)


def opened(file: IO[bytes], place: str, most: int = MAX_PIXELS, formats: tuple[str, ...] = FORMATS) -> Image.Image:
    """The image in a binary file, its pixels not yet decoded."""
    try:
        image = Image.open(file, formats=formats)
        pixels = image.width * image.height
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        pixels = most + 1
    except UnidentifiedImageError:
        kinds = ", ".join(formats)
        raise Refused(f"{place} is no image ({kinds}), or its header is broken; replace or remove it") from None
    except BROKEN as error:
        raise Refused(f"{place} has a broken header ({error}); replace or remove it") from None
    if pixels > most:
        raise Refused(f"{place} claims more than {most} pixels, the limit for one image; shrink or remove it")
    return image


def pixels(image: Image.Image, place: str, crop: bool, shape: Shape) -> np.ndarray:
    """Its pixels, uint8 [C, H, W]."""
    try:
        return _converted(image, crop, shape)
    except BROKEN as error:
        raise Refused(f"{place} is damaged ({error}); replace or remove it") from None


def _converted(image, crop, shape):
    """Decoded, turned upright, cropped, converted and resized."""
    channels, side, _ = shape
    ImageOps.exif_transpose(image, in_place=True)
    width, height = image.size
    if crop and width != height:
        square = min(width, height)
        left, top = (width - square) // 2, (height - square) // 2
        image = image.crop((left, top, left + square, top + square))
    if image.mode.startswith("I"):  # 16-bit greyscale; of 16-bit colour PIL's decoder takes the upper byte itself
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    elif image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    if image.mode != (mode := "RGB" if channels == 3 else "L"):
        image = image.convert(mode)
    if image.size != (side, side):
        image = image.resize((side, side), Image.Resampling.LANCZOS)
    return np.asarray(image).reshape(side, side, channels).transpose(2, 0, 1)


def square(data: bytes, place: str, side: int, most: int = MAX_PIXELS) -> tuple[np.ndarray, int]:
    """(the central square of an encoded image, uint8 RGB [3, side, side], how many pixels of it were decoded).

    A JPEG is decoded at an eighth, a quarter or half of its size, if that still is FINER times what is wanted.
    Raises ValueError, naming `place`, for what is no whole image, has more than `most` pixels, or is made to take long.
    """
    if _laborious(data):
        raise Refused(f"{place} is made of more parts than any photograph; save it anew, or remove it")
    with opened(io.BytesIO(data), place, most) as image:
        if image.format == "BMP" and image.info.get("compression") and image.width * image.height > MOST_PACKED:
            raise Refused(f"{place} is a BMP packed by run lengths, which takes long to read; save it as PNG")
        image.draft(None, (FINER * side, FINER * side))
        decoded = image.width * image.height
        return pixels(image, place, True, (3, side, side)), decoded


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
