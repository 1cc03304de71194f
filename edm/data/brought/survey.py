"""The images among some files: which they are, of what sizes and classes, and which are broken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edm.base.errors import Refused
from edm.data import classes, images, marks
from edm.data.brought import LeftOut, Limits, labels

if TYPE_CHECKING:
    from edm.data.brought.files import Files

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
KINDS = ", ".join(SUFFIXES)
MAX_CLASSES, MAX_LETTERS = 65_536, 1 << 20
_GREY = ("1", "L", "LA", "I", "I;16", "I;16B", "I;16L", "F")


@dataclass(frozen=True, eq=False)
class Survey:
    """names: of the images, sorted; sizes: int32 [N, 2], (width, height) of each as it is stored; grey: whether all
    are; marks: uint64 [N]. labels: the class of each, or None; class_names may be () though there are classes."""

    files: Files
    names: tuple[str, ...]
    sizes: np.ndarray
    grey: bool
    marks: np.ndarray
    labels: list[int] | None
    classes: int
    class_names: tuple[str, ...]
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W), with 0 for a side that is not the same everywhere."""
        width, height = (int(side[0]) if (side == side[0]).all() else 0 for side in self.sizes.T)
        return 1 if self.grey else 3, height, width


def is_image(name: str) -> bool:
    return name.lower().endswith(SUFFIXES)


def survey(files: Files, limits: Limits) -> Survey:
    """Look at the header of each image. Raises Refused for what is none, and for places that hold none."""
    if odd := next((one for one in files.strange if is_image(one.name)), None):
        raise Refused(f"{odd.name!r:.200} in {files.place} {odd.reason}")
    names = tuple(name for name in files.names if is_image(name))
    if not 1 <= len(names) <= limits.files:
        found = f"{len(names):,} images; at most {limits.files:,} are taken" if names else f"no images ({KINDS})"
        raise Refused(f"{files.place} holds {found}")
    listed = labels.FILE in files.names
    class_names, count, numbers = _labels(files, names)
    sizes, found, grey = np.empty((len(names), 2), np.int32), np.empty(len(names), "<u8"), True
    for row, name in enumerate(names):
        with files.open(name) as file, images.opened(file, files.told(name), limits.pixels) as image:
            sizes[row] = image.size
            grey = grey and image.mode in _GREY
            found[row] = marks.of_file(file, name, numbers[row] if listed and numbers else None)
    other = [LeftOut(name, "is no image") for name in files.names if not is_image(name) and name != labels.FILE]
    return Survey(files, names, sizes, grey, found, numbers, count, class_names, (*files.left_out, *other))


def _labels(files, names):
    """-> (class names, number of classes, labels or None)."""
    if labels.FILE in files.names:
        numbers = labels.listed(files, names)
        return (), max(numbers) + 1 if numbers else 0, numbers
    folders = [name.partition("/")[0] for name in names if "/" in name]
    if len(folders) < len(names) or len(set(folders)) < 2:
        return (), 0, None
    class_names = classes.ordered(folders, files.place)
    if len(class_names) > MAX_CLASSES or sum(map(len, class_names)) > MAX_LETTERS:
        allowed = f"at most {MAX_CLASSES} classes are read, whose names have {MAX_LETTERS:,} letters in all"
        raise Refused(f"{files.place} has {len(class_names)} sub-folders; {allowed}")
    numbers = {name: number for number, name in enumerate(class_names)}
    return class_names, len(class_names), [numbers[folder] for folder in folders]
