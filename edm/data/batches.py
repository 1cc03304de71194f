"""Arrays in pickles, such as CIFAR's batches, read as data (see `edm.base.pickles`): nothing in them is run.

The few NumPy names that describe an array stand for records of their arguments; everything else is refused.
"""

from __future__ import annotations

import io
import math
from typing import Any

import numpy as np

from edm.base import pickles
from edm.base.pickles import Encoded, Record


class Scalar(Record):
    """For one number of NumPy's."""


_CORES = ("core", "_core")  # of NumPy 1 and 2
NAMES: dict[tuple[str, str], type] = {
    ("numpy", "ndarray"): Record,
    ("numpy", "dtype"): Record,
    ("_codecs", "encode"): Encoded,
    **{(f"numpy.{core}.multiarray", "_reconstruct"): Record for core in _CORES},
    **{(f"numpy.{core}.numeric", "_frombuffer"): Record for core in _CORES},
    **{(f"numpy.{core}.multiarray", "scalar"): Scalar for core in _CORES},
}


def read(data: bytes) -> Any:
    """The plain data in a pickle; records stand in it for NumPy's objects. Raises `edm.base.pickles.Refused`, in words
    that follow upon a name of the file."""
    return pickles.read(io.BytesIO(data), NAMES, encoding="bytes")


def described(array: Any) -> tuple[Any, Any, Any, Any]:
    """(contents, dtype, shape, Fortran's order?) of an array's record, four times None of anything else."""
    match array:
        case Record(arguments=(_, _, _), state=(_, tuple(shape), Record() as dtype, order, raw)):
            return raw, dtype, shape, order
        case Record(arguments=(raw, Record() as dtype, tuple(shape), order)):
            return raw, dtype, shape, order
    return None, None, None, None


def plain(value: Any) -> Any:
    """The same with arrays [NumPy] for records of arrays of numbers, and text for bytes; None for other objects."""
    match value:
        case bytes():
            return value.decode("utf-8", "replace")
        case dict():
            return {plain(key) if isinstance(key, bytes) else key: plain(part) for key, part in value.items()}
        case list() | tuple():
            return type(value)(plain(part) for part in value)
        case Scalar(arguments=(Record() as dtype, bytes(raw))):
            found = _array(raw, dtype, (1,), False)
            return found[0].item() if found.size else None
        case Record():
            found = _array(*described(value))
            return found if found.size else None
    return value


def name_of(dtype: Record) -> str:
    """What a record of a dtype is called, with the order of its bytes: "u1", "<f4"."""
    name = dtype.arguments[0] if dtype.arguments else ""
    name = name.decode("latin1") if isinstance(name, bytes) else name
    order = dtype.state[1] if isinstance(dtype.state, tuple) and len(dtype.state) > 1 else "|"
    order = order.decode("latin1") if isinstance(order, bytes) else order
    return f"{order if order in ('<', '>') else ''}{name}" if isinstance(name, str) else ""


def _array(raw, dtype, shape, order) -> np.ndarray:
    """Of numbers; empty for what is none."""
    none = np.empty(0)
    if not isinstance(raw, bytes | bytearray) or not all(type(side) is int and side >= 0 for side in shape):
        return none
    try:
        kind = np.dtype(name_of(dtype))
    except (TypeError, ValueError):
        return none
    if kind.kind not in "uifb" or math.prod(shape) * kind.itemsize != len(raw):
        return none
    return np.frombuffer(raw, kind).reshape(shape, order="F" if order in (True, 1, "F", b"F") else "C")
