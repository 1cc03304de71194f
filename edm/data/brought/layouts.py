"""What arrays are by their names, shapes and kinds of numbers: images, labels, or something else.

Images are [n, h, w], [n, h, w, c], [n, c, h, w], [h, w, c, n], or flat: [n, d] with d = s² or 3·s². Sides have four
pixels or more, and there are one, three or four channels (the fourth is opacity).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

import numpy as np

Header = tuple[tuple[int, ...], np.dtype]

LEAST, LEAST_FLAT = 4, 8  # pixels of a side, and of one of a flat image
CHANNELS = (1, 3, 4)
REMEDY = "save them anew: np.savez('set.npz', images=…, labels=…), with images [n, height, width, channels]"

_DATA = (
    "images",
    "image",
    "imgs",
    "img",
    "x",
    "data",
    "pixels",
    "features",
    "inputs",
    "input",
    "samples",
    "faces",
    "digits",
)
_LABELS = ("labels", "label", "y", "targets", "target", "classes", "class", "lbls", "categories")
_KINDS = {"names": ("names", "classnames", "labelnames"), "labels": _LABELS, "images": _DATA}
_OF_CLASSES = ("category", "fine", "coarse", "the", "of")
_SPLITS = {"train": ("train", "training", "tr"), "val": ("val", "valid", "validation", "dev")}
_SPLITS |= {"test": ("test", "testing", "te", "t10k")}
_NOISE = re.compile(r"idx\d?|ubyte|npy|npz|gz|fine|set|the|python|pkl|pickle|bin")
_WORDS = re.compile(r"[A-Z]?[a-z]+\d*[a-z]*|[A-Z]+(?![a-z])|\d+")
_NUMBERED = re.compile(r"arr_(\d+)")  # as numpy.savez calls what has no name
_GLUED = re.compile(r"([xy])(train|test|val|valid)|(train|test|val|valid)([xy])")


class Role:
    """What an array is called. kind: "images", "labels", "names" or ""; split: "train", "val", "test" or "";
    rest: its other words, by which labels find their images; rank: the lower, the likelier.

    name: in its file. stem: the file's, where there are several, whose words come after those of the name.
    """

    def __init__(self, name: str, stem: str = ""):
        words, numbered = _words(name), _NUMBERED.fullmatch(name)
        self.kind, self.rank = _kind(_words(stem) if numbered or not name else words)
        if numbered and not self.kind:
            self.kind = {"0": "images", "1": "labels"}.get(numbered[1], "")
        words = _words(stem) + ([] if numbered else words)
        found = [split for word in words for split, among in _SPLITS.items() if word in among]
        self.split = found[-1] if found else ""
        self.rest = tuple(word for word in words if not (_known(word) or _NOISE.fullmatch(word)))


def _kind(words) -> tuple[str, int]:
    """What such words call an array, and how far back in its list the word stands; "names of files" are no classes'."""
    if "names" in words and not {*words} <= {"names", *_OF_CLASSES, *_LABELS}:
        return "", 0
    for kind, among in _KINDS.items():
        if ranks := [among.index(word) for word in words if word in among]:
            return kind, min(ranks)
    return "", 0


def _known(word) -> bool:
    return any(word in among for among in (*_KINDS.values(), *_SPLITS.values()))


def _words(name: str) -> list[str]:
    """ "trainImages", "x_train" and "xtrain" in their words."""
    found: list[str] = []
    for word in map(str.lower, _WORDS.findall(name)):
        glued = _GLUED.fullmatch(word)
        found += [part for part in glued.groups() if part] if glued else [word]
    return found


def axes(shape: tuple[int, ...]) -> str:
    """How images of this shape lie: "nhw", "nhwc", "nchw", "hwcn", "n3" (flat, in three planes) or "n1" (flat and
    grey); "" for what is no stack of images, or could be two."""
    if len(shape) == 2:
        return {0: "", 1: "n1", 3: "n3"}[channels_of_flat(shape[1])]
    if len(shape) == 3:
        return "" if _is_one(shape) or min(shape[1:]) < LEAST else "nhw"
    if len(shape) != 4:
        return ""
    fits = {"nhwc": (1, 2, 3), "nchw": (2, 3, 1), "hwcn": (0, 1, 2)}
    found = [
        name for name, (high, wide, channels) in fits.items()
        if min(shape[high], shape[wide]) >= LEAST and shape[channels] in CHANNELS
    ]  # fmt: skip
    found = [name for name in found if name != "hwcn" or found == ["hwcn"]]
    return found[0] if len(found) == 1 else ""


def trouble(shape: tuple[int, ...]) -> str:
    """Why an array of this shape is no stack of images, the end of a sentence about it."""
    told = "×".join(map(str, shape))
    if len(shape) <= 2 or _is_one(shape):
        return f"is one picture of {told}; a set has two or more, [n, height, width, channels]"
    if len(shape) == 4 and shape[1] in CHANNELS and shape[3] in CHANNELS:
        first, last = (f"{c} channels of {high}×{wide}" for c, high, wide in (shape[1:], (shape[3], *shape[1:3])))
        return f"has the shape {told}, which may be {first}, or {last}; {REMEDY}"
    if len(shape) == 4 and min(shape[1:]) >= 2 and min(shape[1], shape[3]) < 32:
        few = shape[1] if shape[2] == shape[3] else shape[3] if shape[1] == shape[2] else min(shape[1], shape[3])
        return f"has the shape {told}: images have 1 channel (grey), 3 (RGB) or 4 (RGBA), not {few}; {REMEDY}"
    return f"has the shape {told}, in which no images of {LEAST} pixels or more are found; {REMEDY}"


def of_images(headers: Mapping[str, Header]) -> bool:
    """Whether the arrays of one file, {name: (shape, dtype)}, are images (or odd ones); else they may be points.

    An array that is called one of images decides; where none is, any does. Of an .npy file the name is ""."""
    roles = {name: Role(name) for name in headers}
    called = [name for name, role in roles.items() if role.kind == "images"]
    return any(_is_stack(name, *headers[name]) for name in called or [n for n, role in roles.items() if not role.kind])


def _is_stack(name, shape, dtype) -> bool:
    if dtype.kind not in "uifb" or len(shape) < 2:
        return len(shape) > 2 or (dtype.kind == "O" and Role(name).rank < _DATA.index("x") and Role(name).kind != "")
    one = dtype == np.uint8 and min(shape) >= 32  # a picture by itself
    return len(shape) > 2 or bool(channels_of_flat(shape[1])) or one


def _is_one(shape) -> bool:
    """Whether three sides are those of one picture, [h, w, c]."""
    return len(shape) == 3 and shape[2] in CHANNELS and min(shape[:2]) >= 16


def channels_of_flat(length: int) -> int:
    """The channels of a flat image of so many numbers; 0: it is none."""
    for channels in (1, 3):
        side = math.isqrt(length // channels)
        if side >= LEAST_FLAT and channels * side * side == length:
            return channels
    return 0
