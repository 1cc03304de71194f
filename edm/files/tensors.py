"""Writing tensors as safetensors through a file of our own: the library writes to one of its own instead, which nobody
can sync, or to memory, which a large state fills twice.

    the header's length, 8 bytes │ header: JSON, with blanks to a multiple of 8 bytes │ the tensors' data, without holes

All numbers are little-endian. The library reads it (`safetensors.safe_open`).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import IO, Any

import torch

from edm.base.transfers import fetched

COPIED = 256 << 20  # bytes that come from a GPU in one copy, at most, unless they are of one tensor

NAMES = {
    torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16",
    torch.int64: "I64", torch.int32: "I32", torch.int16: "I16", torch.int8: "I8",
    torch.uint64: "U64", torch.uint32: "U32", torch.uint16: "U16", torch.uint8: "U8", torch.bool: "BOOL",
}  # fmt: skip


def write(file: IO[bytes], tensors: dict[str, torch.Tensor], metadata: dict[str, str]) -> None:
    """Write named tensors, on any device, to a binary file. From a GPU they come many in one copy, but never all of a
    large state at once.

    Raises TypeError for a dtype that the format has no name for.
    """
    names = sorted(tensors, key=lambda name: (-tensors[name].element_size(), name))  # each at a multiple of its size
    header: dict[str, Any] = {"__metadata__": metadata}
    end = 0
    for name in names:
        tensor = tensors[name]
        if tensor.dtype not in NAMES:
            raise TypeError(f"{name} is of {tensor.dtype}, for which safetensors has no name here")
        begin, end = end, end + tensor.numel() * tensor.element_size()
        header[name] = {"dtype": NAMES[tensor.dtype], "shape": [*tensor.shape], "data_offsets": [begin, end]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    file.write(len(text).to_bytes(8, "little"))
    file.write(text)
    for together in _groups([tensors[name] for name in names]):
        for tensor in fetched(together):
            file.write(_bytes(tensor))


def _groups(tensors) -> Iterator[list[torch.Tensor]]:
    """The tensors in their order, as many together as one copy may have."""
    together, size = [], 0
    for tensor in tensors:
        if together and size + tensor.nbytes > COPIED:
            yield together
            together, size = [], 0
        together.append(tensor)
        size += tensor.nbytes
    yield together


def _bytes(tensor) -> memoryview:
    """The values of a tensor on the CPU, in order, as little-endian bytes."""
    flat = tensor.contiguous().reshape(-1)
    data = flat.view(torch.uint8).numpy()
    if sys.byteorder == "big":
        data = data.reshape(-1, flat.element_size())[:, ::-1].copy()
    return data.data
