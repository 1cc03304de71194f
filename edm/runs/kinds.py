"""What can be done with a run's checkpoint in the background: the kinds of tasks, and how each is done."""

from __future__ import annotations

import shutil
import sys
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
from edm.runs import places, reading
from edm.sampling.computing import Computing, notes, prepared

if TYPE_CHECKING:
    from edm.files.checkpoints import Header
    from edm.training.parallel import World

REPORT = "report.json"
_KEPT = "kept"  # what an evaluation goes on from


class Evaluating(Evaluation):
    """The evaluation: with what the model is compared, and how much of it."""

    computing: Computing = Computing()


@dataclass(frozen=True)
class Task:
    """A task as its files tell. Times in seconds since 1970; what is not known is None.

    run: of which run; images: which of its checkpoints, by the images it had seen. state, device, place, sentence,
    remedies, owner, asked, started: as a run's (`edm.runs.Run`). done of total samples, rate: of them a second, left:
    seconds. result: what has come of it, as JSON data.
    """

    name: str
    kind: str
    run: str
    folder: Path
    images: int
    settings: Any
    state: str
    done: int = 0
    total: int | None = None
    rate: float | None = None
    left: float | None = None
    device: str | None = None
    place: str | None = None
    owner: str | None = None
    asked: float | None = None
    started: float | None = None
    sentence: str | None = None
    remedies: tuple[tuple[str, dict[str, str]], ...] = ()
    result: dict | None = None
    log: tuple[str, ...] = ()

    @property
    def over(self) -> bool:
        return self.state in reading.OVER

    @property
    def resumable(self) -> bool:
        return self.over and self.state != "finished"


@dataclass(frozen=True)
class Kind:
    """settings: what it is told. total: how many samples it takes. check: raises Refused for a model that it is not
    for. work: does it, in one process of a world, whose first one leaves report.json; yields (done, total). Closing it
    ends the work, and calling it again goes on. points: whether it is for models of points, too."""

    name: str
    title: str
    settings: type[Settings]
    total: Callable[[Any], int]
    check: Callable[[Any, Header], object]
    work: Callable[[Task, Path, World], Iterator[tuple[int, int]]]
    points: bool = True


def _sample(task, model, world) -> Iterator[tuple[int, int]]:
    from edm.experiments import models
    from edm.files.albums import Album

    asked = task.settings
    name = models.register(model, naming.model(task.run, task.images))
    drawing = many.Drawing(asked.experiment(name), asked.computing, world.device)
    album = Album(task.folder / ("images.zip" if asked.zip else "images"))
    if not world.rank:
        _say(drawing.model.denoiser, asked.computing, world)
        album.prepare(drawing.document(), drawing.differs)
    complete = album.complete(asked.numbers)
    world.gather(complete)  # nobody writes before the place is ready
    if not complete:
        yield from many.images(drawing, asked.numbers, album, world.rank, world.size)
    if not world.rank:
        places.write(task.folder / REPORT, {"images": asked.count, "first": asked.first, "place": album.place.name})


def _draws(settings, header):
    if header.classifies:
        raise Refused("this run learns a classifier, which draws no samples; python -m edm evaluate measures it")


def _makes_images(settings, header):
    _draws(settings, header)
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
    from edm.experiments import models, runner
    from edm.files import checkpoints
    from edm.training.loss import AT_ONCE

    asked, keep = task.settings, task.folder / _KEPT
    loaded = checkpoints.load(model, world.device)
    if not world.rank:
        _say(loaded, asked.computing, world)
    denoiser, batch = prepared(loaded, asked.computing, world.device), asked.computing.batch or AT_ONCE
    if asked.guidance != "none" or asked.clip:
        name = models.register(model, naming.model(task.run, task.images))
        denoiser = runner.denoiser(
            asked.experiment(name), device=world.device, wrap=lambda d: prepared(d, asked.computing, world.device)
        )
    for event in evaluation_of(asked, denoiser, data_learned(loaded.header), world.device, batch, keep, world):
        if isinstance(event, Progress):
            yield event
        else:
            places.write(task.folder / REPORT, event.document())
            shutil.rmtree(keep, ignore_errors=True)


def _say(denoiser, computing, world):
    """What is to be known of how it computes, into the task's log."""
    for note in notes(denoiser, computing, world.device):
        print(f"{note}.", file=sys.stderr)


def _samples(settings) -> int:
    way = PROTOCOLS[settings.protocol]
    return (settings.count or way.count) * way.repeats


KINDS = {
    kind.name: kind
    for kind in (
        Kind("evaluate", "Evaluate", Evaluating, _samples, _draws, _evaluate),
        Kind("sample", "Sample many", many.Many, lambda settings: settings.count, _makes_images, _sample, points=False),
    )
}
