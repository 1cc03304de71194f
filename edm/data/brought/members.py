"""The arrays in files, by name: their shapes and kinds of numbers by a look at headers, their values when asked for.

NumPy's .npy and .npz, LeCun's idx, and pickles and binary files as CIFAR has them; idx and pickles may be gzipped.
Nothing in a file is run: what would need that is told with its remedy.
"""

from __future__ import annotations

import gzip
import math
import re
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from edm.base import kinds_of_files, pickles
from edm.base.errors import Refused
from edm.data import batches

if TYPE_CHECKING:
    from edm.data.brought import Limits
    from edm.data.brought.files import Files

# What NumPy, zipfile and gzip raise for a file of any making; a header of NumPy's is read as an expression of Python's
BROKEN = (ValueError, EOFError, SyntaxError, TypeError, OverflowError, LookupError, RecursionError, MemoryError)
BROKEN += (tokenize.TokenError, zipfile.BadZipFile, zlib.error, gzip.BadGzipFile, NotImplementedError, RuntimeError)
BROKEN += (struct.error,)
_IDX = {8: "u1", 9: "i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
_CIFAR = {3073: (("labels", 10),), 3074: (("coarse_labels", 20), ("fine_labels", 100))}  # bytes of a record: its labels
PICKLE = re.compile(rb"\x80[\x02-\x05]")
MOST_PICKLED, MOST_NAMES = 1 << 32, 1 << 16
_LISTS = re.compile(r"(batches\.meta|label_names)\.txt$")


@dataclass(frozen=True, eq=False)
class Member:
    """An array. name: in its file, "" of one alone; file: its name; told: it, in a sentence. load() -> its values."""

    name: str
    file: str
    told: str
    shape: tuple[int, ...]
    dtype: np.dtype
    load: Callable[[], np.ndarray]

    @property
    def bytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize


def found_in(files: Files, name: str, limits: Limits) -> list[Member]:
    """The arrays in one file; [] where it is of no such kind. Raises Refused for damaged ones."""
    with files.open(name) as file, _whole(files.told(name)):
        begin, ending = file.read(4), name.lower().rpartition(".")[2]
        file.seek(0)
        if begin == b"\x93NUM":
            return _npy(files, name, file)
        if ending == "npz":
            return _npz(files, name, file)
        if ending == "bin" and (found := _binary(files, name)):
            return found
        if _LISTS.search(name):
            lines = [line.decode("utf-8", "replace").strip() for line in file.read(MOST_NAMES).splitlines()]
            return [_known("label_names", files, name, np.array([line for line in lines if line]))]
        if begin[:2] == b"\x1f\x8b":
            file = gzip.GzipFile(fileobj=file)
            begin = file.read(4)
            file.seek(0)
        if len(begin) == 4 and begin[:2] == b"\0\0" and begin[2] in _IDX and 1 <= begin[3] <= 4:
            return _idx(files, name, file, begin)
        if PICKLE.match(begin) and ending not in ("pt", "pth", "ckpt"):
            return _pickled(files, name, file, limits)
        if ending == "npy":
            what = kinds_of_files.described(file.read(kinds_of_files.BEGIN)) or "something else"
            raise Refused(f"{files.told(name)} is no array of NumPy's, but {what}; write it with numpy.save")
    return []


@contextmanager
def _whole(told: str) -> Iterator[None]:
    """What is wrong with a file is told as that."""
    try:
        yield
    except Refused:
        raise
    except BROKEN as error:
        raise Refused(
            f"{told} is damaged or cut off ({str(error) or type(error).__name__:.100}); get it anew"
        ) from None


def _header(file, told) -> tuple[tuple[int, ...], bool, np.dtype]:
    """(shape, Fortran's order?, dtype) of the .npy file that begins here."""
    version = np.lib.format.read_magic(file)
    reads = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    if version not in reads:  # which only names of fields need
        raise Refused(f"{told} is a structured array; save plain numbers: np.savez('set.npz', images=…, labels=…)")
    return reads[version](file)


def _npy(files, name, file) -> list[Member]:
    shape, fortran, dtype = _header(file, files.told(name))
    offset = file.tell()
    expected = offset + math.prod(shape) * dtype.itemsize
    if not dtype.hasobject and files.size(name) < expected:
        raise ValueError(f"it has {files.size(name):,} bytes of {expected:,}")
    path = files.path(name)

    def load():
        if path is not None and expected > offset:
            return np.memmap(path, dtype, "r", offset, shape, "F" if fortran else "C")
        with files.open(name) as again, _whole(files.told(name)):
            return np.lib.format.read_array(again, allow_pickle=False)

    return [Member("", name, files.told(name), shape, dtype, load)]


def _npz(files, name, file) -> list[Member]:
    found = []
    with zipfile.ZipFile(file) as archive:
        for entry in archive.infolist():
            if entry.filename.endswith(".npy"):
                with archive.open(entry) as part:
                    shape, _, dtype = _header(part, f"{entry.filename!r:.100} in {files.told(name)}")
                if not dtype.hasobject and entry.file_size < math.prod(shape) * dtype.itemsize:
                    raise ValueError(f"{entry.filename!r:.100} has {entry.file_size:,} bytes, too few for {shape}")
                found.append(_of_npz(files, name, entry, shape, dtype))
    return found


def _of_npz(files, name, entry, shape, dtype) -> Member:
    inside = entry.filename.removesuffix(".npy")
    told = f"{inside!r:.100} in {files.told(name)}"

    def load():
        with files.open(name) as file, _whole(told), zipfile.ZipFile(file) as archive:
            if entry.compress_type == zipfile.ZIP_STORED and (path := files.path(name)) is not None and shape:
                file.seek(entry.header_offset + 26)
                file.seek(entry.header_offset + 30 + sum(struct.unpack("<2H", file.read(4))))
                _, fortran, _ = _header(file, told)
                if math.prod(shape):
                    return np.memmap(path, dtype, "r", file.tell(), shape, "F" if fortran else "C")
            with archive.open(entry) as part:
                return np.lib.format.read_array(part, allow_pickle=False)

    return Member(inside, name, told, shape, dtype, load)


def _idx(files, name, file, begin) -> list[Member]:
    dtype, dimensions = np.dtype(_IDX[begin[2]]), begin[3]
    head = file.read(4 + 4 * dimensions)
    shape = struct.unpack(f">{dimensions}I", head[4:])
    size = math.prod(shape) * dtype.itemsize
    packed = isinstance(file, gzip.GzipFile)
    if not packed and files.size(name) != size + len(head):
        raise ValueError(
            f"its header says {'×'.join(map(str, shape))}, but {files.size(name) - len(head)} bytes follow"
        )

    def load():
        if not packed and size and (path := files.path(name)) is not None:
            return np.memmap(path, dtype, "r", len(head), shape)
        with files.open(name) as again, _whole(files.told(name)):
            data = _read(gzip.GzipFile(fileobj=again) if packed else again, len(head) + size)
            return np.frombuffer(data, dtype, offset=len(head)).reshape(shape)

    return [Member("", name, files.told(name), shape, dtype, load)]


def _read(file: IO[bytes] | gzip.GzipFile, size: int) -> bytes:
    data = file.read(size + 1)
    if len(data) != size:
        raise ValueError(f"it has {'more than ' if len(data) > size else f'{len(data):,} of '}{size:,} bytes")
    return data


def _binary(files, name) -> list[Member]:
    """CIFAR's binary files: labels and 3,072 bytes of pixels for each image."""
    size, path = files.size(name), files.path(name)
    for record, labels in _CIFAR.items():
        if not size or size % record:
            continue
        whole = np.memmap(path, np.uint8, "r") if path else np.frombuffer(files.contents(name, size), np.uint8)
        whole = whole.reshape(-1, record)
        if all(whole[:, k].max() < count for k, (_, count) in enumerate(labels)):
            found = [_known(what, files, name, whole[:, k]) for k, (what, _) in enumerate(labels)]
            return [*found, _known("data", files, name, whole[:, len(labels) :])]
    return []


def _known(what: str, files, name, array: np.ndarray) -> Member:
    """One that is read already."""
    told = f"{what!r:.100} in {files.told(name)}"
    return Member(what, name, told, array.shape, array.dtype, lambda: array)


def _pickled(files, name, file, limits) -> list[Member]:
    """Arrays, and lists of numbers or text, of a pickled dictionary, or of pairs as in mnist.pkl.gz."""
    most = min(limits.table_bytes, MOST_PICKLED)
    data = file.read(most + 1)
    if len(data) > most:
        raise Refused(f"{files.told(name)} unpacks to more than {most >> 20:,} MB, the limit for one pickle")
    try:
        known = batches.plain(batches.read(data))
    except pickles.Refused as error:
        raise Refused(
            f"{files.told(name)} is a pickle, which could run a program, and is read as data only: {error}; open it "
            "where you trust it, and save its arrays: np.savez('set.npz', images=…, labels=…)"
        ) from None
    found = []
    for key, value in _flattened(known):
        array = value if isinstance(value, np.ndarray) else _listed(value)
        if array is not None:
            found.append(_known(key, files, name, array))
    return found


def _flattened(known: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(known, dict):
        yield from ((str(key), value) for key, value in known.items())
    elif isinstance(known, list | tuple) and 0 < len(known) <= 3:
        pairs = all(isinstance(one, list | tuple) and len(one) == 2 for one in known)
        splits = {1: [""], 2: ["train", "test"], 3: ["train", "val", "test"]}[len(known)]
        for split, one in zip(splits, known, strict=True) if pairs else [("", known[:2])]:
            yield from ((f"{split}_{what}", part) for what, part in zip(("images", "labels"), one, strict=False))
    else:
        yield "", known


def _listed(value) -> np.ndarray | None:
    """A list of whole numbers, or of text, as an array; None for anything else."""
    if isinstance(value, list) and value and (all(type(v) is int for v in value) or all(type(v) is str for v in value)):
        return np.array(value)
    return None
