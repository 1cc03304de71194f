"""Points in a file, as a distribution: they are equally likely and taken as they are, like those drawn on the page."""

from __future__ import annotations

import hashlib
import tokenize
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from edm.base import documents
from edm.base.errors import Refused
from edm.base.paths import expanded

if TYPE_CHECKING:
    from edm.base.types import StrPath

MOST = 10_000
REACH = 10.0  # of a coordinate; the networks and the page expect data of a size of about [−1, 1]
MAX_BYTES = 1 << 22
SUFFIXES = (".csv", ".npy")
# What NumPy raises for a file of any making: its header is read as an expression of Python's
NOT_NUMPY = (ValueError, EOFError, SyntaxError, TypeError, OverflowError, LookupError, RecursionError, MemoryError)
NOT_NUMPY += (tokenize.TokenError,)


def read(path: StrPath) -> np.ndarray:
    """The points in a .csv or .npy file, float64 [n, 1] or [n, 2] with n from 1 to 10,000.

    A .csv has a point a line, its coordinates separated by a comma, a semicolon or blanks; the first line may hold
    names. A .npy holds real numbers. Raises ValueError, in a sentence that names the file, for anything else, and for
    numbers that are not finite or beyond ±10.
    """
    path = expanded(path)
    if path.suffix.lower() not in SUFFIXES:
        raise Refused(f"{path} must be a .csv or .npy file of points")
    try:
        if path.is_dir() or path.stat().st_size > MAX_BYTES:
            raise Refused(f"{path} is no file of at most {MAX_BYTES >> 20} MB; give a .csv or .npy file of points")
        rows = _lines(path) if path.suffix.lower() == ".csv" else _array(path)
    except OSError as error:
        raise Refused(f"{path} cannot be read ({error.strerror or error}); check the path") from None
    return checked(rows, str(path))


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
    """Write samples [n, …] into a .csv file that is open: one a line, in nine digits."""
    import pandas as pd

    table = pd.DataFrame(samples.reshape(len(samples), -1))
    table.to_csv(file, header=False, index=False, float_format="%.9g", na_rep="nan", lineterminator="\n")


def digest(points: np.ndarray) -> str:
    """Sixteen letters that tell one set of points from another."""
    points = np.ascontiguousarray(points, dtype="<f8")
    return hashlib.sha256(f"{points.shape}".encode() + points.tobytes()).hexdigest()[:16]


def _lines(path) -> list[list[float]]:
    try:
        text = documents.text_of(path.read_bytes(), str(path))
    except Refused as error:
        raise Refused(f"{error}; a .csv has a point a line, written like 0.5,-1") from None
    rows = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.replace(",", " ").replace(";", " ").split()
        try:
            if words:
                rows.append([float(word) for word in words])
        except ValueError:
            if number > 1:  # the first line may hold names
                raise Refused(f"{path}: line {number}, {line!r:.60}, is not a point like 0.5,-1") from None
    return rows


def _array(path):
    try:
        array = np.lib.format.open_memmap(path, mode="r")  # a header's claims cost no memory
    except NOT_NUMPY:
        array = None
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiu":
        raise Refused(f"{path} is not a whole .npy file of real numbers; write it with numpy.save")
    return array
