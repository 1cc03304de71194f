"""Tensors by name in a file of torch.save, read as data: no code in it runs, and torch does not load it.

    since torch 1.6   a zip: …/data.pkl names the tensors and their storages, …/data/KEY holds the numbers of each
    before            pickles one after the other: a magic number, a version, the system, the tensors, the storages'
                      keys; then of each key how many numbers there are, 8 bytes, and these

What a tensor is, is known at once; its numbers are read when they are asked for.
"""

from __future__ import annotations

import io
import math
import mmap
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

import torch

from edm.base import pickles
from edm.base.errors import Refused
from edm.base.paths import expanded
from edm.base.pickles import Items, Record

if TYPE_CHECKING:
    from edm.base.types import StrPath

_MAX_PICKLE = 64 << 20  # bytes; that of a network of 600 tensors has 100,000
_MAGIC, _VERSION = 0x1950A86A20F9469CFC6C, 1001
_DAMAGED = (zipfile.BadZipFile, OSError, EOFError, RuntimeError, NotImplementedError)
_TORN = "it is cut off or damaged; get it again"


@dataclass(frozen=True)
class Saved:
    """A tensor in a file. read(): its numbers, a tensor of its own."""

    shape: tuple[int, ...]
    dtype: torch.dtype
    read: Callable[[], torch.Tensor]


class _Dict(Items):
    """An OrderedDict, to which torch gives a state: versions of its layers, which are not needed."""

    __slots__ = ()

    def __setstate__(self, state):
        pass


class _Tensor(Record):
    """arguments: (storage, offset, size, stride, …)."""


class _Parameter(Record):
    """arguments: (tensor, requires_grad, hooks)."""


class _Kind(Record):
    """A kind of storage: a class for each type of number. It is only named, and never made."""

    dtype: torch.dtype

    def __init__(self, *arguments):
        raise Refused("it makes a storage, which no such file needs")


_DTYPES = {
    "Float": torch.float32, "Double": torch.float64, "Half": torch.float16, "BFloat16": torch.bfloat16,
    "Long": torch.int64, "Int": torch.int32, "Short": torch.int16, "Char": torch.int8, "Byte": torch.uint8,
    "Bool": torch.bool,
}  # fmt: skip
_NAMES: dict[tuple[str, str], type] = {
    ("collections", "OrderedDict"): _Dict,
    ("torch._utils", "_rebuild_tensor_v2"): _Tensor,
    ("torch._utils", "_rebuild_tensor"): _Tensor,
    ("torch._utils", "_rebuild_parameter"): _Parameter,
    **{("torch", f"{name}Storage"): type(name, (_Kind,), {"dtype": dtype}) for name, dtype in _DTYPES.items()},
}


@dataclass(frozen=True)
class _Storage:
    """What a pickle says of a storage: `count` numbers under a key, from `offset` on."""

    key: str
    dtype: torch.dtype
    count: int
    offset: int = 0


def _storage(pid) -> _Storage:
    """What the name of a storage says: ("storage", kind, key, device, count[, (key of a view, offset, count)])."""
    match pid:
        case ("storage", type() as kind, str(key), str(), int(count), *view) if issubclass(kind, _Kind) and count >= 0:
            match view:
                case [] | [None]:
                    return _Storage(key, kind.dtype, count)
                case [(str(), int(offset), int(size))] if min(offset, size) >= 0 and offset + size <= count:
                    return _Storage(key, kind.dtype, count, offset)
    raise Refused("one of its tensors is not stored as torch stores them")


def tensors(path: StrPath) -> dict[str, Saved]:
    """The tensors of a state_dict, by name, as torch.save wrote it.

    Raises Refused, in words that follow upon a name of the file, for one that is damaged or cut off, and for one that
    holds anything else than tensors by name.
    """
    path = expanded(path)
    with open(path, "rb") as file:
        zipped = file.read(2) == b"PK"
        file.seek(0)
        root, bytes_of = _zipped(path) if zipped else _plain(file, path)
    if not isinstance(root, dict):
        raise Refused("it does not hold tensors by name")
    odd = [name for name, value in root.items() if not (isinstance(name, str) and isinstance(value, Record))]
    if odd or not root:
        held = ", ".join(f"{name!s:.30}" for name in odd[:4])
        raise Refused(f"it does not hold tensors by name alone, but {held or 'nothing'}: take the one of its weights")
    return {name: _saved(name, value, bytes_of) for name, value in root.items()}


