"""Writing files so that a reader never sees half of one, and a power cut takes back nothing that was reported."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from tempfile import NamedTemporaryFile
from typing import IO, TYPE_CHECKING

from edm.base.paths import expanded

if TYPE_CHECKING:
    from edm.base.types import StrPath


@contextmanager
def atomic(path: StrPath, durable: bool = True, check: Callable[[], object] | None = None) -> Iterator[IO[bytes]]:
    """A binary file beside `path` that takes its place when the block ends well, and vanishes when it does not.

    check: called when all is written, before it takes its place; what it raises undoes it.
    durable: wait until it is on the disk, and in its place, so that a power cut cannot undo it. Raises RuntimeError if
    the block has put another file in its place: some libraries do, and then this one is not what would be kept.
    """
    path = expanded(path)
    with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        try:
            yield file
            file.flush()
            if not _is(file, file.name):
                raise RuntimeError(f"{path} was written through a file of somebody else's, which nobody has synced")
            os.chmod(file.name, 0o644)
            if durable:
                os.fsync(file.fileno())
            if check is not None:
                check()
        except BaseException:
            _drop(file)
            raise
    os.replace(file.name, path)
    if durable:
        settle(path.parent)


def stamp(path: StrPath) -> str | None:
    """What tells a file from every other that was ever in its place, and changes with what it holds; None: no file."""
    try:
        found = os.stat(expanded(path))
    except OSError:
        return None
    return f"{found.st_ino:x}-{found.st_mtime_ns:x}-{found.st_size:x}"


def append(path: StrPath, line: bytes) -> None:
    """Add a whole line to a file, which need not be there yet, and wait until it is on the disk."""
    path = expanded(path)
    new = not os.path.exists(path)
    with open(path, "ab") as file:
        file.write(line)
        file.flush()
        os.fsync(file.fileno())
    if new:
        settle(path.parent)


def move(made: StrPath, path: StrPath) -> None:
    """Let a file, or a folder of files that are on the disk, take its place for good. Both are on one file system."""
    made, path = expanded(made), expanded(path)
    settle(made)
    os.replace(made, path)
    settle(path.parent)


def make(folder: StrPath) -> None:
    """A folder, with those that it is in, which a power cut does not take away again."""
    folder = expanded(folder)
    if not folder.is_dir():
        make(folder.parent)
        folder.mkdir(exist_ok=True)
        settle(folder.parent)


def settle(path: StrPath) -> None:
    """Wait until a file's contents, or the names in a folder, are on the disk; not every system can do the latter."""
    with suppress(OSError) if os.path.isdir(path) else nullcontext():
        number = os.open(
            path, os.O_RDONLY if os.path.isdir(path) else os.O_RDWR
        )  # Windows syncs only what may be written
        try:
            os.fsync(number)
        finally:
            os.close(number)


def _drop(file):
    """Remove a file that is open, before closing it may fail again on a full disk."""
    try:
        os.unlink(file.name)
    except FileNotFoundError:
        return
    except PermissionError:  # Windows removes none that is open
        with suppress(OSError):
            file.close()
        os.unlink(file.name)


def _is(file, name) -> bool:
    """Whether an open file is the one of that name."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.lstat(name))
    except FileNotFoundError:
        return False
