"""Which of some files are images to learn, and of which classes: what names say, and files that tell of others."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edm.base.errors import Refused, shown
from edm.data import images
from edm.data.brought import archives, labels, names, told
from edm.data.brought.told import Choice, LeftOut

if TYPE_CHECKING:
    from edm.data.brought import Limits
    from edm.data.brought.files import Files


@dataclass
class Sorted:
    """What names and files that tell of others say of the images among some: those that are left, and their classes."""

    names: list[str]
    labels: list[int] | None = None
    classes: int = 0
    class_names: tuple[str, ...] = ()
    splits: list[str] = field(default_factory=list)
    marked: bool = False  # whether a label is part of an image's mark: it is told apart from its name
    left_out: list[LeftOut] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    choices: list[Choice] = field(default_factory=list)


def is_image(name: str) -> bool:
    return name.lower().endswith(images.SUFFIXES)


def sorted_out(files: Files, limits: Limits, classes_of: str | None = None) -> Sorted:
    """What names, and files that tell of others, say of the images. Raises Refused where there are none."""
    if odd := next((one for one in files.strange if is_image(one.name)), None):
        raise Refused(f"{odd.name!r:.200} in {files.place} {odd.reason}")
    given = [name for name in files.names if is_image(name)]
    if len(given) > limits.files:
        raise Refused(f"{files.place} holds {len(given):,} images; at most {limits.files:,} are taken")
    if not given:
        raise Refused(_nothing(files))
    parted, said = names.parted(given), labels.told(files, given)
    out = {name: "is the mask of an image" for name in given if names.folder_of(name) in parted.masks}
    found = Sorted([], notes=[*parted.notes])
    numbers = _classified(files, given, parted, said, classes_of, found, out)
    found.names = [name for name in given if name not in out]
    if not found.names:
        raise Refused(f"{files.place} holds no image that {next(iter(out.values()))}; mend the file that says so")
    if numbers is not None:
        found.labels = [numbers[name] for name in found.names]
    if parted.splits:
        _split(found, parted)
    others = [name for name in files.names if not is_image(name) and (said is None or name not in said.files)]
    found.left_out += [LeftOut(name, reason) for name, reason in out.items()]
    found.left_out += [LeftOut(name, _kind(name)) for name in others] + list(files.strange)
    return found


def _classified(files, given, parted, said, classes_of, found, out) -> dict[str, int] | None:
    """The number of each image's class, or None; fills what `found` says of them, and `out` with those without one."""
    if classes_of is None and said is not None and (said.final or said.numbers is not None):
        found.notes += said.notes
        found.classes, found.class_names, found.marked = said.classes, said.class_names, True
        out |= {name: reason for name, reason in said.left_out.items() if name not in out}
        return said.numbers
    by_names, folders = names.labelled(given), parted.classes
    if classes_of == "names":
        its, why = by_names, "has no class in its name"
        if len(set(by_names.values())) < 2:
            raise Refused(f"the names of the images in {files.place} tell no classes, as cat.0.jpg and dog.0.jpg do")
    else:
        found.notes += [*(said.notes if said else ()), *parted.of_classes]
        if not folders:
            _offer(given, parted, by_names, found, out)
            return None
        its = {name: folders[names.folder_of(name)] for name in given if names.folder_of(name) in folders}
        why = "has no class, as others have"
    out |= {name: why for name in given if name not in its and name not in out}
    found.class_names, numbers = labels.numbered({n: one for n, one in its.items() if n not in out}, files.place)
    found.classes = len(found.class_names)
    return numbers


def _offer(given, parted, by_names, found, out):
    """Classes that the names of all images to train on tell are offered."""
    taught = [name for name in given if parted.splits.get(names.folder_of(name), names.TRAIN) == names.TRAIN]
    words = {by_names.get(name) for name in taught if name not in out}
    if None not in words and 2 <= len(words) <= len(taught) / 2:
        some = ", ".join(sorted(words)[:3]) + ", …" * (len(words) > 3)
        found.choices.append(Choice("labels", "names", f"classes {some} from the file names"))


def _split(found, parted):
    """What is held out because the folders say so."""
    found.splits = [parted.splits.get(names.folder_of(name), names.TRAIN) for name in found.names]
    kinds = [f"{found.splits.count(one):,} of {one}" for one in (names.VALIDATION, names.TEST) if one in found.splits]
    if not kinds:
        found.splits = []
    elif names.TRAIN in found.splits:
        found.notes.append(f"{' and '.join(kinds)} are held out, to validate on, and never trained on")


def _kind(name: str) -> str:
    if name.lower().endswith(archives.ENDINGS):
        return "is an archive within; unpack it, and bring what is in it"
    return "is no image that is read"


def _nothing(files) -> str:
    inner = [name for name in files.names if name.lower().endswith(archives.ENDINGS)]
    if inner:
        return f"{files.place} holds no images, but the archive {shown(inner[0])}; unpack it, and bring what is in it"
    others = told.grouped(LeftOut(name, "not read") for name in files.names)
    return f"{files.place} holds no images ({', '.join(images.SUFFIXES)}){f', but {others}' if others else ''}"
