"""Images in arrays: NumPy's files as guided-diffusion, MedMNIST and courses have them, MNIST's idx, CIFAR's batches."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from edm.base.errors import Refused
from edm.data import images
from edm.data.brought import Brought, LeftOut, apart, classes_of, layouts, members, pixels, stacks
from edm.data.brought.layouts import Role
from edm.data.brought.members import Member
from edm.data.brought.stacks import Stack, Stacked

if TYPE_CHECKING:
    from edm.data.brought import Limits
    from edm.data.brought.files import Files

_ENDINGS = re.compile(
    r"\.(npy|npz|pkl|pickle|p|bin|gz)$|ubyte|(^|/)[^./]+$|batches\.meta|label_names\.txt$", re.IGNORECASE
)
_ORDER = ("", "train", "val", "test")
_OBJECTS = {"O": "Python objects, which only running a program could read", "c": "complex numbers", "V": "a structure"}
_OBJECTS |= {"U": "text", "S": "text", "M": "dates", "m": "times"}


def read(
    files: Files, limits: Limits, labels: str | None = None, work: Callable[[Callable], Any] | None = None,
    progress: Callable[[int, int], Any] | None = None,
) -> Brought | None:  # fmt: skip
    """The images in the arrays of these files; None where they hold none, or pictures of their own. The arguments are
    those of `edm.data.bring`.

    Raises Refused for arrays that are images, or are called so, and cannot be read as such."""
    if any(name.lower().endswith(images.SUFFIXES) for name in files.names):
        return None
    given = [member for name in files.names for member in _found_in(files, name, limits)]
    found = apart.one_each(given, limits.table_bytes)
    several = len({member.file for member in found}) > 1
    if not _are_images(found, several):
        return None
    roles = {member: Role(member.name, _stem(member.file) if several else "") for member in found}
    pictures, others = _pictures(roles, files)
    for member in pictures:
        _check(member, limits)
    known, used = classes_of.labels(pictures, roles), {member.file for member in given}
    left_out = [*files.left_out, *others, *known.left_out]
    left_out += [LeftOut(name, "holds no images") for name in files.names if name not in used]
    stack = [Stack(member.load(), layouts.axes(member.shape), member.told) for member in known.pictures]
    count = sum(one.count for one in stack)
    if count > limits.files:
        raise Refused(f"{files.place} holds {count:,} images; at most {limits.files:,} are taken")
    choices = []
    if known.labels is None and several:
        counts = [one.count for one in stack]
        its, class_names, choices = apart.classes(known.pictures, counts, labels, files.place)
        known = replace(known, labels=its, class_names=class_names)
    ends = stacks.ends(stack, work, progress)
    return _brought(stack, known, [roles[member].split for member in known.pictures], ends, left_out, choices)


def _found_in(files, name, limits) -> list[Member]:
    found = members.found_in(files, name, limits) if _ENDINGS.search(name) else []
    return found or (pixels.found_in(files, name, limits) if pixels.ENDINGS.search(name) else [])


def _are_images(found: Sequence[Member], several: bool) -> bool:
    by_file: dict[str, dict] = {}
    for member in found:
        name = member.name or (_stem(member.file) if several else "")
        by_file.setdefault(member.file, {})[name] = (member.shape, member.dtype)
    return any(layouts.of_images(headers) for headers in by_file.values())


def _stem(name: str) -> str:
    return re.sub(r"(\.(npy|npz|pkl|pickle|p|bin|gz|csv|tsv|txt))+$", "", name, flags=re.IGNORECASE)


def _pictures(roles: dict[Member, Role], files: Files) -> tuple[list[Member], list[LeftOut]]:
    """(the arrays that are images, in order of their splits and names; what is neither images nor labels)."""
    called: dict[tuple, Member] = {}
    for member, role in roles.items():
        key = (member.file, role.split, role.rest)
        if role.kind == "images" and (key not in called or role.rank < roles[called[key]].rank):
            called[key] = member
    pictures = list(called.values())
    if not pictures:
        pictures = [m for m, role in roles.items() if not role.kind and layouts.of_images({"": (m.shape, m.dtype)})]
        if len({(m.file, roles[m].split) for m in pictures}) < len(pictures):
            told = ", ".join(repr(m.name)[:60] for m in pictures[:5])
            raise Refused(f"{files.place} has the arrays {told}; which are the images? {layouts.REMEDY}")
    rest = [
        LeftOut(
            " in ".join(part for part in (member.name, member.file) if part), "is an array of neither images nor labels"
        )
        for member, role in roles.items()
        if member not in pictures and role.kind not in ("labels", "names") and member.dtype.kind not in "US"
    ]
    return sorted(pictures, key=lambda m: (_ORDER.index(roles[m].split), _numbers_apart(m.file), m.name)), rest


def _numbers_apart(name: str) -> list:
    """For an order in which 10 comes after 9."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name) if part]


