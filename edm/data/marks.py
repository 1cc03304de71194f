"""Marks: 64 bits of a hash that tell a sample of a finite set from all others.

Of an image file its name in the set, its size and its ends; of a set in memory the place, the values and the label.
"""

from __future__ import annotations

import hashlib
import zlib
from typing import IO, TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch

ENDS = 1 << 14  # bytes of a file's beginning and of its end that are looked at: many images are no larger


def mark(*parts: object) -> int:
    """The mark of a sample that these tell from all others of its set."""
    text = "\0".join(map(str, parts)).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little")


def of_file(file: IO[bytes], name: str, label: int | None) -> int:
    """The mark of an open image file. label: where that is told apart from the name."""
    size = file.seek(0, 2) or file.tell()
    file.seek(0)
    check = zlib.crc32(file.read(ENDS))
    if size > ENDS:
        file.seek(max(ENDS, size - ENDS))
        check = zlib.crc32(file.read(ENDS), check)
    return mark(name, size, check, label)


def of_arrays(samples: np.ndarray, labels: np.ndarray | torch.Tensor | None, first: int = 0) -> np.ndarray:
    """The marks of samples [N, …] and labels [N] in memory. first: the number of the first of them."""
    rows = np.ascontiguousarray(samples).reshape(len(samples), -1)
    known = [None] * len(rows) if labels is None else np.asarray(labels).tolist()
    found = [
        mark(first + k, zlib.crc32(row.data), label) for k, (row, label) in enumerate(zip(rows, known, strict=True))
    ]
    return np.array(found, dtype="<u8")
