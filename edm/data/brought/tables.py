"""Tables of points, from a file to what networks learn: read by what the file is, whatever it is called.

    texts .csv .tsv .txt .dat    records .json .jsonl .geojson    sheets .xlsx .parquet    vectors .npy .npz

All give columns (`columns.Frame`), of which `choosing` takes the coordinates and the classes; rows that lack a number
are left out and counted; of more than 10,000 some are chosen; numbers of another size than 1 are centred and scaled.
"""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePath
from typing import IO, Any

import numpy as np

from edm.base.errors import Refused, one_line
from edm.data import classes
from edm.data.brought import choosing, records, sheets, texts, vectors
from edm.data.brought.columns import Column, Frame
from edm.data.brought.told import Choice, LeftOut
from edm.data.units import Units

MOST = 10_000  # points
MAX_BYTES = 1 << 28  # of a file, and of what is packed in it
TEXTS = (".csv", ".tsv", ".tab", ".txt", ".dat", ".asc", ".data", ".xy")
RECORDS = (".json", ".jsonl", ".ndjson", ".geojson")
SUFFIXES = (*TEXTS, *RECORDS, ".npy", ".npz", ".xlsx", ".xlsm", ".parquet", ".pq")
_SEED, _OFFERS = 0, 6
_WEB = ("<!doctype", "<html", "<head", "<?xml", "<svg")
_FOREIGN = (
    (b"\x89PNG", "a picture"), (b"GIF8", "a picture"), (b"\xff\xd8\xff", "a picture"), (b"RIFF", "a picture"),
    (b"%PDF", "a PDF; copy its table into a spreadsheet, and save that as .csv"),
    (b"\xd0\xcf\x11\xe0", "an old Excel file; save it as .xlsx or .csv"),
    (b"{\\rtf", "formatted text (RTF); save it as plain text"),
    (b"\x89HDF", "HDF5; write its numbers with numpy.save, or as .csv"),
    (b"MATLAB", "a MATLAB file; write its numbers with writematrix(a, 'a.csv')"),
    (b"SQLite format 3", "a database; export the table as .csv"),
    *((bytes([128, k]), "a pickle, which could do anything; write it with numpy.save") for k in range(2, 6)),
    (b"Rar!", "a RAR archive; unpack it"), (b"7z\xbc\xaf", "a 7z archive; unpack it"),
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Table:
    """Points of a file.

    numbers: float64 [n, 1] or [n, 2], as they are in the file; units: how networks see them. labels: int64 [n], numbers
    of class_names, or None. columns: the names of the coordinates, as the file has them. others: other columns of
    numbers. left_out: rows. notes: sentences of what was decided. choices: what could be taken otherwise.
    """

    numbers: np.ndarray
    units: Units
    labels: np.ndarray | None = None
    class_names: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()
    choices: tuple[Choice, ...] = ()

    @cached_property
    def points(self) -> np.ndarray:
        """The points as networks see them, of a size of about 1."""
        return self.units.taken(self.numbers)

    def write(self, file: IO[bytes]) -> None:
        """Write a .npz of the points as they are in the file, which reads as this one."""
        arrays: dict[str, Any] = {"points": self.numbers, "columns": np.array(self.columns)}
        if self.labels is not None:
            arrays |= {"labels": self.labels, "class_names": np.array(self.class_names)}
        np.savez_compressed(file, **arrays)


def read(
    file: IO[bytes], name: str, columns: str | Sequence[str | int] | None = None, *, place: str = "",
    alone: bool = False, most: int = MAX_BYTES,
) -> Table:  # fmt: skip
    """The points in a binary file that can seek. name: of the file, whose ending tells tables of letters apart.

    columns: names of the coordinates, or their numbers from 1, one or two, as a list or as "x,y"; a third one is the
    classes. None: the first two columns of numbers that are no index. place: what the file is called in sentences.
    alone: one point, or points that are all equal, are taken, too. most: bytes that are read.
    Raises Refused, in a sentence with the remedy, for all that holds no points.
    """
    place = place or repr(name)[:120]
    frame = _frame(file, PurePath(name).suffix.lower(), place, most)
    found = choosing.chosen(frame, columns, place)
    rows, left_out = _rows(frame, found, place)
    points = np.stack([column.values[rows] for column in found.coordinates], 1)
    notes = [*frame.notes, *found.notes]
    if len(rows) > MOST:
        notes.append(f"of {len(rows):,} points {MOST:,} were taken, by chance and always the same ones")
        kept = np.sort(np.random.default_rng(_SEED).choice(len(rows), MOST, replace=False))
        rows, points = rows[kept], points[kept]
    if not alone:
        _check_different(points, found, place)
    labels, class_names = _labelled(found.classes, frame, rows, place)
    names = tuple(column.name for column in found.coordinates)
    units = Units.of(points, names)
    notes += [units.told()] if units.scaled else []
    return Table(
        points, units, labels, class_names, names, tuple(column.name for column in found.others),
        tuple(left_out), tuple(map(one_line, notes)), tuple(_offers(found, frame)),
    )  # fmt: skip


def _frame(file, suffix, place, most) -> Frame:
    """The columns of a file, by what it is."""
    size = file.seek(0, 2)
    file.seek(0)
    if size > most:
        raise Refused(f"{place} has {size / 1e6:,.0f} MB; a table has at most {most >> 20} MB: take some of its rows")
    if not size:
        raise Refused(f"{place} holds no points: the file is empty")
    begin = file.read(16)
    file.seek(0)
    if begin.startswith(b"\x1f\x8b"):
        return _frame(io.BytesIO(_unpacked(file, place, most)), suffix, place, most)
    if begin.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _packed(file, suffix, place, most)
    if begin.startswith(b"\x93NUMPY"):
        return vectors.of_array(file, place)
    if begin.startswith(b"PAR1"):
        return sheets.of_parquet(file, place)
    foreign = next((what for mark, what in _FOREIGN if begin.startswith(mark)), None)
    if foreign:
        raise Refused(f"{place} is not a table, but {foreign}")
    if suffix in (".npy", ".npz", ".xlsx", ".xlsm", ".parquet", ".pq"):
        remedy = {".npy": " of real numbers; write it with numpy.save", ".npz": "; write it with numpy.savez"}
        raise Refused(f"{place} is not a whole {suffix} file{remedy.get(suffix, '; write it again, or as .csv')}")
    text, notes = texts.decoded(file.read(), place)
    _check_text(text, place)
    frame = records.read(text, place, most) if suffix in RECORDS or _is_json(text) else texts.read(text, place)
    frame.notes[:0] = notes
    return frame


def _packed(file, suffix, place, most) -> Frame:
    """Of a zip: a workbook, or arrays."""
    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
    except vectors.NOT_NUMPY:
        kind = {".npy": ".npy file of real numbers", ".npz": ".npz file", ".xlsx": ".xlsx file"}.get(suffix, "zip")
        raise Refused(f"{place} is not a whole {kind}; save it again") from None
    file.seek(0)
    if "xl/workbook.xml" in names:
        return sheets.of_workbook(file, place, most)
    if any(name.endswith(".npy") for name in names):
        return vectors.of_arrays(file, place, most)
    if "mimetype" in names and "content.xml" in names:
        raise Refused(f"{place} is a spreadsheet of LibreOffice; save it as .xlsx or .csv")
    if suffix == ".npz":
        raise Refused(f"{place} holds no arrays; write it with numpy.savez")
    inside = f" with {names[0]!r:.60}" if names else ""
    raise Refused(f"{place} is a zip{inside}, and no table; unpack it, or give it the ending .zip")


def _unpacked(file, place, most) -> bytes:
    try:
        with gzip.open(file) as packed:
            data = packed.read(most + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise Refused(f"{place} cannot be unpacked ({error}); pack it again") from None
    if len(data) > most:
        raise Refused(f"{place} unpacks to more than {most >> 20} MB; take some of its rows")
    return data


def _check_text(text, place) -> None:
    begin = text[:400].lstrip("\ufeff \t\r\n").casefold()
    if begin.startswith(_WEB):
        kind = "a drawing or XML" if begin.startswith(("<?xml", "<svg")) and "<html" not in begin else "a web page"
        raise Refused(f"{place} is not a table, but {kind}; download the file itself (on GitHub: Raw)")
    if begin.startswith("version https://git-lfs"):
        raise Refused(f"{place} is not a table, but what Git LFS keeps in its place; fetch it with: git lfs pull")
    if not begin and not text.strip():
        raise Refused(f"{place} holds no points: the file is empty")


def _is_json(text) -> bool:
    begin = text.lstrip("\ufeff \t\r\n")
    return begin[:1] == "{" or (begin[:1] == "[" and begin[1:].lstrip()[:1] in ("{", "[", "-") and "]" in begin)


def _rows(frame, found, place) -> tuple[np.ndarray, list[LeftOut]]:
    """(the rows that are points, those that are left out)."""
    count = len(frame.columns[0].values)
    numbers = frame.numbers if frame.numbers is not None else range(1, count + 1)
    reasons = dict(frame.odd)
    good = np.ones(count, bool)
    for column in found.coordinates:
        bad = ~np.isfinite(column.values)
        for row in np.flatnonzero(bad & good).tolist():
            reasons[int(numbers[row])] = _why(column, row)
        good &= ~bad
    if found.classes is not None:
        bad = np.array([name is None for name in found.classes.classes()])
        for row in np.flatnonzero(bad & good).tolist():
            reasons[int(numbers[row])] = f"{found.classes.name} is missing"
        good &= ~bad
    left_out = [LeftOut(f"row {number}", one_line(reasons[number], 200)) for number in sorted(reasons)]
    if not good.any():
        why = f": row 1 is left out, for it {left_out[0].reason}" if left_out else ""
        raise Refused(f"{place} holds no points{why}")
    return np.flatnonzero(good), left_out


def _why(column: Column, row: int) -> str:
    value = column.values[row]
    if np.isinf(value):
        return f"{column.name} is infinite"
    if column.cells is None or column.missing[row]:
        return f"{column.name} is missing"
    return f"{column.name} is {column.text(row)!r}, and no number"


def _check_different(points, found, place) -> None:
    if len(points) < 2:
        raise Refused(f"{place} holds one point alone; a table has a point a row, and at least two rows")
    if bool((points == points[0]).all()):
        told = ", ".join(f"{value:g}" for value in points[0])
        raise Refused(
            f"{place} holds {len(points):,} points that are all equal ({told}), and nothing to learn; "
            "bring points that differ, or choose other columns"
        )


def _labelled(column, frame, rows, place):
    """(labels or None, names of the classes) of the rows."""
    if column is None:
        return None, ()
    known = column.classes()
    names = [known[row] for row in rows.tolist()]
    there = set(names)
    ordered = tuple(name for name in frame.class_names if name in there)
    ordered = ordered if len(ordered) == len(there) else classes.ordered(there, place)
    places = {name: place for place, name in enumerate(ordered)}
    return np.array([places[name] for name in names], dtype=np.int64), ordered


def _offers(found, frame) -> list[Choice]:
    """Other pairs of columns that could be coordinates."""
    taken = [column.name for column in found.coordinates]
    others = [column.name for column in found.others]
    pairs = [(one, other) for k, one in enumerate(taken + others) for other in (taken + others)[k + 1 :]]
    pairs = [pair for pair in pairs if list(pair) != taken]
    words = "columns" if frame.named else "coordinates"
    offers = [Choice("columns", list(pair), f"{words} {', '.join(pair)}") for pair in pairs]
    if len(taken) == 2:
        offers += [Choice("columns", [one], f"{words[:-1]} {one} alone") for one in taken]
        labels = [column.name for column in choosing.could_be_classes(frame, found)]
        offers[:0] = [Choice("columns", [*taken, label], f"classes from {label}") for label in labels[:3]]
    return offers[:_OFFERS]


def recognized(name: str) -> bool:
    """Whether a file of that name may hold a table."""
    name = name.lower().removesuffix(".gz")
    return name.endswith(SUFFIXES)
