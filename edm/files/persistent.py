"""The objects in the paper's published checkpoints, read as records (see `edm.base.pickles`): no code in a file runs.

A persistent object is pickled as a call with one dictionary: its class' name and source, and its attributes, among
them the arguments of its constructor. A network's layers, parameters and buffers are attributes as torch keeps them.
"""

from __future__ import annotations

import io
import math
import re
import struct
from collections.abc import Collection
from functools import cached_property
from typing import Any

import torch

from edm.base import pickles
from edm.base.pickles import Items, Record, Refused

_DAMAGED = (*pickles.DAMAGED, RuntimeError, AssertionError)  # what torch.load may raise
_FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
_STORAGE_PICKLES = 5  # of torch.save, before the contents: magic number, version, system, storage, keys
_STORAGE_OPCODES = (pickles.OPCODES | {"BINPERSID"}) - {"STACK_GLOBAL", "REDUCE", "NEWOBJ", "BUILD"}
_NUMBERS = {"f4": "<f", "f8": "<d", "i4": "<i", "i8": "<q"}
_MAX_LETTERS, _MAX_ITEMS = 200, 16  # of an argument


class _Persistent(Record):
    """arguments: ({type, class_name, state, module_src, …},)."""


class _Container(Record):
    """A layer of torch's own. state: its attributes."""


class _Parameter(Record):
    """arguments: (tensor, requires_grad, hooks)."""


class _Tensor(Record):
    """arguments: (storage, offset, size, stride, requires_grad, hooks)."""


class _Storage(Record):
    """arguments: (what torch.save wrote,)."""

    @cached_property
    def numbers(self) -> torch.Tensor:
        """All of it, in one dimension."""
        match self.arguments:
            case (bytes(data),):
                self.arguments = ()  # so that they are freed
                return _numbers(data)
        raise Refused("one of its tensors is not stored as published files store them")


