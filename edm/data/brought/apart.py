"""Arrays in many files: one picture in each, or the pictures of one class; folders are classes, as of image files."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np

from edm.base.errors import Refused
from edm.data.brought import names
from edm.data.brought.labels import numbered
from edm.data.brought.layouts import CHANNELS, LEAST_FLAT
from edm.data.brought.members import Member
from edm.data.brought.told import Choice


def one_each(found: Sequence[Member], limit: int) -> list[Member]:
    """Where each of several files is one picture, those of a folder as one array; else what was given."""
    pictures, others = [m for m in found if len(m.shape) > 1], [m for m in found if len(m.shape) < 2]
    shapes, files = {member.shape for member in pictures}, {member.file for member in pictures}
    if len(shapes) != 1 or len(files) < max(len(pictures), 2) or not _is_picture(*shapes):
        return list(found)
    if math.prod(*shapes) * len(pictures) * pictures[0].dtype.itemsize > limit:
        raise Refused(
            f"{pictures[0].told} and {len(files) - 1:,} like it are too large together; bring images as files"
        )
    folders: dict[str, list[Member]] = {}
    for member in pictures:
        folders.setdefault(names.folder_of(member.file), []).append(member)
    return [_together(folder, its) for folder, its in folders.items()] + others


def _is_picture(shape) -> bool:
    square = len(shape) == 2 and shape[0] == shape[1] >= LEAST_FLAT
    return square or (len(shape) == 3 and shape[2] in CHANNELS and min(shape[:2]) >= LEAST_FLAT)


def _together(folder, its) -> Member:
    first, shape = its[0], (len(its), *its[0].shape)
    dtype = np.result_type(*(member.dtype for member in its))
    file = f"{folder}/" if folder else first.file
    return Member("", file, f"{first.told}, or like it,", shape, dtype, lambda: np.stack([one.load() for one in its]))


def classes(
    pictures: Sequence[Member], counts: Sequence[int], wanted: str | None, place: str
) -> tuple[np.ndarray | None, tuple[str, ...], list[Choice]]:
    """(labels of all images or None, names of classes, what is offered) of arrays without labels, by folders.

    counts: images of each. wanted: "names" for classes by the names of files."""
    files = [member.file for member in pictures]
    parted = names.parted(files)
    its = {file: parted.classes[names.folder_of(file)] for file in files if names.folder_of(file) in parted.classes}
    by_names = _words(files)
    if wanted == "names" and by_names:
        its = by_names
    if len(its) < len(files):
        some = ", ".join(sorted(set(by_names.values()))[:3]) + ", …" * (len(set(by_names.values())) > 3)
        return None, (), [Choice("labels", "names", f"classes {some} from the file names")] if by_names else []
    class_names, found = numbered(its, place)
    return np.repeat([found[file] for file in files], counts), class_names, []


def _words(files) -> dict[str, str]:
    """What the names of files have of their own; {} where these are but numbers and splits."""
    stems = [re.sub(r"(\.[A-Za-z]{1,4})+$", "", file.rpartition("/")[2]) for file in files]
    first, last = min(stems), max(stems)
    same = next((k for k, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
    start = len(re.sub(r"[^\W_]*$", "", first[:same]))
    words = dict(zip(files, (stem[start:] for stem in stems), strict=True))
    plain = all(re.fullmatch(r"[^\W\d_][^\d]*", word) and word.lower() not in names.SPLITS for word in words.values())
    return words if plain and len(set(words.values())) == len(files) > 1 else {}
