"""What is told of what was brought: what was not taken, and what could be taken otherwise."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from edm.base.errors import LONGEST, Refused, shown

FIRST = 10  # of many files that are named in one sentence
MOST = LONGEST - 50  # letters of it


class LeftOut(NamedTuple):
    """A file, or a row of a table ("row 3"), that was not taken. reason: the end of a sentence about it."""

    name: str
    reason: str


class Choice(NamedTuple):
    """What is offered, and was not assumed. name, value: of an argument of `edm.data.bring`; title: for a button."""

    name: str
    value: Any
    title: str


class NotTaken(Refused):
    """A refusal that a choice cures. left_out: what cannot be taken, each with its reason."""

    def __init__(self, sentence: object, left_out: Iterable[LeftOut] = (), choices: Iterable[Choice] = ()):
        super().__init__(sentence)
        self.left_out, self.choices = tuple(left_out), tuple(choices)


def readable(name: str) -> str:
    """A name without halves of letters, which could not be written."""
    return name.encode("utf-8", "replace").decode()


def listed(names: Iterable[str], most: int = FIRST) -> str:
    """The first of some names, and how many there are besides."""
    names = list(names)
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(shown(name) for name in names[:most]) + more


def broken(files: list[LeftOut], place: str, among: int) -> NotTaken:
    """The refusal of files that are broken: the first ten of them, and how many there are."""
    begin = f"{len(files):,} of {among:,} images in {place!s:.200} cannot be read; leave them out (--leave-out), or "
    begin += "replace or remove them: "
    told = [f"{shown(one.name)} {one.reason}" for one in files[:FIRST]]
    if len(begin) + sum(map(len, told)) > MOST:
        told = [shown(one.name) for one in files[:FIRST]]
    more = [f"and {len(files) - FIRST:,} more"] * (len(files) > FIRST)
    return NotTaken(begin + "; ".join(told + more), files, [without_broken(len(files))])


def without_broken(count: int) -> Choice:
    """The offer to leave the broken ones out."""
    return Choice("leave_out", True, f"leave {f'the {count:,} broken ones' if count > 1 else 'the broken one'} out")


def grouped(left_out: Iterable[LeftOut]) -> str:
    """How many were left out, by their kind and reason: "3 .txt files: no images"."""
    kinds: dict[tuple[str, str], list[str]] = {}
    for one in left_out:
        ending = one.name.rpartition("/")[2].rpartition(".")
        row = one.name.startswith("row ") and "." not in one.name
        kind = "row" if row else f".{ending[2].lower()} file" if ending[0] and len(ending[2]) <= 8 else "file"
        kinds.setdefault((kind, one.reason), []).append(one.name)
    told = []
    for (kind, reason), names in sorted(kinds.items(), key=lambda item: -len(item[1])):
        number = shown(names[0]) if len(names) == 1 else f"{len(names):,} {kind}s"
        told.append(f"{number} ({reason})")
    return "; ".join(told[:FIRST]) + (f"; and {len(told) - FIRST:,} kinds more" if len(told) > FIRST else "")
