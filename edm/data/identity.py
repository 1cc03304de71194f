"""Which data a run has learned, so that it does not go on with others unawares, and what it must never learn.

The digest of the marks of all samples (`edm.data.marks`) tells one set from another, wherever it lies. What a run holds
out is known by its marks, so that it stays held out though other images come and go.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edm.base.atomic import atomic
from edm.base.errors import Refused
from edm.base.fields import Settings, Whole
from edm.base.paths import expanded
from edm.data.brought.vectors import NOT_NUMPY
from edm.data.sources import DataError, Renumbered

if TYPE_CHECKING:
    from edm.base.protocols import DataLike, HeaderLike, Source
    from edm.base.types import Indices, StrPath

FILE = "data.npz"  # in a run's folder: names and marks of what it learns, to say what has changed


class OtherData(DataError):
    """A run would go on with other data than it has learned so far."""


class Identity(Settings):
    """dataset, crop: of the settings. size: samples, None: endless. digest: of all marks, or of a distribution.
    held: the marks of what is held out, in order, as base64 of little-endian 64-bit numbers."""

    dataset: str
    crop: bool = False
    size: Whole | None = None
    digest: str = ""
    held: str = ""

    @property
    def held_marks(self) -> np.ndarray:
        try:
            return np.frombuffer(base64.b64decode(self.held, validate=True), "<u8")
        except ValueError:
            raise Refused("what the run has held out cannot be read; its file is broken") from None


def identify(source: Source, settings: DataLike, held: Indices = ()) -> Identity | None:
    """The identity of a source (`edm.data.sources`) of `settings`; None of a finite one whose samples have no marks.

    held: numbers of the samples that are held out.
    """
    known = {"dataset": settings.dataset, "crop": settings.crop, "size": source.size}
    if source.size is None:
        return Identity(**known, digest=getattr(source, "digest", ""))
    marks = _marks(source)
    if marks is None:
        return None
    chosen = np.asarray(marks[np.asarray(held, dtype=np.int64)], dtype="<u8")
    return Identity(**known, digest=_digest(marks), held=base64.b64encode(chosen.tobytes()).decode())


def still_held(source: Source, identity: Identity | None) -> np.ndarray | None:
    """The numbers of those samples of a source that were held out, in their order; some may be gone. None: unknown."""
    if identity is None or source.size is None or (marks := _marks(source)) is None:
        return None
    order = np.argsort(marks)
    wanted = identity.held_marks
    places = np.searchsorted(marks[order], wanted).clip(max=len(order) - 1)
    found = order[places]
    return found[marks[found] == wanted]


def changes(source: Source, settings: DataLike, header: HeaderLike, before: Contents | None) -> list[str]:
    """What of a source is not as it was when a checkpoint with that header was written, in words.

    before: the contents then, if they are known. Headers of older checkpoints tell of the names of classes only.
    """
    then, now = header.data, identify(source, settings)
    found: list[str] = []
    if then and now and then.dataset != now.dataset:
        return [f"the dataset was {then.dataset!r} and is {now.dataset!r}"]
    if then and now and then.crop != now.crop:
        found.append(f"crop was {str(then.crop).lower()} and is {str(now.crop).lower()}")
    gone, new = _classes(source, header)
    found += [f"the class {name!r} is gone" for name in gone[:3]] + [f"the class {name!r} is new" for name in new[:3]]
    if then and now and then.digest != now.digest:
        contents = Contents.found_in(source)
        told = contents.against(before) if contents and before and _digest(before.marks) == then.digest else []
        if not told and then.size != now.size:
            told = [f"there were {then.size:,} images and are {now.size:,}"]
        found += told or ([] if found else [f"what the set {now.dataset!r} holds has changed"])
    return found


def fitting(source: Source, header: HeaderLike) -> Source:
    """The source with its classes numbered as the header of a checkpoint says: names keep their numbers, and those
    that are new take the numbers of those that are gone. Raises ValueError where that cannot be."""
    if tuple(source.shape) != tuple(header.shape):
        raise Refused(f"the data have the shape {list(source.shape)}, but this run works on {list(header.shape)}")
    if not header.classes:
        return source
    gone, new = _classes(source, header)
    if not source.classes:
        raise Refused(f"this run has learned {header.classes} classes, and the data have none; train a new run")
    if len(new) > len(gone) or source.classes > header.classes:
        more = f", and {new[-1]!r} would be one more" if new else f", and the data have {source.classes}"
        raise Refused(f"the network of this run knows {header.classes} classes{more}; train a new run")
    if not (gone or new) and source.classes == header.classes and not _renumbered(source, header):
        return source
    names = list(header.class_names)
    for name, other in zip(gone, new, strict=False):
        names[names.index(name)] = other
    table = [names.index(name) for name in source.class_names] if names else range(source.classes)
    return Renumbered(source, names, header.classes, list(table))


@dataclass(frozen=True, eq=False)
class Contents:
    """names of the samples of a set, and their marks [N]."""

    names: tuple[str, ...]
    marks: np.ndarray

    @classmethod
    def found_in(cls, source: Source) -> Contents | None:
        """Of a source whose samples have names; None for others."""
        names = getattr(source, "names", ())
        return cls(tuple(names), marks) if names and (marks := _marks(source)) is not None else None

    @classmethod
    def read(cls, run: StrPath) -> Contents | None:
        """As they were written into a run's folder; None if they were not."""
        try:
            with np.load(expanded(run) / FILE, allow_pickle=False) as file:
                names = file["names"].tobytes().decode("utf-8", "surrogatepass").split("\0")
                marks = np.asarray(file["marks"], dtype="<u8")
        except NOT_NUMPY:
            return None
        return cls(tuple(names), marks) if marks.shape == (len(names),) else None

    def write(self, run: StrPath) -> None:
        """Write them into a run's folder, unless they are there already."""
        before = Contents.read(run)
        if before is None or before.names != self.names or not np.array_equal(before.marks, self.marks):
            text = np.frombuffer("\0".join(self.names).encode("utf-8", "surrogatepass"), np.uint8)
            with atomic(expanded(run) / FILE) as file:
                np.savez_compressed(file, names=text, marks=self.marks)

    def against(self, before: Contents) -> list[str]:
        """What has changed since, in words."""
        then, now = (dict(zip(c.names, c.marks.tolist(), strict=True)) for c in (before, self))
        kinds = {
            "new": now.keys() - then.keys(),
            "gone": then.keys() - now.keys(),
            "changed": {name for name in now.keys() & then.keys() if now[name] != then[name]},
        }
        return [_counted(names, kind) for kind, names in kinds.items() if names]


def _counted(names, kind):
    first = f"{min(names)!r:.200}"
    if len(names) == 1:
        return f"the image {first} {'has ' if kind == 'changed' else 'is '}{kind}"
    return f"{len(names):,} images {'have ' if kind == 'changed' else 'are '}{kind} ({first} is one)"


def _marks(source: Source) -> np.ndarray | None:
    """Those of the samples of a finite source, which need not have any."""
    return getattr(source, "marks", None)


def _digest(marks) -> str:
    return hashlib.sha256(np.sort(marks).astype("<u8").tobytes()).hexdigest()[:32]


def _classes(source, header) -> tuple[list[str], list[str]]:
    """(names of classes that are gone, those that are new), where both sides have names."""
    then, now = header.class_names, source.class_names
    if not header.classes or not then or not now:
        return [], []
    return [name for name in then if name not in set(now)], [name for name in now if name not in set(then)]


def _renumbered(source, header):
    return bool(header.class_names and source.class_names) and tuple(source.class_names) != header.class_names
