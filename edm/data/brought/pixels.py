"""Tables whose columns are pixels, as Kaggle has MNIST: a picture a row, with its label in a column of its own."""

from __future__ import annotations

import gzip
import re
from typing import TYPE_CHECKING

import numpy as np

from edm.base.errors import Refused
from edm.data.brought.layouts import Role, channels_of_flat
from edm.data.brought.members import Member

if TYPE_CHECKING:
    from edm.data.brought import Limits
    from edm.data.brought.files import Files

ENDINGS = re.compile(r"\.(csv|tsv|txt)(\.gz)?$", re.IGNORECASE)
_LINE = 1 << 18  # letters of the first line; 12,289 numbers have fewer


def found_in(files: Files, name: str, limits: Limits) -> list[Member]:
    """The pictures and labels in a table; [] where its first line is not of as many numbers, or names, as pixels."""
    with files.open(name) as file:
        packed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        try:
            first = (gzip.GzipFile(fileobj=file) if packed else file).readline(_LINE).decode("utf-8-sig")
        except (OSError, EOFError, ValueError):
            return []
        separator = next((mark for mark in ",\t; " if mark in first), ",")
        words = [word.strip().strip('"') for word in first.strip().split(separator)]
        labels = next((k for k, word in enumerate(words) if Role(word).kind == "labels"), None)
        if labels is None and not channels_of_flat(len(words)):
            labels = 0
        if not channels_of_flat(len(words) - (labels is not None)):
            return []
        if files.size(name) > limits.table_bytes:
            raise Refused(f"{files.told(name)} is too large; a table has at most {limits.table_bytes >> 20:,} MB")
        named = any(re.fullmatch(r"[^\W\d].*", word) for word in words)
        file.seek(0)
        return _read(file, separator, named, labels, files, name, "gzip" if packed else None)


def _read(file, separator, named, labels, files, name, compression) -> list[Member]:
    import pandas as pd

    try:
        table = pd.read_csv(file, sep=separator, header=0 if named else None, compression=compression)
    except (ValueError, OSError, EOFError):  # a row of other length, letters of no encoding: a table of points says so
        return []
    pixels = table.drop(columns=table.columns[labels]) if labels is not None else table
    if not len(table) or not all(kind.kind in "iufb" for kind in pixels.dtypes):
        return []
    array = pixels.to_numpy()
    if array.dtype.kind == "i" and array.min() >= 0 and array.max() < 256:
        array = array.astype(np.uint8)
    told = files.told(name)
    found = [Member("images", name, told, array.shape, array.dtype, lambda: array)]
    if labels is not None:
        its = table[table.columns[labels]].to_numpy()
        its = its.astype(str) if its.dtype.kind not in "iufb" else its
        found.append(Member("labels", name, f"the labels in {told}", its.shape, its.dtype, lambda: its))
    return found
