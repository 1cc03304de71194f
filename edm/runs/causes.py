"""Why a run's worker is gone that has left no word of its own: as one of its fellows has told, or its log."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from edm.base.devices import out_of_memory
from edm.base.errors import Refused
from edm.base.faults import fault
from edm.base.paths import expanded
from edm.runs import places
from edm.runs.failures import Failure, explain
from edm.runs.logs import since_its_beginning
from edm.training.settings import Training

if TYPE_CHECKING:
    from edm.base.types import StrPath


def tell(
    folder: StrPath, number: int, error: BaseException, settings: Training | None = None, share: int | None = None,
    checkpoint: Path | None = None,
) -> None:  # fmt: skip
    """Leave word, as one of several processes of which another one leads, why this one ends. The first one counts."""
    failure = explain(error, settings, share, checkpoint)
    if failure.reason not in ("lost", "stopped"):  # of which the others know as much
        with suppress(OSError):
            places.create(places.request(folder, number, "fellow"), vars(failure))


def told(folder: StrPath, number: int) -> Failure | None:
    """Why one of several processes has ended in the n-th beginning, if it has left word."""
    return Failure.parse(places.read(places.request(folder, number, "fellow")))


def found(folder: StrPath, number: int, status: dict, checkpoint: Path | None = None) -> Failure | None:
    """Why the worker of the n-th beginning is gone. status: the last that it has written, if any."""
    failure = told(folder, number)
    if failure or places.is_task(folder):
        return failure
    said = [line for line in since_its_beginning(folder) if "Warning" not in line]
    lines = [line for line in said if fault(line) or out_of_memory(RuntimeError(line))]
    if not lines:
        return None
    first = [line for line in lines if (known := fault(line)) is None or known.reason != "lost"]  # the rest lost it
    settings, others = None, status.get("others")
    with suppress(Refused):
        settings = Training.parse(places.read(expanded(folder, "config.json")))
    size = len(others) if isinstance(others, list) else 1
    return explain(
        RuntimeError((first or lines)[-1]), settings, settings and settings.batch // max(size, 1), checkpoint
    )
