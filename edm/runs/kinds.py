"""What can be done with a run's checkpoint in the background: the kinds of tasks, and how each is done."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edm.base.errors import Refused
from edm.base.fields import Settings, SettingsError
from edm.data import classes
from edm.evaluation.settings import PROTOCOLS, Evaluation
from edm.experiments import many
from edm.files import names as naming
from edm.runs import places
from edm.sampling.computing import Computing, prepared

if TYPE_CHECKING:
    from edm.files.checkpoints import Header
    from edm.runs.tasks import Task
    from edm.training.parallel import World

REPORT = "report.json"
_KEPT = "kept"  # what an evaluation goes on from


class Evaluating(Evaluation):
    """The evaluation: with what the model is compared, and how much of it."""

    computing: Computing = Computing()


@dataclass(frozen=True)
class Kind:
    """settings: what it is told. total: how many samples it takes. check: raises Refused for a model that it is not
    for. work: does it, in one process of a world, whose first one leaves report.json; yields (done, total). Closing it
    ends the work, and calling it again goes on."""

    name: str
    title: str
    settings: type[Settings]
    total: Callable[[Any], int]
    check: Callable[[Any, Header], object]
    work: Callable[[Task, Path, World], Iterator[tuple[int, int]]]


def _sample(task, model, world) -> Iterator[tuple[int, int]]:
    from edm.experiments import models
    from edm.files.albums import Album

    asked = task.settings
    name = models.register(model, naming.model(task.run, task.images))
    drawing = many.Drawing(asked.experiment(name), asked.computing, world.device)
    album = Album(task.folder / ("images.zip" if asked.zip else "images"))
    if not world.rank:
        album.prepare(drawing.document(), drawing.differs)
    complete = album.complete(asked.numbers)
    world.gather(complete)  # nobody writes before the place is ready
    if not complete:
        yield from many.images(drawing, asked.numbers, album, world.rank, world.size)
    if not world.rank:
        places.write(task.folder / REPORT, {"images": asked.count, "first": asked.first, "place": album.place.name})


def _makes_images(settings, header):
    if len(header.shape) != 3:
        raise Refused("this run's model makes points, not images: python -m edm sample writes them into a .csv")
    if settings.label is not None:
        names = header.class_names or tuple(map(str, range(header.classes)))
        if classes.find(settings.label, names) not in header.drawn:
            known = ", ".join(repr(names[k]) for k in header.drawn[:12]) or "none: the model has no classes"
            raise SettingsError(f"label = {settings.label!r:.60}: must be one of {known}", ("label",))


def _evaluate(task, model, world) -> Iterator[tuple[int, int]]:
    from edm.data.settings import data_learned
    from edm.evaluation import Progress, evaluation_of
    from edm.files import checkpoints
    from edm.training.loss import AT_ONCE

    asked, keep = task.settings, task.folder / _KEPT
    loaded = checkpoints.load(model, world.device)
    denoiser, batch = prepared(loaded, asked.computing, world.device), asked.computing.batch or AT_ONCE
    for event in evaluation_of(asked, denoiser, data_learned(loaded.header), world.device, batch, keep, world):
        if isinstance(event, Progress):
            yield event
        else:
            places.write(task.folder / REPORT, event.document())
            shutil.rmtree(keep, ignore_errors=True)


def _samples(settings) -> int:
    way = PROTOCOLS[settings.protocol]
    return (settings.count or way.count) * way.repeats


KINDS = {
    kind.name: kind
    for kind in (
        Kind("evaluate", "Evaluate", Evaluating, _samples, lambda settings, header: None, _evaluate),
        Kind("sample", "Sample many", many.Many, lambda settings: settings.count, _makes_images, _sample),
    )
}
