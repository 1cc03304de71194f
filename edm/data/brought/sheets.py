"""Tables of spreadsheets (.xlsx) and of Parquet, through pandas."""

from __future__ import annotations

import io
import zipfile
from typing import IO, Any

from edm.base.errors import Refused, one_line
from edm.base.extras import needed
from edm.data.brought import heads
from edm.data.brought.columns import Frame, named, of_cells, of_numbers

MOST_CELLS = 20_000_000


def of_workbook(file: IO[bytes], place: str, most: int) -> Frame:
    """The first sheet of an .xlsx that holds numbers."""
    import pandas as pd

    with zipfile.ZipFile(file) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > most:
            raise Refused(f"{place} unpacks to more than {most >> 20} MB; keep the sheet of the points alone in it")
    file.seek(0)
    sheets: Any = {}
    try:
        with pd.ExcelFile(file, engine="openpyxl") as book:
            sheets = pd.read_excel(book, sheet_name=None, header=None, dtype=object, na_filter=False)
    except Exception as error:  # openpyxl raises whatever its parsers do
        raise Refused(
            f"{place} is not a whole .xlsx file ({one_line(error, 100)}); save it again, or as .csv"
        ) from None
    refusal = Refused(f"{place} holds no numbers in any of its sheets; a table has a point a row")
    for name, sheet in sheets.items():
        rows = [[None if _nothing(cell) else cell for cell in row] for row in sheet.itertuples(index=False)]
        rows = [row for row in rows if any(cell is not None for cell in row)]
        if not rows:
            continue
        rows = _cut(rows)
        try:
            frame = heads.table(rows, ";", (), place)
        except Refused as error:
            refusal = error
            continue
        if len(sheets) > 1:
            others = ", ".join(repr(other) for other in list(sheets)[:6] if other != name)
            frame.notes.append(f"the sheet {name!r} was read, and not {others}")
        return frame
    raise refusal


def of_parquet(file: IO[bytes], place: str) -> Frame:
    """The columns of a Parquet file."""
    with needed("files", "Parquet"):
        import pyarrow as pa
        from pyarrow import parquet
    try:
        book = parquet.ParquetFile(file)
        rows = book.metadata.num_rows
        if rows * max(1, book.metadata.num_columns) > MOST_CELLS:
            raise Refused(f"{place} has {rows:,} rows of {book.metadata.num_columns} columns; write fewer of them")
        table = book.read()
        frame: Any = table.to_pandas(ignore_metadata=True)
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError, NotImplementedError, MemoryError) as error:
        if isinstance(error, Refused):
            raise
        raise Refused(f"{place} is not a whole Parquet file ({one_line(error, 100)}); write it again") from None
    if not len(frame):
        raise Refused(f"{place} holds no points: it has no rows")
    notes: list[str] = []
    told = named(list(frame.columns), frame.shape[1])
    columns = []
    for name, (_, series) in zip(told, frame.items(), strict=True):
        if series.dtype.kind in "fiu":
            columns.append(of_numbers(name, series.to_numpy()))
        else:
            columns.append(of_cells(name, series.tolist(), ".", notes))
    return Frame(columns, True, notes=notes)


def workbook(data: bytes) -> IO[bytes]:
    """Bytes as a file."""
    return io.BytesIO(data)


def _nothing(cell) -> bool:
    return cell is None or cell == "" or cell != cell


def _cut(rows) -> list[list]:
    """Rows without the empty columns around them."""
    filled = [k for k in range(len(rows[0])) if any(row[k] is not None for row in rows)]
    return [[row[k] for k in filled] for row in rows]
