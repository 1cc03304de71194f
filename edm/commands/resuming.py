"""Where a run that is asked for goes on, and where it is written: --resume and --out of the commands that train."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from edm.base.errors import Refused
from edm.base.fields import SettingsError
from edm.files import saved

if TYPE_CHECKING:
    import argparse


def refuse_other_runs(folder: Path, checkpoint: Path | None) -> None:
    """Raises Refused if the folder holds a run that does not go on from this checkpoint."""
    last, there = saved.newest(folder), saved.checkpoints(folder)
    inside = checkpoint is not None and checkpoint.resolve().parent == (folder / "checkpoints").resolve()
    if there and last is None and not inside:
        raise Refused(f"{folder} already holds a run: {saved.described(saved.torn(folder))}; name another --out")
    if last and (checkpoint is None or last.resolve() != checkpoint.resolve()):
        raise Refused(
            f"{folder} already holds a run, up to {last.name}; continue it with --resume {shlex.quote(str(folder))}, "
            "or name another --out"
        )


def place(options: argparse.Namespace) -> tuple[Path | None, Path | None, list[Path]]:
    """(checkpoint to continue from or None, folder or None, newer checkpoints in its folder that are not whole)."""
    out = Path(options.out) if options.out else None
    if not options.resume:
        return None, out, []
    given = Path(options.resume)
    if not given.is_file():
        last = saved.newest(given)
        if last is None:
            raise SettingsError(f"--resume {saved.missing(given)}")
        return last, out or given, saved.torn(given)
    run, images = given.absolute().parent.parent, saved.number(given)
    own = images is not None and given.absolute().parent.name == "checkpoints"
    if own and (flaw := saved.flaw(given)):
        last = saved.newest(run)
        rest = (
            f"resume the run from {last.name} with --resume {shlex.quote(str(run))}"
            if last
            else "there is no other in its folder"
        )
        raise SettingsError(f"--resume {given}: it is not whole ({flaw}); {rest}")
    if not own and out is None and given.absolute().parent.name != "checkpoints":
        raise SettingsError(f"--resume {given}: it lies in no run's folder; say with --out where the run shall go on")
    return given, out or given.parent.parent, saved.torn(run, images) if own and images is not None else []


def new_folder(dataset: str) -> Path:
    """For a run that nobody has named: runs/DATASET-NUMBER."""
    number = 1
    while Path("runs", f"{dataset}-{number}").exists():
        number += 1
    return Path("runs", f"{dataset}-{number}")