def _saved(name, value, bytes_of) -> Saved:
    match value:
        case _Parameter(arguments=(_Tensor() as value, *_)):
            pass
    match value:
        case _Tensor(arguments=(_Storage() as storage, int(offset), tuple(size), tuple(stride), *_)):
            pass
        case _:
            raise Refused(f"its {name!r:.80} is no tensor")
    whole = [type(n) is int and n >= 0 for n in (*size, *stride)]
    if len(size) != len(stride) or not all(whole) or len(size) > 8 or offset < 0:
        raise Refused(f"its tensor {name!r:.80} has a size that no tensor has")
    last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    # The second of the two: a step of 0 could make a giant of one number
    if math.prod(size) and (last >= storage.count - storage.offset or math.prod(size) > storage.count):
        raise Refused(f"its tensor {name!r:.80} is larger than what is stored of it")

    def read():
        if not math.prod(size):
            return torch.empty(size, dtype=storage.dtype)
        numbers = torch.frombuffer(bytearray(bytes_of(storage)), dtype=storage.dtype)
        return numbers.as_strided(size, stride, storage.offset + offset)

    return Saved(tuple(size), storage.dtype, read)


def _zipped(path) -> tuple[Any, Callable[[_Storage], bytes]]:
    """(what the pickle in a zip holds, the bytes of a storage)."""
    try:
        archive = zipfile.ZipFile(path)  # open for as long as its tensors are asked for
        found = {info.filename: info for info in archive.infolist()}
        head = next((name for name in found if name.rpartition("/")[2] == "data.pkl"), None)
        if head is None:
            raise Refused("it is a zip without a data.pkl, which torch.save writes")
        if found[head].file_size > _MAX_PICKLE:
            raise Refused("it is more intricate than any such file")
        folder = head.removesuffix("data.pkl")
        if f"{folder}byteorder" in found and archive.read(f"{folder}byteorder").strip() != b"little":
            raise Refused("its numbers are in the order of bytes of another kind of machine")
        pickled = archive.read(head)
    except _DAMAGED:
        raise Refused(_TORN) from None

    def bytes_of(storage):
        info = found.get(f"{folder}data/{storage.key}")
        if info is None or info.file_size != storage.count * storage.dtype.itemsize:
            raise Refused(_TORN)
        if info.compress_type != zipfile.ZIP_STORED:
            raise Refused("its numbers are packed, which torch.save does not do; save it anew with torch")
        try:
            return archive.read(info)
        except _DAMAGED:
            raise Refused(_TORN) from None

    return pickles.read(io.BytesIO(pickled), _NAMES, stored=_storage), bytes_of


def _plain(file: IO[bytes], path) -> tuple[Any, Callable[[_Storage], bytes]]:
    """The same of a file as before torch 1.6."""
    storages: dict[str, _Storage] = {}

    def stored(pid):
        storage = _storage(pid)
        known = storages.setdefault(storage.key, storage)
        if (known.dtype, known.count) != (storage.dtype, storage.count):
            raise Refused("one of its tensors is not stored as torch stores them")
        return storage

    if pickles.read(file, {}) != _MAGIC or pickles.read(file, {}) != _VERSION:
        raise Refused("it is not a file of torch.save")
    system = pickles.read(file, {})
    if not isinstance(system, dict) or system.get("little_endian") is not True:
        raise Refused("its numbers are in the order of bytes of another kind of machine")
    root = pickles.read(file, _NAMES, stored=stored)
    keys = pickles.read(file, {})
    places, at = {}, file.tell()
    end = file.seek(0, 2)
    for key in keys if isinstance(keys, list) else ():
        storage = storages.get(key) if isinstance(key, str) else None
        if storage is None:
            raise Refused("it holds numbers of no tensor")
        file.seek(at)
        size = storage.count * storage.dtype.itemsize
        if int.from_bytes(file.read(8), "little") != storage.count or at + 8 + size > end:
            raise Refused(_TORN)
        places[key], at = at + 8, at + 8 + size
    if places.keys() != storages.keys():
        raise Refused(_TORN)

    def bytes_of(storage):
        with open(path, "rb") as again, mmap.mmap(again.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            begin = places[storage.key]
            return mapped[begin : begin + storage.count * storage.dtype.itemsize]

    return root, bytes_of
