"""Pictures in Parquet tables, as Hugging Face has them: a column of encoded image files, and one of classes.

A table is a set of files to those who read pictures: its rows, by number. Tables of a set lie in several files, the
names of which tell the splits (train-00000-of-00002.parquet).
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from edm.base import kinds_of_files
from edm.base.errors import Refused
from edm.base.extras import needed
from edm.data.brought import labels, names
from edm.data.brought.files import Files
from edm.data.brought.layouts import Role
from edm.data.brought.sorting import Sorted
from edm.data.brought.told import LeftOut

if TYPE_CHECKING:
    from edm.data.brought import Limits

SUFFIXES = (".parquet", ".pq")
_TRIED = 64  # rows in which a first picture is looked for


class Rows(Files):
    """The pictures of tables, by the numbers of their rows."""

    def __init__(self, files: Files, found: list[tuple[str, Any]]):
        """found: (name of a table, its column of encoded pictures) of each."""
        self._columns = [column for _, column in found]
        self._starts = np.cumsum([0, *map(len, self._columns)]).tolist()
        several = len(found) > 1
        self._rows = {
            f"{f'{name} ' if several else ''}row {row + 1}": (table, row)
            for table, (name, column) in enumerate(found)
            for row in range(len(column))
        }
        super().__init__(files.place, ())
        self.names, self.left_out = tuple(self._rows), files.left_out

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        table, row = self._rows[name]
        yield io.BytesIO(self._columns[table][row].as_py() or b"")

    def size(self, name: str) -> int:
        with self.open(name) as file:
            return file.seek(0, 2)

    def told(self, name: str) -> str:
        return f"{name} of {self.place}"


def rows(files: Files, limits: Limits) -> tuple[Rows, Sorted] | None:
    """The pictures in the tables among these files, and their classes; None where there are none in them."""
    tables = [name for name in files.names if name.lower().endswith(SUFFIXES)]
    found = [(name, *its) for name in tables if (its := _columns(files, name, limits))]
    if not found:
        return None
    among = Rows(files, [(name, pictures) for name, pictures, _, _ in found])
    if len(among.names) > limits.files:
        raise Refused(f"{files.place} holds {len(among.names):,} images; at most {limits.files:,} are taken")
    known = Sorted([], marked=True)
    taken = [name for name, *_ in found]
    known.left_out += [LeftOut(name, "holds no pictures") for name in files.names if name not in taken]
    values = [value for _, pictures, its, _ in found for value in (its or [None] * len(pictures))]
    splits = [split for name, pictures, _, _ in found for split in [Role(name).split or names.TRAIN] * len(pictures)]
    empty = [not _size(pictures, row) for _, pictures, _, _ in found for row in range(len(pictures))]
    classed = any(value is not None for value in values)
    kept = []
    for row, name in enumerate(among.names):
        if empty[row] or (classed and values[row] is None):
            known.left_out.append(
                LeftOut(name, "has no picture in it" if empty[row] else "has no class, as others have")
            )
        else:
            kept.append(row)
    if not kept:
        raise Refused(f"{files.place} holds no pictures: its rows only name files elsewhere; bring those as a folder")
    known.names = [among.names[row] for row in kept]
    _classify(known, [values[row] for row in kept], next((its for *_, its in found if its), ()), files.place)
    _hold_out(known, [splits[row] for row in kept])
    return among, known


def _columns(files: Files, name: str, limits: Limits) -> tuple[Any, list | None, tuple[str, ...]] | None:
    """(encoded pictures, labels or None, names of classes) of one table; None if it has no pictures."""
    with needed("files", f"{files.told(name)}, a Parquet table,"):
        import pyarrow as pa
        import pyarrow.parquet as pq
    with files.open(name) as file:
        try:
            table = pq.ParquetFile(file)
            schema = table.schema_arrow
            features = _features(schema)
            column = next((f.name for f in schema if _may_hold(pa, f, features) and _begins(table, f.name)), None)
            if column is None:
                return None
            claimed = sum(table.metadata.row_group(k).total_byte_size for k in range(table.metadata.num_row_groups))
            if claimed > limits.table_bytes:
                raise Refused(
                    f"{files.told(name)} unpacks to {claimed:,} bytes; at most {limits.table_bytes:,} are taken"
                )
            of_classes = _of_classes(pa, schema, features)
            read = table.read([column, of_classes] if of_classes else [column])
        except Refused:
            raise
        except (pa.ArrowException, OSError, ValueError) as error:
            reason = " ".join(str(error).split())
            raise Refused(f"{files.told(name)} is damaged or cut off ({reason:.100}); get it anew") from None
    pictures = read.column(column)
    if pa.types.is_struct(pictures.type):
        inner = [field.name for field in pictures.type]
        pictures = pictures.flatten()[inner.index("bytes")]
    class_names = tuple(features.get(of_classes or "", {}).get("names") or ())
    return pictures, read.column(of_classes).to_pylist() if of_classes else None, class_names


def _features(schema) -> dict[str, dict]:
    """What Hugging Face's datasets writes of the columns."""
    try:
        known = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))["info"]["features"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return {}
    return {name: its for name, its in known.items() if isinstance(its, dict)} if isinstance(known, dict) else {}


def _may_hold(pa, column, features) -> bool:
    """Whether the type of a column is that of encoded pictures, alone or beside their paths."""
    kind, told = column.type, features.get(column.name, {}).get("_type")
    if pa.types.is_struct(kind):
        inner = {field.name: field.type for field in kind}
        if "bytes" not in inner:
            return False
        kind = inner["bytes"]
    binary = pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or (kind == pa.null() and kind != column.type)
    return binary and told in (None, "Image")


def _begins(table, column) -> bool:
    """Whether the first that there is in a column is a picture, or only names of files are there."""
    first = next(table.iter_batches(_TRIED, columns=[column]), None)
    for value in first.column(0).to_pylist() if first is not None else ():
        data = value.get("bytes") if isinstance(value, dict) else value
        if data:
            return kinds_of_files.described(data[: kinds_of_files.BEGIN]) in kinds_of_files.PICTURES
        if isinstance(value, dict) and value.get("path"):
            return True
    return False


def _of_classes(pa, schema, features) -> str | None:
    """The column of classes: what Hugging Face calls such, else what is called like it."""
    told = [name for name in schema.names if features.get(name, {}).get("_type") == "ClassLabel"]
    told = [name for name in told if Role(name).kind == "labels"] or told
    kinds = (
        pa.types.is_integer,
        pa.types.is_string,
        pa.types.is_large_string,
        pa.types.is_boolean,
        pa.types.is_dictionary,
    )
    called = [f.name for f in schema if Role(f.name).kind == "labels" and any(of(f.type) for of in kinds)]
    found = told or sorted(called, key=lambda name: ("coarse" in name.lower(), Role(name).rank))
    return found[0] if found else None


def _size(pictures, row) -> int:
    value = pictures[row]
    return len(value.as_buffer()) if value.is_valid else 0


def _classify(known: Sorted, values: list, class_names: tuple[str, ...], place: str):
    """Fills in the classes of rows whose labels are whole numbers or text."""
    if values[0] is None:
        return
    numbers = all(type(value) is int for value in values)
    if class_names and numbers and min(values) >= 0 and max(values) < len(class_names):
        known.labels, known.classes, known.class_names = values, len(class_names), class_names
        return
    given = dict(zip(known.names, map(str, values), strict=True))
    if len(set(given.values())) > 1:
        known.class_names, found = labels.numbered(given, place)
        known.labels, known.classes = [found[name] for name in known.names], len(known.class_names)


def _hold_out(known: Sorted, splits: list[str]):
    counts = [(split, splits.count(split)) for split in (names.VALIDATION, names.TEST) if split in splits]
    if counts and names.TRAIN in splits:
        known.splits = splits
        told = " and ".join(f"{count:,} of {split}" for split, count in counts)
        known.notes.append(f"{told} are held out, to validate on, and never trained on")
