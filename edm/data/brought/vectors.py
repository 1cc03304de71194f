"""Points in NumPy's own files: an array [n, d], or several arrays of one length."""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Sequence
from typing import IO

import numpy as np

from edm.base.errors import Refused
from edm.data.brought.choosing import class_name
from edm.data.brought.columns import Column, Frame, of_cells, of_numbers

# What NumPy and zipfile raise for a file of any making: a header is read as an expression of Python's
NOT_NUMPY = (
    ValueError, EOFError, SyntaxError, TypeError, OverflowError, LookupError, RecursionError, MemoryError,
    NotImplementedError, RuntimeError, OSError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
DEEP = 4096  # coordinates at most, of which two are taken
LYING = 16  # points at least of an array [2, n], whose rows are the coordinates
_POINTS = ("points", "x", "data", "samples", "positions", "coordinates", "coords", "pos", "xy", "arr_0")
_NAMES = ("class_names", "target_names", "label_names", "classes")


def of_array(file: IO[bytes], place: str) -> Frame:
    """The columns of a .npy."""
    array = _array(file, place)
    return _frame({"": array}, place)


def of_arrays(file: IO[bytes], place: str, most: int) -> Frame:
    """The columns of a .npz: of `points`, or the first array [n, d]; or arrays [n], one each. labels, class_names and
    columns (what coordinates are called) are read where they are."""
    try:
        with zipfile.ZipFile(file) as archive:
            entries = [entry for entry in archive.infolist() if entry.filename.endswith(".npy")]
            if sum(entry.file_size for entry in entries) > most:
                raise Refused(f"{place} unpacks to more than {most >> 20} MB; keep the points alone in it")
            arrays = {}
            for entry in entries:
                with archive.open(entry) as part:
                    name = entry.filename.removesuffix(".npy")
                    arrays[name] = _array(part, f"{name!r} in {place}", entry.file_size)
    except Refused:
        raise
    except NOT_NUMPY as error:
        raise Refused(f"{place} is not a whole .npz file ({error}); write it with numpy.savez") from None
    if not arrays:
        raise Refused(f"{place} holds no arrays; write it with numpy.savez")
    return _frame(arrays, place)


def _array(file, place, size=None) -> np.ndarray:
    """An array of real numbers, or of text, of which no more is read than is there."""
    if size is None:
        size = file.seek(0, 2)
        file.seek(0)
    try:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, fortran, dtype = read(file)
        wanted = math.prod(shape) * dtype.itemsize
    except NOT_NUMPY:
        raise Refused(f"{place} is not a whole .npy file of real numbers; write it with numpy.save") from None
    _check_kind(dtype, place)
    if wanted > size:
        raise Refused(f"{place} is not a whole .npy file: {wanted:,} bytes of numbers are missing some; copy it again")
    try:
        data = file.read(wanted)
        array = np.frombuffer(data, dtype, math.prod(shape)).reshape(shape, order="F" if fortran else "C")
    except NOT_NUMPY:
        raise Refused(f"{place} is not a whole .npy file: it ends too early; copy it again") from None
    return array


def _check_kind(dtype, place) -> None:
    if dtype.hasobject:
        remedy = "and is not opened, for that could run anything; save it again after .astype(float)"
        raise Refused(f"{place} holds Python's objects instead of real numbers, {remedy}")
    if dtype.names is not None:
        pair = ", ".join(f"a[{name!r}]" for name in dtype.names[:2])
        raise Refused(
            f"{place} is a structured array with the fields {', '.join(map(repr, dtype.names[:8]))}, and no array of "
            f"real numbers; save np.stack([{pair}], 1)"
        )
    if dtype.kind == "c":
        raise Refused(f"{place} holds complex numbers; points are real numbers: save np.stack([a.real, a.imag], -1)")
    if dtype.kind not in "fiubUS":
        kind = {"M": "days or times", "m": "durations"}.get(dtype.kind, str(dtype))
        raise Refused(f"{place} holds {kind} and no real numbers; save it again after .astype(float)")


def _frame(arrays, place) -> Frame:
    named = tuple(str(one) for one in arrays["columns"].tolist()) if _are_words(arrays.get("columns")) else ()
    class_names = next((tuple(map(str, arrays[name].tolist())) for name in _NAMES if _are_words(arrays.get(name))), ())
    order = sorted(arrays, key=lambda name: _POINTS.index(name.lower()) if name.lower() in _POINTS else len(_POINTS))
    flat = [name for name in order if arrays[name].dtype.kind in "fiu" and arrays[name].ndim == 2 and arrays[name].size]
    labels = [name for name in arrays if class_name(name) and (flat or name.lower() != "y")]
    if flat:
        frame = _matrix(arrays[flat[0]], named, place if not flat[0] else f"{flat[0]!r} in {place}")
        frame.notes += [f"{flat[0]!r} was read, and not {', '.join(map(repr, flat[1:5]))}"] if len(flat) > 1 else []
    else:
        frame = _vectors({name: arrays[name] for name in order if name not in labels}, arrays, place)
    rows = len(frame.columns[0].values)
    for name in labels:
        array = arrays[name]
        if array.ndim == 1 and len(array) == rows and array.dtype.kind in "iubUS":
            frame.columns.append(_labels(name, array, class_names))
            frame.class_names = class_names
            break
    return frame


def _matrix(array, names, place) -> Frame:
    notes = []
    rows, width = array.shape
    if rows <= 3 and width >= LYING:
        notes.append(f"the shape [{rows}, {width:,}] was read as {width:,} points of {rows} coordinates")
        array, (rows, width) = array.T, (width, rows)
    if width > DEEP:
        raise Refused(f"{place} has the shape [{rows}, {width}]; points have one or two coordinates, [n, 2]")
    known = names if len(names) == width else tuple(str(k + 1) for k in range(width))
    return Frame([of_numbers(name, array[:, k]) for k, name in enumerate(known)], bool(names), array=True, notes=notes)


def _vectors(numbers, arrays, place) -> Frame:
    """Arrays [n] of one length, as columns."""
    vectors = {
        name: array for name, array in numbers.items() if array.dtype.kind in "fiu" and array.ndim == 1 and len(array)
    }
    if not vectors:
        shapes = ", ".join(f"{f'{name!r} ' if name else ''}{_shape(array)}" for name, array in list(arrays.items())[:6])
        kind = "text" if all(array.dtype.kind in "US" for array in arrays.values()) else None
        if kind:
            raise Refused(f"{place} holds text and no real numbers; save it again after .astype(float)")
        if any(array.dtype.kind == "b" for array in arrays.values()):
            raise Refused(f"{place} holds true and false and no real numbers; save it again after .astype(float)")
        holds = "holds no points: it has" if not any(array.size for array in arrays.values()) else "has"
        raise Refused(f"{place} {holds} the shape {shapes}; points have one or two coordinates, [n, 2]")
    length = len(next(iter(vectors.values())))
    alike = {name: array for name, array in vectors.items() if len(array) == length}
    columns = [of_numbers(name or "1", array) for name, array in alike.items()]
    return Frame(columns, named="" not in alike, array=True)


def _labels(name, array, class_names) -> Column:
    values = array.tolist()
    if class_names and array.dtype.kind in "iu" and all(0 <= value < len(class_names) for value in values):
        values = [class_names[value] for value in values]
    elif array.dtype.kind == "S":
        values = [value.decode("utf-8", "replace") for value in values]
    column = of_cells(name, list(map(str, values)), ".", [])
    column.kind = "text"
    return column


def _are_words(array) -> bool:
    return array is not None and array.dtype.kind == "U" and array.ndim == 1 and len(array) > 0


def _shape(array) -> Sequence[int]:
    return list(array.shape)
