"""Reading what a run has measured, from where one left off."""

from __future__ import annotations

import json
import math
import os
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from edm.base.paths import expanded

if TYPE_CHECKING:
    from edm.base.types import StrPath

MOST_IMAGES = 10**12
_KNOWN = 1024  # bytes before a cursor, by which it is known whether a file has been written anew
_LONGEST = 1 << 16  # bytes of a line of ours
_WIDEST = 18  # digits of a whole number; one with more is no count of anything


@dataclass(frozen=True)
class Lines:
    """lines: of metrics.jsonl, parsed, NaN and infinities as None. cursor: where to go on. skipped: torn or foreign
    lines among them. anew: the file was written anew since, so forget the lines before these. more: there are more."""

    lines: tuple[dict, ...]
    cursor: str
    skipped: int
    anew: bool
    more: bool


def metrics_since(run: StrPath, cursor: str = "", most: int = 4 << 20) -> Lines:
    """The whole lines of a run's metrics after a cursor; "" is the beginning. At most about `most` bytes of them."""
    offset, anew = _offset(cursor), False
    try:
        with open(expanded(run, "metrics.jsonl"), "rb") as file:
            if offset and _cursor(file, offset) != cursor:
                offset, anew = 0, True
            file.seek(offset)
            block = file.read(most)
            if b"\n" not in block:
                block += file.readline()
            end = block.rfind(b"\n") + 1
            after = _cursor(file, offset + end)
            more = offset + end < os.fstat(file.fileno()).st_size and len(block) >= most
    except OSError:
        return Lines((), "", 0, bool(offset), False)
    found = [parsed(line) for line in block[:end].splitlines() if line.strip()]
    good = tuple(line for line in found if line is not None)
    return Lines(good, after, len(found) - len(good), anew, more)


def belongs(run: StrPath, cursor: str) -> bool:
    """Whether a cursor is of a run's metrics as they are now, and not at their beginning."""
    offset = _offset(cursor)
    try:
        with open(expanded(run, "metrics.jsonl"), "rb") as file:
            return 0 < offset <= os.fstat(file.fileno()).st_size and _cursor(file, offset) == cursor
    except OSError:
        return False


def sampled(run: StrPath, count: int = 500) -> list[dict]:
    """About so many lines from all over a run's metrics, parsed, in their order, and the last: how a history of any
    length went, at once."""
    found = {}
    try:
        with open(expanded(run, "metrics.jsonl"), "rb") as file:
            size = os.fstat(file.fileno()).st_size
            for place in (size * k // count for k in range(count)):
                file.seek(max(0, place - 1))
                if place:
                    file.readline(_LONGEST)  # the rest of another one
                start = file.tell()
                found[start] = file.readline(_LONGEST)
            file.seek(max(0, size - _LONGEST))
            end = file.read(_LONGEST).rpartition(b"\n")[0].rpartition(b"\n")[2] + b"\n"
    except OSError:
        return []
    several = [found[start] for start in sorted(found) if found[start].endswith(b"\n")]
    several += [end] if several[-1:] != [end] else []
    return [tick for line in several if (tick := parsed(line)) is not None]


def parsed(line: bytes) -> dict | None:
    """A line of metrics, numbers that are not finite as None; None for anything else."""
    try:
        document = orjson.loads(line)  # five times as fast; long runs have many
    except ValueError:  # NaN among others, which JSON has no word for
        try:
            document = json.loads(line, parse_int=_whole, parse_float=_finite, parse_constant=lambda _: None)
        except (ValueError, RecursionError):
            return None
    whole = isinstance(document, dict) and type(document.get("images")) is int
    return document if whole and 0 <= document["images"] < MOST_IMAGES else None


def _whole(digits: str) -> int | float | None:
    return int(digits) if len(digits) <= _WIDEST else _finite(digits)


def _finite(digits: str) -> float | None:
    value = float(digits)
    return value if math.isfinite(value) else None


def _offset(cursor: str) -> int:
    text = str(cursor).partition(":")[0]
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else 0


def _cursor(file, offset) -> str:
    """An offset, with the mark of the bytes before it."""
    file.seek(max(0, offset - _KNOWN))
    return f"{offset}:{zlib.crc32(file.read(min(_KNOWN, offset))):08x}"
