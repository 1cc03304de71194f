"""What a student's run may take: length, size, number, and the data it may name.

Read for the command line's options, so nothing heavy is imported before it is needed.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

from app.sentences.denials import UNLIMITED
from edm.base.errors import Refused

if TYPE_CHECKING:
    from edm.training.settings import Training

UPLOAD_BYTES = 256_000_000  # of anybody whose machine it is not
SPARE = 500_000_000  # bytes of the disk that an upload leaves free
MOST_SAMPLES, MOST_VALIDATED, MOST_REPORTS = 64, 256, 500
MOST_DRAWN = 5000  # of a checkpoint, at once


@dataclass(frozen=True)
class Allowance:
    """minutes, images: of one run; parameters: of its network; batch: images in a step; at_once: runs that are not
    over; runs: in all; upload: bytes."""

    minutes: float = 30
    images: int = 2_000_000
    parameters: int = 3_000_000
    batch: int = 512
    at_once: int = 1
    runs: int = 10
    upload: int = 64_000_000


def check_data(data, folder) -> None:
    """Data come from the project or from an upload, never from a path that a visitor names. Raises Refused."""
    from app.uploads import sets

    if data.download:
        raise Refused("nothing can be downloaded from the page of a classroom; choose data that are there")
    if data.path is not None and not sets.is_ours(data.path, folder):
        raise Refused("in a classroom no paths can be given; upload the data, or choose some that are there")


def check_files(settings) -> None:
    """The same of files that work on a checkpoint would read: none that a visitor names. Raises Refused."""
    for name in ("path", "inception", "reference_stats"):
        if getattr(settings, name, None) is not None:
            raise Refused(f"{name}: in a classroom no paths can be given; leave it out")


def check_work(settings, number: int, there) -> None:
    """Raises Refused if work on a checkpoint takes too long, or some is under way. number: of samples. there: all of
    the student's."""
    if number > MOST_DRAWN:
        raise Refused(f"{number:,} images: a student draws at most {MOST_DRAWN:,} at once; ask for fewer")
    if settings.computing.compile:
        raise Refused("compile = true: compiling is off in a classroom")
    busy = [f"{task.run}/{task.name}" for task in there if not task.over]
    if busy:
        raise Refused(f"{busy[0]} is under way; stop it first, or wait for its end")


def check_upload(most: int, size: int | None, own: bool) -> None:
    """size: bytes that somebody sends, as far as they are known. Raises Refused if they are more than `most`.
    own: it is their machine, and the disk's limit."""
    if size is None or size <= most:
        return
    if own:
        room = f"the disk has room for {most / 1e6:,.1f} MB more, and this upload has {size / 1e6:,.1f} MB: make room"
        raise Refused(f"{room}, or train on it where it lies, {UNLIMITED}")
    sizes = f"at most {most / 1e6:,.1f} MB; this one has {size / 1e6:,.1f} MB"
    raise Refused(f"an upload has {sizes}: shrink it, or bring less, or train on it {UNLIMITED}")


def room_on_disk(folder) -> int:
    """Bytes that uploads of the owner of a machine may still take, though its folder of runs is not there yet."""
    there = next(path for path in (Path(folder), *Path(folder).parents) if path.is_dir())
    return max(shutil.disk_usage(there).free - SPARE, 0)


def check_number(own, allowance: Allowance, more: int = 1) -> None:
    """own: the student's runs. Raises Refused if there cannot be so many more."""
    busy = [run.name for run in own if not run.over]
    if more > allowance.at_once:
        raise Refused(
            f"you can have {_count(allowance.at_once)} at once, and these are {more}; start one after the other"
        )
    if len(busy) + more > allowance.at_once:
        raise Refused(f"you can have {_count(allowance.at_once)} at once; stop {busy[0]!r} first, or wait for its end")
    if len(own) + more > allowance.runs:
        raise Refused(f"you can have {_count(allowance.runs)} in all; delete one first")


def _count(number: int) -> str:
    return "1 run" if number == 1 else f"{number} runs"


def check_size(settings: Training, allowance: Allowance) -> None:
    """Raises Refused if a run is too long, too large, or reports too often."""
    bounds = {
        "images": allowance.images,
        "batch": allowance.batch,
        "samples": MOST_SAMPLES,
        "validation": MOST_VALIDATED,
    }
    for name, most in bounds.items():
        if getattr(settings, name) > most:
            raise Refused(f"{name} = {getattr(settings, name):,}: a student's run has at most {most:,}")
    for name in ("tick", "checkpoint"):
        if settings.images / getattr(settings, name) > MOST_REPORTS:
            least = -(-settings.images // MOST_REPORTS)
            raise Refused(f"{name} = {getattr(settings, name):,}: in a classroom at least {least:,} for this length")
    if settings.compile:
        raise Refused("compile = true: compiling is off in a classroom")
    number = parameters(settings)
    if number > allowance.parameters:
        raise Refused(
            f"the network has {number:,} parameters, and a student's at most {allowance.parameters:,}; lower channels "
            "or blocks"
        )


def clamped(settings: Training, allowance: Allowance) -> Training:
    """The settings with lengths, numbers and reports within the allowance."""
    images, batch = min(settings.images, allowance.images), min(settings.batch, allowance.batch)
    minutes = None if images < settings.images else settings.minutes  # which might become more images than allowed
    least = -(-images // MOST_REPORTS)
    micro = settings.micro_batch if settings.micro_batch and batch % settings.micro_batch == 0 else None
    return settings.changed(
        images=images,
        minutes=minutes and min(minutes, allowance.minutes),
        batch=batch,
        micro_batch=micro,
        samples=min(settings.samples, MOST_SAMPLES),
        validation=min(settings.validation, MOST_VALIDATED),
        tick=max(settings.tick, least),
        checkpoint=max(settings.checkpoint, least),
        compile=False,
    )


def parameters(settings: Training) -> int:
    """The number of parameters of a run's network, without making it."""
    import torch

    from edm import checkpoints, networks
    from edm.training.state import header_of

    header = header_of(settings, _source(settings.data), 0.5, new=False)  # is it one that goes on? it does not matter
    with torch.device("meta"):
        return networks.parameters(checkpoints.build(header.network))


@lru_cache(maxsize=64)
def _source(data):
    """What a network must know of the data."""
    from edm.data import sources

    source = sources.open_source(data)
    return SimpleNamespace(shape=source.shape, classes=source.classes, class_names=source.class_names)