def _check(member: Member, limits: Limits):
    if (kind := member.dtype.kind) not in "uifb":
        raise Refused(f"{member.told} holds {_OBJECTS.get(kind, 'no numbers')}; {layouts.REMEDY}")
    if not layouts.axes(member.shape):
        raise Refused(f"{member.told} {layouts.trouble(member.shape)}")
    if not member.bytes:
        raise Refused(f"{member.told} is empty: its shape is {'×'.join(map(str, member.shape))}")
    if member.bytes > limits.table_bytes:
        raise Refused(f"{member.told} has {member.bytes >> 20:,} MB; an array has at most {limits.table_bytes >> 20:,}")


def _brought(found: list[Stack], known: classes_of.Labelled, splits, ends, left_out, choices) -> Brought:
    for number, stack in enumerate(found):
        if stack.axes == "n3" and stacks.interleaved(stack):
            found[number] = Stack(stack.raw, "n3i", stack.told)
    bottom, top, sentence = stacks.scale(np.result_type(*(one.raw.dtype for one in found)), *ends)
    notes = [*known.notes, *([sentence] if sentence else [])]
    notes += _layout_notes(found[0], [member.file for member in known.pictures])
    held, told = _held(found, splits)
    shapes = [one.shape for one in found]
    sides = [shapes[0][k] if len({shape[k] for shape in shapes}) == 1 else 0 for k in (1, 2)]
    return Brought(
        "images",
        sum(one.count for one in found),
        (1 if all(shape[0] == 1 for shape in shapes) else 3, *sides),
        len(known.class_names),
        known.class_names,
        tuple(left_out),
        (*notes, *told),
        tuple(choices),
        len(held),
        opened=partial(Stacked, found, known.labels, known.class_names, held, (bottom, top)),
    )


def _layout_notes(stack: Stack, names: Sequence[str]) -> list[str]:
    channels, high, wide = stack.shape
    found = {
        "n1": f"{high * wide:,} numbers are a picture of {wide}×{high}",
        "n3": f"{3 * high * wide:,} numbers are a picture of {wide}×{high}: its red, its green, its blue",
        "n3i": f"{3 * high * wide:,} numbers are a picture of {wide}×{high}, pixel after pixel",
        "hwcn": "the last axis counts the images",
    }
    told = [found[stack.axes]] if stack.axes in found else []
    told += ["the fourth channel is opacity: what is transparent lies on white"] if channels == 4 else []
    if any("emnist" in name.lower() for name in names):
        told.append("EMNIST's own files hold their letters mirrored; they are taken as they are")
    return told


def _held(found: Sequence[Stack], splits: Sequence[str]) -> tuple[np.ndarray, list[str]]:
    """(the numbers of the images that are there to validate on, a sentence of that)."""
    starts = np.cumsum([0, *(one.count for one in found)])
    kept = [k for k, split in enumerate(splits) if split in ("val", "test")]
    if not kept or len(kept) == len(found):
        return np.arange(0), []
    counts = {split: sum(found[k].count for k in kept if splits[k] == split) for split in ("val", "test")}
    told = " and ".join(f"{count:,} of {split}" for split, count in counts.items() if count)
    held = np.concatenate([np.arange(starts[k], starts[k + 1]) for k in kept])
    return held, [f"{told} are held out, to validate on, and never trained on"]
