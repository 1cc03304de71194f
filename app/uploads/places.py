"""Where uploads lie, RUNS/.data. What is unfinished there begins with a dot, and goes when it is an hour old."""

from __future__ import annotations

import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from edm.base.atomic import make

FOLDER = ".data"
STALE = 3600.0  # seconds after which what nobody has finished is swept away


def swept(place: Path) -> None:
    """Make the folder, if it is not there, and remove from it what nobody has finished."""
    make(place)
    for old in place.glob(".*"):
        with suppress(OSError):  # another server was quicker
            if time.time() - old.stat().st_mtime > STALE:
                shutil.rmtree(old)


@contextmanager
def unfinished(place: Path) -> Iterator[Path]:
    """A directory for a set in the making, which is gone afterwards unless it was renamed."""
    swept(place)
    new = place / f".new-{uuid.uuid4().hex}"
    new.mkdir()
    try:
        yield new
    finally:
        shutil.rmtree(new, ignore_errors=True)
