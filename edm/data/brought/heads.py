"""Where a table begins: titles, names of its columns and their units stand above the first row of numbers."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence

from edm.base.errors import Refused, shown
from edm.data.brought import numerals
from edm.data.brought.columns import Frame, named, of_cells

_LOOKED_AT = 500  # rows


def table(rows: list[list], separator: str, comment: Sequence[str], place: str) -> Frame:
    """The columns of rows of cells, whatever stands above and between them.

    separator: of the cells, which says what a comma is not. comment: what may be their names, in a comment above.
    """
    while rows and all(map(_empty, rows[-1])):  # as spreadsheets write what was emptied
        rows.pop()
    width = _width(rows)
    numeric = _numeric(rows, width)
    if not numeric:
        raise Refused(
            f"{place} holds no points: no column has numbers in it, and it begins {_begin(rows)}; write a point a row"
        )
    start = _start(rows, width, numeric)
    names, units, start, titles = _names(rows, start, width, numeric)
    notes = []
    if titles:
        notes.append(
            f"{titles} lines above the table were left out" if titles > 1 else "a line above the table was left out"
        )
    if names is None and (start == 0 or titles) and _numbers_are_names(rows, start, width, numeric):
        names, start = rows[start], start + 1
        notes.append(f"the first line, {', '.join(filter(None, map(str, names)))}, was taken for the columns' names")
    if names is None and len(comment) == width and not any(map(numerals.is_number, comment)):
        names = list(comment)
    body = rows[start:]
    joined = _joined(body, names, separator)
    if joined is not None:
        body, width = joined, width // 2
        notes.append(
            "each pair of whole numbers was read as one number with a decimal comma, as there are half as many names"
        )
    elif names is not None and len(names) < width:
        names = ["", *names]  # as R writes them: that of the rows has none
    kept, numbers, odd = _alike(body, names, width)
    if not kept:
        raise Refused(f"{place} has no row of numbers below its names {_begin(rows)}")
    columns = [list(column) for column in zip(*kept, strict=True)]
    decimal, note = numerals.decimal_of((columns[k] for k in range(width) if joined or k in numeric), separator)
    notes += [note] if note else []
    told = named(names or [], width)
    if units:
        pairs = [f"{name} in {unit.strip('[](){}<>')}" for name, unit in zip(told, units, strict=False) if unit]
        notes.append(f"the line under the names was read as units: {', '.join(pairs)}")
    made = [of_cells(name, column, decimal, notes) for name, column in zip(told, columns, strict=True)]
    for k, column in enumerate(made):
        column.named = bool(names and str(names[k] or "").strip())
    return Frame(made, names is not None, notes=notes, odd=odd, numbers=numbers)


def _width(rows) -> int:
    """How many columns most rows have; those that hold nothing anywhere at the end of the rows are taken away."""
    counts = Counter(map(len, rows))
    width = max(counts, key=lambda count: (counts[count], count))
    while width > 1 and all(_empty(row[width - 1]) for row in rows if len(row) == width):
        for row in rows:
            if len(row) == width:
                row.pop()
        counts = Counter(map(len, rows))
        width -= 1
    return width


def _numeric(rows, width) -> set[int]:
    """The columns of numbers."""
    alike = [row for row in rows if len(row) == width]
    alike = alike[min(len(alike) // 3, 50) :]
    alike = alike[:: max(1, len(alike) // _LOOKED_AT)]
    found = set()
    for place in range(width):
        known = [row[place] for row in alike if not numerals.is_missing(row[place])]
        share = sum(_is_number(cell) for cell in known)
        if known and share >= 0.5 * len(known):
            found.add(place)
    return found


def _is_number(cell) -> bool:
    return numerals.is_number(cell) or numerals.without_unit(cell) is not cell


def _start(rows, width, numeric) -> int:
    """The first row with numbers in the columns of numbers, and nothing else in them."""
    for place, row in enumerate(rows):
        if len(row) == width:
            cells = [row[k] for k in numeric if not numerals.is_missing(row[k])]
            if cells and all(map(_is_number, cells)):
                return place
    return 0


def _names(rows, start, width, numeric):
    """(names or None, units or None, where the rows of numbers begin, lines above that are neither)."""
    first = start
    while first > 0 and len(rows[first - 1]) == width and any(_is_number(rows[first - 1][k]) for k in numeric):
        first -= 1  # rows in which something is wrong
    if first < start and not (first and _is_head(rows[first - 1], width)):
        first = start  # lines of a head that have numbers, too
    units = None
    if first > 0 and _is_head(rows[first - 1], width):
        names = rows[first - 1]
        if first > 1 and _are_units(names) and _is_head(rows[first - 2], width) and not _are_units(rows[first - 2]):
            return _texts(rows[first - 2]), _texts(names), first, first - 2
        if _are_units(names) and first > 1 and len(rows[first - 2]) == width:
            units = _texts(names)
            return _texts(rows[first - 2]), units, first, first - 2
        return _texts(names), None, first, first - 1
    return None, None, first, first


def _is_head(row, width) -> bool:
    """Whether a row may be that of the names: as many texts as there are columns, or all but the first one, or one for
    each pair of columns."""
    filled = sum(not _empty(cell) for cell in row)
    if any(_is_number(cell) for cell in row):
        return len(row) == width and filled >= width - 1 and sum(map(_is_number, row)) < filled
    if len(row) == width:
        return filled >= max(1, width / 2)
    return filled == len(row) and (len(row) == width - 1 or 2 * len(row) == width)


def _are_units(row) -> bool:
    cells = [str(cell).strip() for cell in row if not _empty(cell)]
    bare = [cell.strip("[](){}<>").casefold() for cell in cells]
    known = [
        cell != one or one in numerals.MEASURES or one in ("-", "1", "")
        for cell, one in zip((cell.casefold() for cell in cells), bare, strict=True)
    ]
    return bool(cells) and all(len(cell) <= 12 for cell in cells) and sum(known) >= len(cells) / 2


def _numbers_are_names(rows, start, width, numeric) -> bool:
    """Whether the first row counts the columns, as a table's without names does: 0, 1, 2 above 0.5, 0.25, 0.125."""
    row, below = rows[start], [other for other in rows[start + 1 :] if len(other) == width][:_LOOKED_AT]
    if len(row) != width or len(below) < 2:
        return False
    corner = _empty(row[0]) and _are_names([other[0] for other in below], 0 in numeric)
    places = sorted(numeric - {0} if corner else numeric)
    cells = [str(row[place]).strip() for place in places]
    if corner:
        return len(set(cells)) == len(cells) and not any(map(_empty, cells))
    if not all(cell.isdecimal() for cell in cells) or len(cells) < 2:
        return False
    values = [int(cell) for cell in cells]
    if any(later - earlier != 1 for earlier, later in itertools.pairwise(values)):
        return False
    words = [place for place in range(width) if place not in numeric]
    if words and not any(row[place] == other[place] for other in below for place in words):
        return len(values) > 2 or values[0] in (0, 1)
    broken = sum(not str(other[place]).strip().isdecimal() for other in below for place in places)
    return values[0] in (0, 1) and broken >= 0.9 * len(below) * len(places)


