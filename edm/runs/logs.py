"""What a run's log tells: the last that its worker has said, where it has left no other word."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from edm.base.paths import expanded
from edm.runs.launchers import PROMPT

if TYPE_CHECKING:
    from edm.base.types import StrPath

LINES, BYTES = 20, 8192
_TOLD = "python -m edm"  # how a sentence to a person begins


def tail(path: StrPath, lines: int = LINES) -> tuple[str, ...]:
    """The last lines of a text file."""
    try:
        with open(expanded(path), "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - BYTES))
            return tuple(file.read().decode(errors="replace").splitlines()[-lines:])
    except OSError:
        return ()


def since_its_beginning(run: StrPath) -> tuple[str, ...]:
    """The last lines of a run's log that its newest worker has written."""
    lines = tail(expanded(run, "log.txt"), lines=BYTES)
    begun = max((i for i, line in enumerate(lines) if line.startswith(PROMPT)), default=-1)
    return lines[begun + 1 :]


def last_words(run: StrPath) -> str | None:
    """What a worker that never wrote a status has told the log, if it has told why it ends."""
    lines = since_its_beginning(run)
    told = [line.partition(": ")[2] for line in lines if line.startswith(_TOLD)]
    return told[-1] if told else lines[-1] if any(line.startswith("Traceback") for line in lines) else None
