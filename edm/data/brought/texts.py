"""Tables in text: how it is encoded, what separates its columns, and what its lines are."""

from __future__ import annotations

import codecs
import csv
import re
from collections import Counter
from collections.abc import Sequence

from edm.base import documents
from edm.base.errors import Refused, shown
from edm.data.brought import heads, numerals
from edm.data.brought.columns import Frame

COMMENTS = ("#", "%", "//")
SEPARATORS = {"\t": "tabs", ";": "semicolons", "|": "bars", ",": "commas", " ": "blanks"}  # the likelier ones first
LONGEST_CELL = 1 << 17
_SAMPLE = 200  # lines, by which the separator is known
_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_RULE = re.compile(r"[\s|+:=-]+")  # under the names of a table that is drawn with letters
_SAID = re.compile(r"\"?sep=([\t;,| ])\"?", re.IGNORECASE)  # as Excel is told
_PAIR = re.compile(r"\s*([+-]?\d+)\s*,\s*(\d+)\s*")


def decoded(data: bytes, place: str) -> tuple[str, list[str]]:
    """(text, notes) of bytes in UTF-8, in what their mark says, in UTF-16, or else in Windows' Latin letters."""
    if data.startswith(_MARKS):
        return documents.text_of(data, place), []
    begin = data[:2000]
    for encoding, nothing in (("utf-16-le", begin[1::2]), ("utf-16-be", begin[::2])):
        if len(begin) > 3 and nothing.count(0) > 0.4 * len(nothing):
            try:
                return data.decode(encoding), []
            except UnicodeDecodeError:
                break
    odd = sum(byte < 32 and byte not in (9, 10, 11, 12, 13, 26, 27) for byte in begin)
    if odd > 0.005 * len(begin):
        raise Refused(f"{place} is not text; save the table as .csv, in UTF-8")
    try:
        return data.decode(), []
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace"), ["the letters were read as Windows-1252, for they are no UTF-8"]