def _are_names(cells, numbers) -> bool:
    """Whether the first cells of the rows are their names: texts, or numbers that count them."""
    if any(_empty(cell) for cell in cells):
        return False
    return not numbers or [str(cell).strip() for cell in cells] == [
        str(k + int(cells[0] != "0")) for k in range(len(cells))
    ]


def _joined(body, names, separator) -> list[list] | None:
    """Rows of which each pair of cells is one number, "0,5" between commas; None where they are not."""
    if names is None or separator != "," or not body or any(len(row) != 2 * len(names) for row in body):
        return None
    pairs = [(row[k].strip().lstrip("+-"), row[k + 1].strip()) for row in body for k in range(0, len(row), 2)]
    if not all(a.isdecimal() and b.isdecimal() for a, b in pairs):
        return None
    return [[f"{row[k].strip()},{row[k + 1].strip()}" for k in range(0, len(row), 2)] for row in body]


def _alike(body, names, width):
    """(rows of that width, their numbers from 1, [(number, reason)] of the others)."""
    kept, numbers, odd = [], [], []
    for number, row in enumerate(body, 1):
        while len(row) > width and _empty(row[-1]):
            row = row[:-1]
        if len(row) != width:
            odd.append((number, f"has {len(row)} {'value' if len(row) == 1 else 'values'} where others have {width}"))
        elif names is not None and width > 1 and _texts(row) == list(names):
            odd.append((number, "repeats the names of the columns"))
        else:
            kept.append(row)
            numbers.append(number)
    return kept, numbers, odd


def _texts(row) -> list[str]:
    return ["" if _empty(cell) else str(cell).strip() for cell in row]


def _empty(cell) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _begin(rows) -> str:
    return ", ".join(shown(cell, 30) for cell in rows[0][:4])
