"""Arrays in .npz files that are larger than what one likes to hold: written row after row."""

from __future__ import annotations

import zipfile
from typing import IO, TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edm.base.types import Shape


def write(
    file: IO[bytes], name: str, rows: Iterable[np.ndarray], shape: Shape, *, dtype: str = "<f4",
    **others: np.ndarray | str,
) -> None:  # fmt: skip
    """An .npz file with the array `name` of that shape, as `rows` [n, …] give it part after part, and others.

    NumPy reads it like its own. Raises ValueError if there are more or fewer rows than the shape says.
    """
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
            header = {"descr": dtype, "fortran_order": False, "shape": tuple(shape)}
            np.lib.format.write_array_header_1_0(member, header)
            count = 0
            for part in rows:
                member.write(np.ascontiguousarray(part, dtype=dtype).tobytes())
                count += len(part)
        if count != shape[0]:
            raise ValueError(f"{count} rows were written of {shape[0]}")
        for title, value in others.items():
            with archive.open(f"{title}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asarray(value), allow_pickle=False)
