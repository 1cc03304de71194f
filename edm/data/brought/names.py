"""What the names of images say: which are hidden, which folders are splits, classes, shards or masks."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from edm.base.errors import Refused
from edm.data.brought.told import listed

TRAIN, VALIDATION, TEST = "train", "val", "test"
SPLITS = {
    "train": TRAIN, "training": TRAIN, "val": VALIDATION, "valid": VALIDATION, "validation": VALIDATION,
    "test": TEST, "testing": TEST,
}  # fmt: skip
_SPLIT = re.compile(r"(train(?:ing)?|val(?:id(?:ation)?)?|test(?:ing)?)(?:[ _-]?(?:images?|imgs?|set|data|\d{4}))?")
_IMAGES = re.compile(r"images?|imgs?|jpe?g ?images?|photos?|pictures?")
_MASKS = re.compile(r"masks?|annot(?:ation)?s?|segmentations?(?:class|object)?|labels?|trimaps?|ground[ _-]?truth|gt")
_SHARD, _SHARD_SIZE = 5, 1000  # digits of the name of a folder of so many images, as EDM's own tool makes them
_NUMBERED = re.compile(r"(?:(?P<word>.*[^\d\s._(-])[\s._-]*|(?P<digits>.*\d)[\s._-]+)\(?\d+\)?")
_DRIVE = re.compile(r"[A-Za-z]:")
_SYSTEM = {"thumbs.db", "desktop.ini", "ehthumbs.db"}  # what Windows leaves in folders of pictures


def checked(name: str, place: str) -> str:
    """A name within an archive, with "/" between its parts and none that says nothing. Raises Refused for one that
    points elsewhere."""
    name = name.replace("\\", "/")
    parts = name.split("/")
    if name.startswith("/") or _DRIVE.match(name) or ".." in parts or "\0" in name:
        raise Refused(f"{name!r:.200} in {place} points out of the set; pack it again from inside its folder")
    return "/".join(part for part in parts if part not in ("", "."))


def hidden(name: str) -> str:
    """Why a file is not looked at, or ""."""
    parts = name.split("/")
    if "__MACOSX" in parts:
        return "is macOS's own"
    if any(part.startswith(".") for part in parts):
        return "is hidden"
    return "is Windows's own" if parts[-1].casefold() in _SYSTEM else ""


def composed(name: str) -> str:
    """A name with its letters in one piece (NFC), as classes are called whichever system has packed them; bytes that
    are no UTF-8 are taken as Latin-1."""
    try:
        name.encode()
    except UnicodeEncodeError:
        name = name.encode("utf-8", "surrogateescape").decode("latin-1")
    return unicodedata.normalize("NFC", name)


@dataclass
class Parted:
    """What folders say of images. Each dictionary is by the folder of an image, as it stands in its name.

    classes: what the class is called; {}: there are none. splits: "train", "val" or "test"; {}: there are none, or
    there is one. masks, unsaid: those whose images are masks of others, or have no class though others have.
    notes: what was decided, in sentences; of_classes: those that hold unless a file tells the classes.
    """

    classes: dict[str, str] = field(default_factory=dict)
    splits: dict[str, str] = field(default_factory=dict)
    masks: set[str] = field(default_factory=set)
    unsaid: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    of_classes: list[str] = field(default_factory=list)


def parted(names: Sequence[str]) -> Parted:
    """What the folders of images say of them. One or more folders that are common to all say nothing."""
    found = Parted()
    chains = {folder: folder.split("/") if folder else [] for folder in {folder_of(name) for name in names}}
    chains = _without_masks(_stripped(chains), found)
    chains = _stripped(_without_splits(_stripped(chains), found))
    if _are_shards(chains, names):
        found.of_classes.append(f"the folders {listed(_firsts(chains), 3)} are shards, not classes")
    else:
        _find_classes(chains, found)
    return found


def folder_of(name: str) -> str:
    return name.rpartition("/")[0]


def split_of(word: str) -> str:
    """Which split a folder, or an array, is named after: "train", "val" or "test"; "" for none."""
    match = _SPLIT.fullmatch(word.casefold())
    return SPLITS[match[1]] if match else ""


def labelled(names: Iterable[str]) -> dict[str, str]:
    """The words before the numbers in the names of images, "cat" of cat.0.jpg, "cat_001.png" and "cat (1).bmp"."""
    found = {}
    for name in names:
        match = _NUMBERED.fullmatch(name.rpartition("/")[2].rpartition(".")[0])
        if match:
            found[name] = composed(match["word"] or match["digits"])
    return found


def _firsts(chains) -> list[str]:
    return sorted({chain[0] for chain in chains.values() if chain})


def _stripped(chains):
    """Without the folders at the top that all have in common."""
    while chains and all(chains.values()) and len(_firsts(chains)) == 1:
        chains = {folder: chain[1:] for folder, chain in chains.items()}
    return chains


def _level(chains, fits) -> int | None:
    """The level, from the top, at which the folders of all images fit; None if there is none."""
    depth = min(map(len, chains.values()), default=0)
    return next((k for k in range(depth) if fits({chain[k].casefold() for chain in chains.values()})), None)


def _without_masks(chains, found):
    def fits(words):
        kinds = [bool(_IMAGES.fullmatch(word)) or 2 * bool(_MASKS.fullmatch(word)) for word in words]
        return all(kinds) and {1, 2} <= set(kinds)

    level = _level(chains, fits)
    if level is None:
        return chains
    found.masks = {folder for folder, chain in chains.items() if not _IMAGES.fullmatch(chain[level].casefold())}
    told = sorted({chains[folder][level] for folder in found.masks})
    found.notes.append(f"what lies in {listed(told)} belongs to the images, and is neither a class nor learned")
    return {folder: _but(chain, level) for folder, chain in chains.items() if folder not in found.masks}


def _without_splits(chains, found):
    level = _level(chains, lambda words: all(map(split_of, words)))
    if level is None:
        return chains
    splits = {folder: split_of(chain[level]) for folder, chain in chains.items()}
    told = " and ".join(f"{one}/" for one in sorted({chain[level] for chain in chains.values()}, key=_place))
    if len(set(splits.values())) > 1 and TRAIN in splits.values():
        found.splits = splits
        found.notes.append(f"{told} are splits, not classes")
    else:
        found.notes.append(f"{told}: no classes, but splits, of which none is called train; all are taken to train on")
    return {folder: _but(chain, level) for folder, chain in chains.items()}


def _place(word):
    return list(SPLITS.values()).index(split_of(word)), word


def _but(chain, level):
    return chain[:level] + chain[level + 1 :]


def _are_shards(chains, names) -> bool:
    """Whether folders are called by numbers of five digits or more, as many in each, and hold images by thousands, or
    by numbers that go on from one folder to the next."""
    firsts = _firsts(chains)
    if not all(chains.values()) or len(firsts) < 2 or not all(one.isascii() and one.isdecimal() for one in firsts):
        return False
    if len(set(map(len, firsts))) > 1 or len(firsts[0]) < _SHARD:
        return False
    if all(int(one) % _SHARD_SIZE == 0 for one in firsts):
        return True
    ends: dict[str, tuple[int, int]] = {}
    for name in names:
        chain = chains.get(folder_of(name))
        digits = re.search(r"(\d+)\D*$", name.rpartition("/")[2].rpartition(".")[0])
        if chain is None or digits is None:
            return False
        low, high = ends.get(chain[0], (int(digits[1]),) * 2)
        ends[chain[0]] = min(low, int(digits[1])), max(high, int(digits[1]))
    order = [ends[one] for one in firsts]
    return all(before[1] < after[0] for before, after in pairwise(order))


def _find_classes(chains, found):
    """The first folders that are left, where all images to train on lie in two of them or more."""
    taught = {folder: chain for folder, chain in chains.items() if found.splits.get(folder, TRAIN) == TRAIN}
    loose = [folder for folder, chain in taught.items() if not chain]
    if len(_firsts(taught)) < 2:
        return
    if loose:
        found.of_classes.append("some images lie beside the folders, which therefore are no classes")
        return
    found.classes = {folder: composed(chain[0]) for folder, chain in chains.items() if chain}
    found.unsaid = {folder for folder, chain in chains.items() if not chain}
