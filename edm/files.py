"""Writing files so that a reader never sees half of one."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import NamedTemporaryFile


@contextmanager
def atomic(path, durable: bool = True):
    """A binary file beside `path` that takes its place when the block ends well, and vanishes when it does not.

    durable: wait until it is on the disk, and in its place, so that a power cut cannot undo it.
    """
    path = Path(path)
    with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        try:
            yield file
            file.flush()
            if durable:
                os.fsync(file.fileno())
        except BaseException:
            os.unlink(file.name)  # before closing, which may fail again on a full disk
            raise
    os.chmod(file.name, 0o644)
    os.replace(file.name, path)
    if durable:
        _settle(path.parent)


def stamp(path) -> str | None:
    """What tells a file from every other that was ever in its place, and changes with what it holds; None: no file."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return f"{found.st_ino:x}-{found.st_mtime_ns:x}-{found.st_size:x}"


def _settle(folder):
    """Wait until the names in a folder are on the disk, where the system knows how to."""
    with suppress(OSError):
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