class _DType(Record):
    """arguments: ("f8", …); state: (version, byte order, …)."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        if not arguments or arguments[0] not in _NUMBERS:
            raise Refused(f"it has a NumPy type other than {', '.join(_NUMBERS)}")


class _Scalar(Record):
    """arguments: (dtype, bytes)."""


_LAYERS = {  # of torch's own; all but the first are Inception's
    "container": ("ModuleDict", "Sequential", "ModuleList"),
    "conv": ("Conv2d",),
    "batchnorm": ("BatchNorm2d",),
    "linear": ("Linear", "Identity"),
    "activation": ("ReLU",),
    "dropout": ("Dropout",),
    "pooling": ("AvgPool2d", "MaxPool2d", "AdaptiveAvgPool2d"),
}
_NAMES = {
    **{(f"torch.nn.modules.{place}", name): _Container for place, names in _LAYERS.items() for name in names},
    ("torch_utils.persistence", "_reconstruct_persistent_obj"): _Persistent,
    ("torch._utils", "_rebuild_parameter"): _Parameter,
    ("torch._utils", "_rebuild_tensor_v2"): _Tensor,
    ("torch.storage", "_load_from_bytes"): _Storage,
    ("collections", "OrderedDict"): Items,
    ("dnnlib.util", "EasyDict"): Items,
    ("builtins", "set"): Record,  # so pickle's protocol 3 writes a set
    ("numpy", "dtype"): _DType,
    ("numpy.core.multiarray", "scalar"): _Scalar,
    ("numpy._core.multiarray", "scalar"): _Scalar,
}


def read(file: Any) -> Any:
    """What is in a published checkpoint, a binary file. Raises Refused that says why not, as do all here."""
    return pickles.read(file, _NAMES)


def described(value: Any, place: str) -> tuple[str, dict, dict]:
    """(class name, arguments of its constructor, attributes) of a persistent object.

    The arguments are numbers, words and short lists of them; attributes are as they are in the file (see `plain`).
    """
    match value:
        case _Persistent(arguments=({"type": "class", "class_name": str(name), "state": dict(state)},)):
            arguments = state.get("_init_kwargs", {})
            if state.get("_init_args") or not isinstance(arguments, dict):
                raise Refused(f"{place} was made with arguments that have no names, unlike those of published files")
            return name[:_MAX_LETTERS], {_name(key): plain(key, value) for key, value in arguments.items()}, state
    raise Refused(f"{place} is not an object of the kind that published files hold")


def plain(name: str, value: Any, nested: bool = False) -> Any:
    """A number, a word, or a short list of them: nothing that takes long to compare or to print."""
    match value:
        case None | bool() | int() | float():
            return value
        case str() if len(value) <= _MAX_LETTERS:
            return value
        case list() | tuple() if len(value) <= _MAX_ITEMS and not nested:
            return [plain(name, item, nested=True) for item in value]
        case _Scalar(arguments=(_DType(arguments=(kind, *_), state=(_, "<", *_)), bytes(data))):
            return struct.unpack(_NUMBERS[kind], data)[0]
    raise Refused(f"its argument {_name(name)} is neither a number, nor a word, nor a short list of them")


def tensors(root: Any, but: Collection[str] = ()) -> dict[str, torch.Tensor]:
    """The parameters and buffers of a persistent object and of all its layers, by name; views of what the file holds.

    but: what is left out of each layer. Every layer is visited once, so that one that holds itself does not lead in
    circles.
    """
    found, seen, pending = {}, set(), [("", root)]
    while pending:
        prefix, layer = pending.pop()
        *values, children = _attributes(layer, prefix)
        if id(layer) in seen:
            raise Refused(f"its layer {prefix!r:.80} is in it twice")
        seen.add(id(layer))
        for key, value in (item for group in values for item in group.items() if item[1] is not None):
            if key not in but:
                found[prefix + _name(key)] = _tensor(value, prefix + key)
        pending += [(f"{prefix}{_name(key)}.", child) for key, child in children.items() if child is not None]
    return found


def _attributes(layer, name) -> list[dict]:
    """Its parameters, buffers and layers."""
    match layer:
        case _Persistent(arguments=({"state": dict(state)},)) | _Container(state=dict(state)):
            groups: list[Any] = [state.get(group) for group in ("_parameters", "_buffers", "_modules")]
            if all(isinstance(group, dict) for group in groups):
                return groups
    raise Refused(f"its layer {name!r:.80} is not of the kind that published files hold")


def _name(key) -> str:
    if not isinstance(key, str) or len(key) > _MAX_LETTERS:
        raise Refused("it has an argument, a tensor or a layer without a proper name")
    return key


def _tensor(value, name) -> torch.Tensor:
    match value:
        case _Parameter(arguments=(_Tensor() as value, *_)):
            pass
    match value:
        case _Tensor(arguments=(_Storage() as storage, int(offset), tuple(size), tuple(stride), *_)):
            return _view(storage.numbers, offset, size, stride, name)
    raise Refused(f"its {name!r:.80} is not a tensor of the kind that published files hold")


def _view(numbers, offset, size, stride, name):
    steps = list(zip(size, stride, strict=False))
    proper = len(size) == len(stride) and all(type(n) is type(step) is int and n > 0 <= step for n, step in steps)
    if not proper or offset < 0:
        raise Refused(f"its tensor {name!r:.80} has a size that no tensor has")
    # The second of the two: a step of 0 could make a giant of one number
    if offset + sum((n - 1) * step for n, step in steps) >= len(numbers) or math.prod(size) > len(numbers):
        raise Refused(f"its tensor {name!r:.80} is larger than what is stored of it")
    return numbers.as_strided(size, stride, offset)


def _numbers(data) -> torch.Tensor:
    """The numbers in what torch.save wrote. Its pickles must be plain data, on which torch alone does not insist."""
    file = io.BytesIO(data)
    try:
        for _ in range(_STORAGE_PICKLES):
            for name, argument in pickles.opcodes(file, _STORAGE_OPCODES):
                if name == "GLOBAL" and not re.fullmatch(r"torch \w+Storage", argument):
                    raise Refused(f"it calls {argument!r:.120} in a tensor, which no such file needs")
                if name == "PROTO" and argument != 2:
                    raise Refused("one of its tensors is not stored as published files store them")
        storage = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except Refused:
        raise
    except _DAMAGED:
        raise Refused("one of its tensors is damaged; get the file again") from None
    if not isinstance(storage, torch.storage.TypedStorage) or storage.dtype not in _FLOATS:
        raise Refused("one of its tensors does not hold real numbers")
    return torch.empty(0, dtype=storage.dtype).set_(storage)
