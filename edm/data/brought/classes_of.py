"""The classes of images in arrays: which labels are theirs, and what they are called."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from edm.base.errors import Refused
from edm.data import classes
from edm.data.brought import LeftOut
from edm.data.brought.layouts import REMEDY, Role, axes
from edm.data.brought.members import Member

MAX_CLASSES = 65_536


@dataclass(frozen=True, eq=False)
class Labelled:
    """pictures: the arrays that are taken; labels: int64 of their images in that order, or None."""

    pictures: Sequence[Member]
    labels: np.ndarray | None = None
    class_names: tuple[str, ...] = ()
    notes: Sequence[str] = field(default_factory=list)
    left_out: Sequence[LeftOut] = field(default_factory=list)


def labels(pictures: Sequence[Member], roles: Mapping[Member, Role]) -> Labelled:
    """The labels of these arrays of images, among all arrays. Those without, where others have some, are left out."""
    among = [member for member, role in roles.items() if role.kind == "labels" and member.shape]
    pairs = {member: its for member in pictures if (its := _of(member, among, roles))}
    if not pairs:
        return Labelled(pictures)
    without = [member.name or member.file for member in pictures if member not in pairs]
    left_out = [LeftOut(name, "has no labels, unlike the others") for name in without]
    notes: list[str] = []
    found = []
    for its in pairs.values():
        values, reason = _values(its)
        if values is None:
            return Labelled(pictures, notes=[f"{its.told} {reason}: there are no classes"])
        found.append(values)
    labelled, first = list(pairs), next(iter(pairs.values()))
    unused = {m.name for m in among if m not in pairs.values() and m.name and m.file in {p.file for p in labelled}}
    notes += [f"classes are those of {first.name}, not of {name}" for name in sorted(unused)]
    whole, names = _numbered(np.concatenate(found), _names(roles, pairs.values()), labelled[0].told)
    if len(names) < 2 or len(names) > MAX_CLASSES:
        return Labelled(labelled, notes=notes, left_out=left_out)
    return Labelled(labelled, whole, names, notes, left_out)


def _of(picture: Member, among: Sequence[Member], roles: Mapping[Member, Role]) -> Member | None:
    """The labels of one array of images: of like words, else of the same split, else the only ones that fit."""
    its, count = roles[picture], picture.shape[axes(picture.shape).index("n")]
    alike = [one for one in among if roles[one].rest == its.rest and roles[one].split == its.split]
    alike = [one for one in alike if one.dtype.kind not in "US" or one.shape[0] == count]  # names of classes, else
    alike.sort(key=lambda one: (one.file != picture.file, roles[one].rank))
    if alike and not any(one.shape[0] == count for one in alike):
        if alike[0].shape[:2] == (1, count):  # a row instead of a column
            return alike[0]
        raise Refused(
            f"{alike[0].told} has {alike[0].shape[0]:,} labels for the {count:,} images of {picture.told}; {REMEDY}"
        )
    fitting = [one for one in among if one.shape[0] == count and roles[one].split in (its.split, "")]
    near = (
        [one for one in alike if one.shape[0] == count]
        or [one for one in fitting if one.file == picture.file]
        or fitting
    )
    return near[0] if near and (near[0] in alike or len(near) == 1) else None


def _values(member: Member) -> tuple[np.ndarray | None, str]:
    """(whole numbers or text [n], "") of labels [n], [n, 1] or one-hot [n, k]; (None, why not)."""
    if member.dtype.kind not in "uifbUS":
        raise Refused(
            f"{member.told} holds Python objects or no numbers; save labels as whole numbers or text: {REMEDY}"
        )
    found = np.asarray(member.load())
    found = found.reshape(-1) if found.ndim > 1 and found.size == max(found.shape) else found
    if found.dtype.kind == "S":
        return np.char.decode(found, "utf-8", "replace"), ""
    if found.dtype.kind == "U":
        return (found, "") if found.ndim == 1 else (None, "gives several labels to an image")
    if found.ndim == 2 and ((found == 0) | (found == 1)).all() and (found.sum(1) == 1).all():
        return found.argmax(1), ""
    if found.ndim != 1:
        return None, "gives several labels to an image"
    if found.dtype.kind == "f" and not (np.isfinite(found).all() and (found == np.rint(found)).all()):
        return None, "holds numbers that are not whole"
    return found.astype(np.int64), ""


def _names(roles: Mapping[Member, Role], taken: Collection[Member]) -> list[list[str]]:
    """The names of classes that there are, the shortest list first."""
    text = [member for member in roles if member.dtype.kind in "US" and len(member.shape) == 1 and member not in taken]
    found = [member.load() for member in text if roles[member].kind in ("names", "labels")]
    lists = [
        [name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name) for name in one] for one in found
    ]
    return sorted((one for one in lists if len(set(one)) == len(one)), key=len)


def _numbered(values: np.ndarray, lists: Sequence[Sequence[str]], told: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """(the number of each label's class from 0 on, the names of the classes)."""
    known, numbers = np.unique(values, return_inverse=True)
    if values.dtype.kind == "U":
        names = classes.ordered(map(str, known), told)
        return np.array([names.index(str(name)) for name in known])[numbers], names
    if known[0] >= 0 and (names := next((one for one in lists if len(one) > known[-1]), None)):
        return values, tuple(names)
    return numbers.astype(np.int64), tuple(str(value) for value in known.tolist())
