"""The columns of a table: what each holds, and which of them are coordinates, which one classes.

number      numbers, but for a few cells
text        words; few different ones can be classes
date        days and times
nothing     no cell holds anything
"""

from __future__ import annotations

import datetime
import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from edm.base.errors import one_line
from edm.data.brought import numerals

NUMBER, TEXT, DATE, NOTHING = "number", "text", "date", "nothing"
SHARE = 0.6  # of a column's cells that are numbers, where it is one of numbers
LONGEST_NAME = 80
_DATES = re.compile(
    r"\d{4}[-/.]\d{1,2}([-/.]\d{1,2}([T ].*)?)?|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}([T ,].*)?|"
    r"\d{1,2}:\d{2}(:\d{2}.*)?( ?[ap]m)?|"
    r"(\d{1,2}[. -]+)?(jan|feb|mar|mär|apr|may|mai|jun|jul|aug|sep|oct|okt|nov|dec|dez)"
    r"[a-zä]*[. ,-]+\d{1,4}([ ,]+\d{2,4})?.*",
    re.IGNORECASE,
)


@dataclass(eq=False)
class Column:
    """name: as sentences call it. values: float64 [n], NaN where there is no number. cells: what was there, of
    columns that are not numbers alone. kind: of those above. missing: bool [n]. named: whether the file names it."""

    name: str
    values: np.ndarray
    cells: Sequence | None = None
    kind: str = NUMBER
    missing: np.ndarray = field(default_factory=lambda: np.zeros(0, bool))
    named: bool = True

    @property
    def whole(self) -> bool:
        """Whether all of its numbers are whole ones."""
        known = self.values[~np.isnan(self.values)]
        return len(known) > 0 and bool(np.isfinite(known).all()) and bool((known == np.round(known)).all())

    @property
    def present(self) -> int:
        return len(self.values) - int(self.missing.sum())

    @property
    def constant(self) -> bool:
        known = self.values[~np.isnan(self.values)]
        return len(known) > 1 and bool((known == known[0]).all())

    def text(self, row: int) -> str:
        """A cell as it is written."""
        if self.cells is None:
            return f"{self.values[row]:g}"
        return one_line(str(self.cells[row]), 60)

    def classes(self) -> list[str | None]:
        """The cells as names of classes; None where one is missing."""
        if self.cells is None or self.kind == NUMBER:
            return [None if math.isnan(value) else _whole(value) for value in self.values.tolist()]
        known = zip(self.cells, self.missing.tolist(), strict=True)
        return [None if gone else unicodedata.normalize("NFC", str(cell)).strip() for cell, gone in known]


@dataclass(eq=False)
class Frame:
    """columns: all of one length. named: whether their names are the file's. array: of an array, which is no table
    that somebody wrote. labels, class_names: of a file that says them apart. notes: sentences of how it was read.
    odd: rows that were no rows, (number from 1, reason)."""

    columns: list[Column]
    named: bool = True
    array: bool = False
    notes: list[str] = field(default_factory=list)
    odd: list[tuple[int, str]] = field(default_factory=list)
    numbers: Sequence[int] | None = None  # of the rows as people count them; None: 1 … n
    class_names: tuple[str, ...] = ()


def of_numbers(name: str, values: np.ndarray) -> Column:
    """A column of an array."""
    values = np.asarray(values, dtype=np.float64)
    return Column(name, values, None, NUMBER, np.isnan(values))


def of_cells(name: str, cells: Sequence, decimal: str, notes: list[str]) -> Column:
    """A column of cells: texts, numbers, dates, true and false, None."""
    import pandas as pd

    cells = [cell if isinstance(cell, str) else _plain(cell) for cell in cells]
    ready: list[Any] = cells
    if decimal == numerals.COMMA:
        ready = [c if not isinstance(c, str) else None if "." in c else c.replace(",", ".") for c in cells]
    found: Any = pd.to_numeric(pd.Series(ready, dtype=object), errors="coerce")
    values = np.array(found, dtype=np.float64)
    rest = np.flatnonzero(np.isnan(values))
    missing = np.zeros(len(cells), bool)
    for row in rest.tolist():
        cell = cells[row]
        if numerals.is_missing(cell) or (isinstance(cell, float) and math.isnan(cell)):
            missing[row] = True
        elif isinstance(cell, str) and (found := numerals.number(cell, decimal)) is not None:
            values[row] = found
        elif isinstance(cell, int | float):
            values[row] = float(cell)
    if missing.all():
        return Column(name, values, cells, NOTHING, missing)
    known = int((~np.isnan(values)).sum())
    if known < SHARE * (len(cells) - missing.sum()):
        if unit := numerals.unit_of(cells):
            notes.append(f"the numbers of {name!r} are in {unit}")
            return of_cells(name, [numerals.without_unit(cell) for cell in cells], decimal, notes)
        return Column(name, values, cells, DATE if _are_dates(cells, missing) else TEXT, missing)
    return Column(name, values, cells, NUMBER, missing)


def named(names: Sequence[object], count: int) -> list[str]:
    """Names for `count` columns, each one its own: those given, and numbers from 1 for those that have none."""
    found: list[str] = []
    for place in range(count):
        text = str(names[place]) if place < len(names) and names[place] is not None else ""
        text = unicodedata.normalize("NFC", one_line(text, LONGEST_NAME)).strip("\"' ")
        plain = text or (f"column {place + 1}" if any(names) else str(place + 1))
        name, again = plain, 2
        while name in found:
            name, again = f"{plain} ({again})", again + 1
        found.append(name)
    return found


def _plain(cell):
    if isinstance(cell, bool | np.bool_):
        return str(bool(cell))
    if isinstance(cell, int | float | np.integer | np.floating):
        try:
            return float(cell)
        except OverflowError:
            return math.inf
    if isinstance(cell, datetime.date | datetime.time | np.datetime64):
        return str(cell)
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return None
    text = str(cell)
    return None if text in ("NaT", "<NA>") else text


def _are_dates(cells, missing) -> bool:
    known = [str(cell).strip() for cell, gone in zip(cells, missing.tolist(), strict=True) if not gone]
    known = known[:: max(1, len(known) // 500)]
    return sum(_DATES.fullmatch(text) is not None for text in known) >= 0.9 * len(known)


def _whole(value: float) -> str:
    return str(int(value)) if math.isfinite(value) and value == int(value) else f"{value:g}"
