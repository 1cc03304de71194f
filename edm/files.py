"""Writing files so that a reader never sees half of one."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import NamedTemporaryFile


@contextmanager
def atomic(path, durable: bool = True, guard=None):
    """A binary file beside `path` that takes its place when the block ends well, and vanishes when it does not.

    guard: called when all is written, before it takes its place; what it raises undoes it.
    durable: wait until it is on the disk, and in its place, so that a power cut cannot undo it.
    """
    path = Path(path)
    with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        try:
            yield file
            file.flush()
            if durable:
                os.fsync(file.fileno())
            if guard is not None:
                guard()
        except BaseException:
            os.unlink(file.name)  # before closing, which may fail again on a full disk
            raise
    os.chmod(file.name, 0o644)
    os.replace(file.name, path)
    if durable:
        _settle(path.parent)


def _settle(folder):
    """Wait until the names in a folder are on the disk, where the system knows how to."""
    with suppress(OSError):
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
