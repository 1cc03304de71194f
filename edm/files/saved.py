"""What a run has saved: files in its folder that are named by how many images it had seen.

checkpoints/<images>.safetensors     samples/<images>.png, .npz

Only names of the digits 0 to 9 count, compared as numbers; whatever else lies there is somebody else's, and is left
alone. A checkpoint is *whole* if its header can be read and all that it announces is there; one that is not (a disk
that was full, a power cut, a copy that broke off) never stands for the run.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Collection, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from edm.base import documents
from edm.base.errors import Refused
from edm.base.paths import expanded
from edm.files.foreign import foreign

if TYPE_CHECKING:
    from edm.base.types import StrPath

SUFFIX, PICTURES = ".safetensors", (".png", ".npz")
TORN = ".torn"  # added to the name of a checkpoint that is not whole, once the run goes on without it
MAX_HEADER = 100_000_000  # bytes, as safetensors has it


def number(name: StrPath, suffixes: Collection[str] = (SUFFIX,)) -> int | None:
    """The images in a file's name; None for a foreign one."""
    stem, suffix = os.path.splitext(os.path.basename(name))
    return int(stem) if suffix in suffixes and stem.isascii() and stem.isdecimal() else None


def checkpoints(run: StrPath) -> list[Path]:
    """The checkpoints of a run's folder, oldest first, whole or not."""
    return _numbered(expanded(run, "checkpoints"), (SUFFIX,))


def samples(run: StrPath) -> list[Path]:
    """The files of samples of a run's folder, oldest first."""
    return _numbered(expanded(run, "samples"), PICTURES)


def flaw(path: StrPath) -> str | None:
    """Why a file is no whole checkpoint of ours, in words; None if it is one. Raises OSError if it cannot be read."""
    path = expanded(path)
    found = os.stat(path)
    return _flaw(str(path), found.st_size, found.st_mtime_ns, found.st_ino)


def newest(run: StrPath) -> Path | None:
    """The newest whole checkpoint of a run's folder."""
    return next((path for path in reversed(checkpoints(run)) if _whole(path)), None)


def torn(run: StrPath, after: int = -1) -> list[Path]:
    """The checkpoints of more than `after` images that are not whole, newest first; by default those that are newer
    than the newest whole one."""
    last = newest(run) if after < 0 else None
    after = int(last.stem) if last else after
    return [path for path in reversed(checkpoints(run)) if int(path.stem) > after and not _whole(path)]


def chosen(place: StrPath) -> Path:
    """The checkpoint that a person means by a file, or by the folder of a run: then its newest whole one.

    Warns of those that are passed over. Raises ValueError if there is none.
    """
    place = expanded(place)
    if not place.is_dir():
        return place
    last = newest(place)
    if last is None:
        other = foreign(place)
        raise Refused(missing(place) if other is None or other.name == "run" else f"{place}: {other.sentence}")
    if passed := torn(place):
        logging.getLogger(__name__).warning("%s; %s is taken", described(passed), last.name)
    return last


def missing(run: StrPath) -> str:
    """A sentence about a run's folder without a whole checkpoint."""
    if found := torn(run):
        return f"{run} holds no whole checkpoint: {described(found)}"
    return f"{run} holds no checkpoints of a run; give a run's folder, or a .safetensors file of ours"


def described(found: Sequence[Path]) -> str:
    """Files that are not whole, in words."""
    *others, last = [f"{path.name} ({flaw(path)})" for path in found[:3]]
    more = f", and {len(found) - 3} more" if len(found) > 3 else ""
    names = f"{', '.join(others)} and {last}" if others and not more else ", ".join([*others, last])
    return f"{names}{more} {'is' if len(found) == 1 else 'are'} not whole"


def set_aside(run: StrPath, after: int) -> list[Path]:
    """Rename the checkpoints of more than `after` images that are not whole, so that they count no more.

    Returns their new places.
    """
    return [_aside(path) for path in torn(run, after)]


def room(path: Path) -> Path:
    """The path itself, once no folder of that name is in the way of a file that is to be written there."""
    if path.is_dir() and not path.is_symlink():
        _aside(path)
    return path


def _aside(path):
    place, copy = path.with_name(path.name + TORN), 1
    while place.exists():
        copy += 1
        place = path.with_name(f"{path.name}{TORN}{copy}")
    return path.rename(place)


def _numbered(folder, suffixes):
    try:
        found = [entry.name for entry in os.scandir(folder) if _is_file(entry)]
    except (FileNotFoundError, NotADirectoryError):  # what cannot be listed may well hold some
        return []
    names = [name for name in found if number(name, suffixes) is not None]
    return [folder / name for name in sorted(names, key=lambda name: (number(name, suffixes), name))]


def _is_file(entry):
    try:
        return entry.is_file()
    except OSError:  # a link that leads in a circle; it must not hide the others
        return False


def _whole(path):
    try:
        return flaw(path) is None
    except FileNotFoundError:  # gone meanwhile
        return False


@lru_cache(maxsize=4096)
def _flaw(path, size, *_changed):
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or length > min(size - 8, MAX_HEADER):
            return f"it ends within its header, after {size:,} bytes"
        try:
            header = documents.from_json(file.read(length), "its header")
            about = header.pop("__metadata__", {}).get("edm")
            if about is None:
                return "it is not one of ours"
            about = documents.from_json(about, "its metadata")
            kind, images = about["kind"], about.get("images", 0)
            wanted = 8 + length + max(entry["data_offsets"][1] for entry in header.values())
        except (Refused, KeyError, TypeError, AttributeError, IndexError, ValueError):
            return "its header is broken"
    if size != wanted:
        return f"it has {size:,} bytes of {wanted:,}"
    if kind != "checkpoint":
        return f"it is a {kind!s:.20}"
    return None if images == number(path) else f"it was written at image {images!s:.20}"