def read(text: str, place: str) -> Frame:
    """The table in text. Raises Refused where there is none."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "").strip("\x1a\n").split("\n")
    comment, kept, began = "", [], False
    for line in lines:
        bare = line.strip()
        if bare.startswith(COMMENTS) and not _is_row(bare):
            if not began:
                comment = bare.lstrip("#%/ \t")
        elif bare and not (_RULE.fullmatch(bare) and len(bare) > 3 and not set(bare) <= set(" \t|")):
            began = True
            kept.append(line)
    if not kept:
        raise Refused(f"{place} holds no lines of numbers; a table has a point a line, written like 0.5,-1")
    said = _SAID.fullmatch(kept[0].strip())
    kept = kept[1:] if said and len(kept) > 1 else kept
    sign = None if said else _one_column(kept)
    separator = said[1] if said else "" if sign else separator_of(kept)
    rows = cells(kept, separator)
    names = _names_in(comment, separator)
    frame = heads.table(rows, separator, names, place)
    if sign and not frame.named:
        shown_by = next(line.strip() for line in kept if "," in line)
        frame.notes.append(f"{shown_by!r:.40} was read as one number with a decimal comma")
    if sign is None and separator == "," and not frame.named and _pairs(kept):
        first = kept[0].strip()
        a, b = _PAIR.fullmatch(first).groups()  # pyright: ignore[reportOptionalMemberAccess]
        frame.notes.append(f"{first!r:.40} was read as two numbers, {a} and {b}; a name above the column makes it one")
    return frame


def separator_of(lines: Sequence[str]) -> str:
    """What separates the columns; "" where there is one only."""
    for sample in (lines[:: max(1, len(lines) // _SAMPLE)], lines[-10:], lines[-4:]):
        found = {separator: _fit(sample, separator) for separator in SEPARATORS}
        best = max(found, key=lambda separator: found[separator])  # the first of equals
        if found[best] > 0:
            return best
    return ""


def cells(lines: Sequence[str], separator: str) -> list[list[str]]:
    """The lines as rows of cells; in quotes a cell may hold anything."""
    if not separator:
        return [[line.strip().strip('"')] for line in lines]
    ready = lines
    if separator == " ":
        ready = [_without_note(line.replace("\t", " ").replace("\N{NO-BREAK SPACE}", " ").strip()) for line in lines]
    csv.field_size_limit(LONGEST_CELL)
    try:
        rows = list(csv.reader(ready, delimiter=separator, skipinitialspace=True))
    except csv.Error:
        rows = None
    if rows is None or len(rows) < 0.5 * len(ready):  # a quote that nothing ends
        csv.field_size_limit(max(LONGEST_CELL, max(map(len, ready)) + 1))
        rows = list(csv.reader(ready, delimiter=separator, skipinitialspace=True, quoting=csv.QUOTE_NONE))
    return [row for row in rows if row]


def _fit(lines, separator) -> float:
    """How well a separator makes columns of numbers: the share of lines alike, times that of their columns."""
    rows = cells(lines, separator)
    count, alike = Counter(len(row) for row in rows).most_common(1)[0] if rows else (0, 0)
    if count < 2 or alike < 0.6 * len(lines):
        return 0.0
    rows, numbers, filled = [row for row in rows if len(row) == count], 0, 0
    for column in zip(*rows, strict=True):
        known = [cell for cell in column if not numerals.is_missing(cell)]
        filled += bool(known)
        found = sum(numerals.is_number(cell) or numerals.without_unit(cell) is not cell for cell in known)
        numbers += found >= max(1, 0.5 * len(known))
    return round(alike / len(lines) * numbers / filled, 2) if filled else 0.0


def _one_column(lines) -> str | None:
    """The decimal comma, where each line is one number and some have one; None where that is not so."""
    from_line = 0
    while (
        from_line < min(3, len(lines) - 1) and "," not in lines[from_line] and not numerals.is_number(lines[from_line])
    ):
        from_line += 1
    if not all(map(_may_be_one, lines[from_line : from_line + 50])):
        return None
    body = [numerals.tidy(line) for line in lines[from_line:] if not numerals.is_missing(line)]
    ways = [numerals.way(text) for text in body]
    if not body or any(kind not in ("", ",", "?,") for kind in ways) or not any(ways):
        return None
    if from_line:
        return numerals.COMMA
    parts = [text.lstrip("+-").partition(",")[::2] for text in body if "," in text]
    shown = any(len(part) > 1 and part.startswith("0") for _, part in parts)
    shown = shown or (len(body) > 3 and ways.count("") >= len(body) / 4) or _are_fractions(parts)
    return numerals.COMMA if shown else None


def _are_fractions(parts) -> bool:
    """Whether what stands behind commas must be fractions: before them is always the same, or little else, and none
    ends in the 0 that whole numbers end in."""
    before, behind = {a for a, _ in parts}, [b for _, b in parts]
    if len(parts) > 2 and len(before) == 1 and max(map(len, behind)) > 1:
        return True
    short = all(len(part) == 1 or not part.endswith("0") for part in behind)
    return len(parts) > 9 and len(before) <= len(parts) / 3 and short and max(map(len, behind)) > 2


def _may_be_one(line) -> bool:
    return line.count(",") < 2 and "." not in line and ";" not in line and "\t" not in line.strip()


def _pairs(lines) -> bool:
    return all(_PAIR.fullmatch(line) for line in lines)


def _is_row(bare) -> bool:
    """Whether a line like "#,x,y" names its columns, or one begins with #N/A, and is no comment."""
    if bare[:4].casefold() in ("#n/a", "#val", "#div", "#ref", "#num", "#nul", "#nam"):
        return numerals.is_missing(re.split(r"[,;\t| ]", bare, maxsplit=1)[0])
    return bare[0] == "#" and bare[1:2] in (",", ";", "\t", "|") and len(bare) > 2


def _names_in(comment, separator) -> list[str]:
    """What may be the columns' names in the last comment above them."""
    if not comment:
        return []
    rows = cells([comment], separator if separator and separator in comment else " ")
    return [cell.strip() for cell in rows[0]] if rows else []


def _without_note(line) -> str:
    """A line of numbers without a remark behind them."""
    begin, mark, _ = line.partition(" #")
    return begin if mark and all(map(numerals.is_number, begin.split())) else line


def told(separator: str) -> str:
    """A separator in a sentence."""
    return SEPARATORS.get(separator, shown(separator))
