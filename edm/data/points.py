"""Points in a file, as a distribution: they are equally likely, like those drawn on the page."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from edm.base.atomic import stamp
from edm.base.errors import Refused
from edm.base.paths import expanded
from edm.data.brought import tables
from edm.data.units import REACH

if TYPE_CHECKING:
    from edm.base.types import StrPath
    from edm.data.brought.tables import Table

MOST = tables.MOST
_KEPT = 8  # tables: a file is asked for by whoever draws it, samples it and measures


def read(path: StrPath, columns: str | None = None) -> np.ndarray:
    """The points of a file as networks see them, float64 [n, 1] or [n, 2]; see `table`."""
    return table(path, columns).points


def table(path: StrPath, columns: str | None = None) -> Table:
    """The points in a file (`edm.data.brought.tables`), which may lie in an archive or a folder, and what is known of
    them. columns: the coordinates, "x,y".

    Raises ValueError, in a sentence that names the file, for anything else.
    """
    path = expanded(path)
    try:
        return _table(path.absolute(), str(path), columns, stamp(path))
    except OSError as error:
        raise Refused(f"{path} cannot be read ({error.strerror or error}); check the path") from None


@lru_cache(maxsize=_KEPT)
def _table(path, place, columns, _changed) -> Table:
    from edm.data.brought import places, reading

    files = None if tables.recognized(path.name) and not path.is_dir() else places.opened(path)
    name = files and reading.table_among(files)
    if files and name and files.path(name) != path:
        with files.open(name) as file:
            return tables.read(file, name, columns, place=files.told(name), alone=True)
    if path.is_dir():
        raise Refused(
            f"{place} is no file, but a folder without a table; give a file of points, such as a .csv or .npy"
        )
    with open(path, "rb") as file:
        return tables.read(file, path.name, columns, place=place, alone=True)


def checked(rows: Any, place: str) -> np.ndarray:
    """`rows` as float64 points [n, 1] or [n, 2]. Raises ValueError, naming `place`, for what is none."""
    try:
        points = np.array(rows, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):  # also of a whole number of hundreds of digits
        raise Refused(f"{place} does not hold points: each must have the same one or two numbers") from None
    if points.size == 0:
        raise Refused(f"{place} holds no points")
    if points.ndim != 2 or points.shape[1] > 2:
        raise Refused(f"{place} has the shape {list(points.shape)}; points have one or two coordinates, [n, 2]")
    if len(points) > MOST:
        raise Refused(f"{place} holds {len(points):,} points; at most {MOST:,} are taken: choose some of them")
    bad = ~(np.abs(points) <= REACH).all(1)
    if bad.any():
        first = int(bad.argmax())
        raise Refused(
            f"{place}: point {first + 1} is {points[first].tolist()}; coordinates must be numbers from {-REACH:g} to "
            f"{REACH:g}, best of a size of about 1: rescale them"
        )
    return points


def write(file: IO[bytes], samples: np.ndarray) -> None:
    """Write samples [n, …] into a .csv file that is open: one a line, in nine digits, or fifteen of float64."""
    import pandas as pd

    written = pd.DataFrame(samples.reshape(len(samples), -1))
    digits = "%.15g" if samples.dtype == np.float64 else "%.9g"
    written.to_csv(file, header=False, index=False, float_format=digits, na_rep="nan", lineterminator="\n")


def digest(points: np.ndarray, *more: object) -> str:
    """Sixteen letters that tell one set of points from another. more: what else tells them apart, if there is any."""
    points = np.ascontiguousarray(points, dtype="<f8")
    told = "".join(map(repr, filter(None, more)))
    return hashlib.sha256(f"{points.shape}".encode() + points.tobytes() + told.encode()).hexdigest()[:16]
