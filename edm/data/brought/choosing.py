"""Which columns of a table are the coordinates of points, and which one is their classes.

Coordinates are the first two columns of numbers that are no index and not constant; whoever knows better names them.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from edm.base.errors import Refused, shown
from edm.data.brought.columns import DATE, NOTHING, NUMBER, TEXT, Column, Frame

MOST_CLASSES, MOST_NAMED = 50, 1000  # in a column of words; in one that is called "class"
_SURE = 10  # rows, from which on 1, 2, 3, … beside one other column is an index
_INDEX = re.compile(
    r"unnamed: ?\d+|index|idx|id|ids|[a-z ]*[_. ]id|rowid|row[_. ]?(names?|num|number|id|index|nr|no)|"
    r"nr\.?|no\.?|num|nummer|lfd\.? ?nr\.?|#|fid|pk|objectid|gid|uid|obs\.?|observation|level_0",
    re.IGNORECASE,
)
_CLASS = re.compile(
    r"labels?|class(es)?|class[_ .]?(id|idx|name|label)s?|species|targets?|target[_ .]?names?|categor(y|ies)|klassen?|"
    r"clusters?|groups?|gruppe|etikett|variety|y[_ .]?(true|label)|labels?[_ .]?(id|name)s?|digit|outcome",
    re.IGNORECASE,
)
_AXIS = re.compile(
    r"[xyzuvtw]\d?|x[_ ]?\d|(x|y|z)[ _\[(].*|lon.*|lat.*|lng|time.*|zeit.*|easting|northing", re.IGNORECASE
)


_OUTCOMES = ("y", "target", "targets", "outcome")  # names of classes, and of anything else that is told


@dataclass(frozen=True, eq=False)
class Chosen:
    """coordinates: one or two columns. classes: a column, or None. others: columns of numbers that were not taken.
    notes: sentences."""

    coordinates: list[Column]
    classes: Column | None
    others: list[Column]
    notes: list[str]


def chosen(frame: Frame, columns: str | Sequence[str | int] | None, place: str) -> Chosen:
    """The columns that make points. columns: names, or numbers from 1, of one or two, and perhaps of the classes."""
    if columns is not None:
        return _asked(frame, columns, place)
    numbers, notes = [column for column in frame.columns if column.kind == NUMBER], []
    classes = _classes(frame, numbers)
    left = [column for column in numbers if column is not classes]
    left, index = _without_index(left, frame)
    left, constant = _parted(left, lambda column: not column.constant or _is_axis(column, frame))
    if not left and constant:
        left, constant = constant, []
    fuller = [column for column in left if column.present >= 0.5 * len(column.values)]
    taken = (fuller if len(fuller) > 1 or (fuller and len(left) == 1) else left)[:2]
    if not taken:
        raise Refused(_nothing(frame, index, classes, place))
    aside = index + constant
    others = [column for column in numbers if column not in [*taken, *aside] and column is not classes] + aside
    empty = [column for column in left[: left.index(taken[-1])] if column not in taken]
    for what, found in (
        ("an index, and no coordinate", index),
        ("the same in every row, and no coordinate", constant),
        ("missing in most rows, and no coordinate", empty),
        ("days or times, and no coordinate", [column for column in frame.columns if column.kind == DATE]),
    ):
        if found:
            notes.append(f"{_listed(found, frame)} {'is' if len(found) == 1 else 'are'} {what}")
    if rest := len(others) - len(aside):
        what = "coordinates" if frame.array else "columns of numbers"
        notes.append(
            f"of {rest + len(taken)} {what}, {_listed(taken, frame)} were taken; others can be named (--columns)"
        )
    if classes is not None:
        notes.append(f"{_name(classes, frame)} is the classes")
    return Chosen(taken, classes, others, notes)


def could_be_classes(frame: Frame, found: Chosen) -> list[Column]:
    """Columns that are not taken for the classes, and could be: a few words, or a few numbers that count."""
    taken = {id(column) for column in [*found.coordinates, found.classes]}
    free = [column for column in frame.columns if id(column) not in taken]
    words = [column for column in free if column.kind == TEXT and _few(column, MOST_CLASSES)]
    return words + [column for column in free if column.kind == NUMBER and column.whole and _count_up(column)]


def class_name(name: str) -> bool:
    """Whether a column or an array of that name holds classes."""
    return name.casefold() == "y" or _CLASS.fullmatch(name) is not None


def wanted(columns: str | Sequence[str | int], known: Sequence[str]) -> list[str | int]:
    """The columns that somebody names: a list, or a text like "x,y", in which a name with a comma is in quotes."""
    if not isinstance(columns, str):
        return list(columns)
    if columns in known:
        return [columns]
    try:
        return [name.strip() for name in next(csv.reader([columns], skipinitialspace=True), [])]
    except csv.Error:
        return [columns]


def _asked(frame, columns, place) -> Chosen:
    known = [column.name for column in frame.columns]
    names = wanted(columns, known)
    found = [frame.columns[_number(name, known, place)] for name in names]
    if not 1 <= len(found) <= 3 or len(set(map(id, found))) < len(found):
        raise Refused(
            f"columns = {shown(columns)}: name one or two different columns, or a third one that is the classes; "
            f"there are {_quoted(known)}"
        )
    coordinates, classes = found[:2], found[2] if len(found) == 3 else None
    if len(coordinates) == 2 and len(found) == 2 and coordinates[0].kind == NUMBER and coordinates[1].kind == TEXT:
        coordinates, classes = coordinates[:1], coordinates[1]
    for column in coordinates:
        if column.kind != NUMBER:
            kinds = {TEXT: "words", DATE: "days or times", NOTHING: "nothing"}
            numbers = [other.name for other in frame.columns if other.kind == NUMBER]
            raise Refused(
                f"columns = {shown(columns)}: {column.name!r} in {place} holds {kinds[column.kind]}; those of "
                f"numbers are {_quoted(numbers) or 'not there'}"
            )
    numbers = [column for column in frame.columns if column.kind == NUMBER]
    if classes is None:
        classes = _classes(frame, numbers, set(map(id, coordinates)))
    elif not _few(classes, MOST_NAMED):
        raise Refused(
            f"columns = {shown(columns)}: {classes.name!r} in {place} cannot be the classes; they are at least two, at "
            f"most {MOST_NAMED:,}, and fewer than rows"
        )
    notes = [] if classes is None else [f"{_name(classes, frame)} is the classes"]
    others = [column for column in numbers if column not in coordinates and column is not classes]
    return Chosen(coordinates, classes, others, notes)


def _number(name, known, place) -> int:
    """The place of a column that somebody names."""
    text = str(name).strip()
    if text in known:
        return known.index(text)
    alike = [place for place, other in enumerate(known) if other.casefold() == text.casefold()]
    if len(alike) == 1:
        return alike[0]
    if text.isascii() and text.isdecimal() and 1 <= int(text) <= len(known):
        return int(text) - 1
    raise Refused(f"columns = {text!r:.60}: there is no such column in {place}; there are {_quoted(known)}")


def _classes(frame, numbers, taken: Collection[int] = ()) -> Column | None:
    """The column of the classes, if there is one."""
    free = [column for column in frame.columns if id(column) not in taken and column.present >= len(column.values) / 2]
    words = [column for column in free if column.kind == TEXT]
    if frame.named:
        numbers = [column for column in numbers if not _is_index(column, frame)]
        for column in words:
            if _CLASS.fullmatch(column.name) and _few(column, MOST_NAMED):
                return column
        for column in free:
            if column.kind == NUMBER and len(numbers) > 1 and _is_class(column, numbers) and _few(column, MOST_CLASSES):
                return column
    rows = len(frame.columns[0].values)
    return next((one for one in words if _few(one, min(MOST_CLASSES, max(2, (rows + 1) // 2)))), None)


def _is_class(column, numbers) -> bool:
    """Whether the name of a column of whole numbers says that they are classes; y is one beside two others that are
    not x, where it counts."""
    name, names = column.name.casefold(), [other.name.casefold() for other in numbers]
    if not column.whole:
        return False
    if name in _OUTCOMES:
        return _count_up(column) and (name != "y" or (len(numbers) > 2 and "x" not in names))
    return _CLASS.fullmatch(name) is not None


def _count_up(column) -> bool:
    """Whether there are few different numbers, from 0 or 1 on, or they are −1 and 1."""
    values = np.unique(column.values[~np.isnan(column.values)]).tolist()
    few = 2 <= len(values) <= MOST_CLASSES and len(values) < column.present
    return few and values in ([-1, 1], list(range(len(values))), list(range(1, len(values) + 1)))


def _few(column, most) -> bool:
    """Whether there are few different cells: two at least, so that some are alike."""
    known = [name for name in column.classes() if name is not None]
    return 2 <= len(set(known)) <= most and len(set(known)) < len(known)


def _without_index(numbers, frame) -> tuple[list[Column], list[Column]]:
    """(columns, those of them that only count the rows)."""
    index = [column for column in numbers if _is_index(column, frame)]
    left = [column for column in numbers if column not in index]
    for column in left:
        others = len(left) - 1
        enough = others > 1 or (others == 1 and len(column.values) >= _SURE and not frame.array)
        if enough and not _is_axis(column, frame) and _counts(column):
            return [one for one in left if one is not column], [*index, column]
    return (left, index) if left or len(frame.columns) > 1 else (index, [])


def _is_index(column, frame) -> bool:
    """Whether a column of whole numbers is called an index, or stands first and has no name."""
    if frame.named and not column.named and column is frame.columns[0]:
        return True
    return frame.named and column.named and column.whole and _INDEX.fullmatch(column.name) is not None


def _counts(column) -> bool:
    """Whether the numbers are 0 … n − 1 or 1 … n, in that order."""
    values = column.values
    if len(values) < 3 or values[0] not in (0, 1) or np.isnan(values).any():
        return False
    return bool((values == np.arange(len(values)) + values[0]).all())


def _is_axis(column, frame) -> bool:
    return frame.named and _AXIS.fullmatch(column.name) is not None


def _parted(columns, belongs) -> tuple[list[Column], list[Column]]:
    return [one for one in columns if belongs(one)], [one for one in columns if not belongs(one)]


def _nothing(frame, index, classes, place) -> str:
    found = [f"{column.name!r} holds {'words' if column.kind == TEXT else 'days or times'}" for column in frame.columns
             if column.kind in (TEXT, DATE)]  # fmt: skip
    found += [f"{column.name!r} only counts the rows" for column in index]
    found += [f"{classes.name!r} is the classes"] if classes is not None and classes.kind == NUMBER else []
    said = f": {'; '.join(found[:4])}" if found else ""
    return f"{place} has no column of numbers that could be a coordinate{said}; a table of points has one or two"


def _name(column, frame) -> str:
    return f"the column {column.name!r}" if frame.named else f"column {column.name}"


def _listed(columns, frame) -> str:
    names = ", ".join(repr(column.name) if frame.named else column.name for column in columns[:6])
    return f"the column{'s' if len(columns) > 1 else ''} {names}{', …' if len(columns) > 6 else ''}"


def _quoted(names, most=20) -> str:
    return ", ".join(f"{name!r:.60}" for name in names[:most]) + (
        f" … ({len(names)} in all)" if len(names) > most else ""
    )
