"""Pictures of more than eight bits: the values of their pixels, and which of them become 0 and 255.

A camera of 12 bits, a tomograph or a map of depths writes 16-bit files of which it uses a part; taken by their upper
eight bits they are black. What a *set* uses of 16 bits is therefore scaled to 0 … 255, the same for all its pictures,
unless it uses nearly all. Whole numbers of 32 bits, signed ones, and floating-point ones have no range of their own,
and are scaled always.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Mapping

    Scales = Mapping[str, tuple[float, float]]

NEARLY_ALL = 0.75  # of 16 bits: a set that spans so much keeps its upper eight bits
DEEP = "16-bit"
ORIENTATION = 0x0112  # in EXIF
_LAST = "L" if sys.byteorder == "little" else "B"
_LOWER = {
    "B": "L",
    "L": "B",
    "N": "B" if _LAST == "L" else "L",
}  # PIL takes one byte of two; the other order: the other
_COLOURS = ("RGB;16", "RGBA;16")
_GREY_ALPHA = "LA;16B"


def kind(image: Image.Image) -> str:
    """What its values are, where they have more than eight bits; "" for others. Reads the header only."""
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format == "PPM"):
        return DEEP
    if image.mode == "I":
        bits = getattr(image, "tag_v2", {}).get(258, (32,))[0]
        return "signed 16-bit" if bits == 16 else "32-bit"
    if image.mode == "F":
        return "floating-point"
    return DEEP if _raw(image).startswith((*_COLOURS, _GREY_ALPHA)) else ""


def is_grey(image: Image.Image) -> bool:
    """Whether it has no colours."""
    return image.mode in ("1", "L", "LA", "La", "F") or image.mode.startswith("I") or _raw(image) == _GREY_ALPHA


def values(image: Image.Image) -> tuple[np.ndarray, np.ndarray | None]:
    """(the values of a picture that has a `kind`, [H, W, 1] or [H, W, 3]; its opacity, uint8 [H, W], or None)."""
    raw, file, key, alpha = _raw(image), getattr(image, "fp", None), image.info.get("transparency"), None
    if image.mode.startswith(("I", "F")):
        found = np.asarray(image)[:, :, None]
    elif raw == _GREY_ALPHA:  # its four bytes, as if they were four channels
        quads = np.asarray(_again(image, file, "RGBA"))
        found, alpha = _joined(quads[:, :, :1], quads[:, :, 1:2]), quads[:, :, 2]
    else:
        upper = np.asarray(image)  # decoded before the file is read again
        lower = np.asarray(_again(image, file, raw[:-1] + _LOWER[raw[-1]]))
        found = _joined(upper[:, :, :3], lower[:, :, :3])
        alpha = upper[:, :, 3] if image.mode == "RGBA" else None
    if alpha is None and key is not None and not isinstance(key, bytes):
        alpha = np.where((found == np.asarray(key)).all(2), 0, 255).astype(np.uint8)
    return found, alpha


def shallow(image: Image.Image, scales: Scales) -> Image.Image:
    """The same picture with eight bits. scales: of its set, by kind; of 16 bits the upper eight where that has none."""
    its = kind(image)
    if its == DEEP and DEEP not in scales and image.mode.startswith("RGB") and "transparency" not in image.info:
        return image  # PIL takes the upper eight bits itself
    found, alpha = values(image)
    if its == DEEP and DEEP not in scales:
        pixels = (found >> 8).astype(np.uint8)
    else:
        pixels = scaled(found, *scales.get(its, (float(found.min()), float(found.max()))))
    if alpha is not None:
        pixels = np.concatenate([pixels, alpha[:, :, None]], axis=2)
    made = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    made.getexif()[ORIENTATION] = image.getexif().get(ORIENTATION, 1)
    return made


def scaled(found: np.ndarray, low: float, high: float) -> np.ndarray:
    """Values from `low` to `high` as uint8 from 0 to 255; those beyond are cut off."""
    if found.dtype == np.uint16:  # each of the values once, however many pixels have it
        return scaled(np.arange(65536), low, high)[found]
    share = (found.astype(np.float64) - low) * (255 / (high - low) if high > low else 0)
    return np.rint(share.clip(0, 255)).astype(np.uint8)


def told(its: str, low: float, high: float) -> str:
    """What is done to values, in a sentence."""
    ends = [f"{int(end):,}" if float(end).is_integer() else f"{end:.6g}" for end in (low, high)]
    return f"{its} values from {ends[0]} to {ends[1]} were scaled to 0 … 255"


class Depths:
    """What the pictures of a set use of more than eight bits. Each is given to `look`, in any order."""

    def __init__(self):
        self._ends: dict[str, tuple[float, float]] = {}

    def look(self, image: Image.Image) -> None:
        """Note the values of a picture, which is decoded only if it has such. Raises ValueError, in words that follow
        upon a name of the file, for values that are not finite."""
        its = kind(image)
        if not its or (its == DEEP and self._spans_all()):
            return
        found, alpha = values(image)
        if its == "floating-point" and not np.isfinite(found).all():
            raise ValueError(f"{(~np.isfinite(found)).sum():,} of its values are not finite")
        seen = found if alpha is None else found[alpha > 0]
        if seen.size:
            low, high = self._ends.get(its, (np.inf, -np.inf))
            self._ends[its] = min(low, float(seen.min())), max(high, float(seen.max()))

    @property
    def scales(self) -> dict[str, tuple[float, float]]:
        """{kind: (value that becomes 0, value that becomes 255)}, for `images.pixels`."""
        return {its: ends for its, ends in self._ends.items() if its != DEEP or not self._spans_all()}

    @property
    def notes(self) -> tuple[str, ...]:
        """What is done, in sentences."""
        return tuple(told(its, *ends) for its, ends in self.scales.items())

    def _spans_all(self) -> bool:
        low, high = self._ends.get(DEEP, (0, 0))
        return high - low >= NEARLY_ALL * 65536 or (low == high and DEEP in self._ends)


def _raw(image) -> str:
    """What PIL calls the order of the bytes of a picture whose pixels it has not decoded yet; "" if it does not say."""
    arguments = image.tile[0].args if getattr(image, "tile", None) else ""
    raw = arguments[0] if isinstance(arguments, tuple) and arguments else arguments
    return raw if isinstance(raw, str) else ""


def _again(image, file, raw):
    """The picture in the same file with its bytes in another order."""
    with Image.open(file, formats=(str(image.format),)) as other:
        other.tile = [
            part._replace(args=(raw, *part.args[1:]) if isinstance(part.args, tuple) else raw) for part in other.tile
        ]
        other.load()
        return other


def _joined(upper, lower):
    return upper.astype(np.uint16) << 8 | lower
