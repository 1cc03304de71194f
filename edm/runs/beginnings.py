"""What the worker of a run's n-th beginning shall do. A run is its folder, so all of it stands there:

config.json                the run's settings
requests/<n>.start.json    what this beginning changes of them, and how it trains
requests/<n>.taken.json    the same, where it was asked for in a terminal that then trained it
checkpoints/               from the newest whole one it goes on
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edm.base import devices, flat
from edm.base.atomic import make
from edm.base.errors import Refused
from edm.base.paths import expanded
from edm.files import saved
from edm.runs import launchers, lease, places, reading, retries, surroundings
from edm.training.settings import Training

if TYPE_CHECKING:
    from edm.base.types import StrPath


@dataclass(frozen=True)
class Beginning:
    """checkpoint: from which it goes on; None: it begins. torn: newer ones, that are not whole. keep: so many of the
    newest checkpoints are kept, and, with `best`, the best; None: all. accept_data: though they are not those that the
    checkpoint has learned. note: what is to be known of it."""

    settings: Training
    checkpoint: Path | None = None
    torn: tuple[Path, ...] = ()
    device: str = "auto"
    keep: int | None = None
    best: bool = False
    accept_data: bool = False
    note: str = ""

    def write(self, folder: StrPath) -> int:
        """Make this process the worker of the run in a folder, new or over, and write there what it does: `read` brings
        that back. Returns its number. Raises ValueError if the run is running, or waits in a queue."""
        from edm.data.sources import placed

        asked = {"device": self.device, "keep": self.keep, "best": self.best, "accept_data": self.accept_data}
        asked |= surroundings.ours()
        origin = {} if self.checkpoint is None else {"checkpoint": str(self.checkpoint.absolute())}
        number = take(folder, asked | origin)
        lay_out(folder, self.settings.changed(data=placed(self.settings.data).model_dump()))
        return number


def read(folder: StrPath, number: int) -> Beginning:
    """The n-th beginning of the run in a folder. Raises Refused or OSError, with a sentence, for one that cannot be."""
    folder = expanded(folder)
    asked = places.read(places.request(folder, number, "start")) or places.read(places.request(folder, number, "taken"))
    origin = asked.get("checkpoint")
    checkpoint = Path(origin) if isinstance(origin, str) else saved.newest(folder)
    if checkpoint is None and saved.checkpoints(folder):
        raise Refused(saved.missing(folder))
    keep, device = asked.get("keep"), asked.get("device") or "auto"
    taken = places.read(places.request(folder, number, "taken"))
    if device == "auto":  # what that is was chosen when it was taken
        device = taken.get("place") or device
    settings = settings_of(folder, asked.get("changes") or {}, checkpoint)
    return Beginning(
        settings=settings,
        checkpoint=checkpoint,
        torn=tuple(saved.torn(folder)) if checkpoint else (),
        device=devices.option(device),
        keep=keep,
        best=asked.get("best", keep is not None),
        accept_data=asked.get("accept_data", "--accept-data" in asked.get("options", ())),  # as it was said before
        note=retries.sentence(settings, checkpoint) if "again" in taken else "",
    )


def settings_of(folder: StrPath, changes: dict | None = None, checkpoint: Path | None = None) -> Training:
    """The settings of the run in a folder with some fields changed, given as text or as a document.

    checkpoint: one of its own, which has them too, should config.json be lost. Raises SettingsError if they do not fit.
    """
    from edm.experiments.documents import merged, read

    document = places.read(expanded(folder) / "config.json")
    if not document:
        if checkpoint is None:
            name = expanded(folder).name
            raise Refused(f"the run {name!r} has lost its settings, and has no checkpoint yet; delete it")
        document = read(checkpoint, Training, "training")
    return Training.parse(merged(document, Training.owned(flat.unflatten(changes or {}, Training))))


def lay_out(folder: StrPath, settings: Training) -> None:
    """Make the folder of a run that begins, if need be, and all that is in one."""
    for part in ("requests", "checkpoints", "samples"):
        make(expanded(folder, part))
    places.write(expanded(folder, "config.json"), settings.document(complete=True))


def take(folder: StrPath, asked: dict) -> int:
    """Make this process the one worker of a run that is over or new; returns the number of its beginning.

    asked: what it shall do, for whoever reads. Raises ValueError if the run is running, or waits in a queue.
    """
    folder = expanded(folder)
    (folder / "requests").mkdir(parents=True, exist_ok=True)
    found, number = reading.read(folder, details=False), places.newest(folder) + 1
    if not found.over:
        raise Refused(f"the run in {folder} is {found.state}; stop it first: python -m edm runs stop {found.name}")
    lease.seize(found)
    if not places.create(places.request(folder, number, "taken"), {**launchers.claim(), **asked}):
        raise Refused(f"the run in {folder} has just been started by somebody else")
    handle = launchers.launcher_of(folder).own()
    places.create(places.request(folder, number, "worker"), {**handle, "time": time.time()})
    return number


def look(settings: Training, checkpoint: Path) -> None:
    """Raises OtherData if a run would go on with other data."""
    from edm.data.identity import OtherData
    from edm.data.sources import DataError, open_source
    from edm.data.split import divided
    from edm.files.checkpoints import read_header

    try:
        divided(open_source(settings.data), settings, read_header(checkpoint), checkpoint, False)
    except OtherData:
        raise
    except (DataError, OSError):
        return  # they may lie on the machine where it will run
