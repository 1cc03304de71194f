"""python -m app.work.thumbnails: what the models that ship draw, small, so that no page waits until they have drawn it.

Of other trained models it is drawn when a page asks for it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from functools import lru_cache
from typing import ClassVar

from app.figures.pack import float32, uint8
from app.work.jobs import Job
from app.work.shared import Work
from app.work.watch import Watch
from edm import models, runner
from edm.base.atomic import atomic
from edm.base.errors import Refused
from edm.data.classes import written
from edm.experiments.experiment import Experiment
from edm.sampling.loop import last
from edm.sampling.settings import Sampling

PLACE = models.FOLDER / "thumbnails.json"
POINTS, CLASS, STEPS = 220, "3", 12  # CLASS: where there is one of that name; else the first
SEEDS = {"emoji_edm": 13, "emoji_vp": 13}  # of a model, or its family, whose first sample is not its best


class Thumbnails(Job):
    """Thumbnails of models by their names, one after the other."""

    kind: ClassVar[str] = "thumbnails"

    models: tuple[str, ...]

    def compute(self, work: Work, watch: Watch) -> Iterator[tuple[dict, bool]]:
        for k, name in enumerate(self.models, 1):
            yield {"model": name, "thumbnail": _kept(name, work, watch)}, k == len(self.models)


def shipped(model: models.Model) -> str | None:
    """The thumbnail that ships with a model; None if the model does not ship, or is new."""
    ships = model.path and model.path.parent in (models.FOLDER, models.CASCADES)
    return _shipped().get(model.name) if ships else None


@lru_cache(maxsize=1)
def _shipped() -> dict[str, str]:
    return json.loads(PLACE.read_bytes()) if PLACE.exists() else {}


def of(samples) -> str:
    """Some samples as a thumbnail: points as float32, an image as 8 bits [C, H, W]."""
    return float32(samples[:POINTS]) if samples.ndim == 2 else uint8(samples[:1].numpy())


def label_of(model: models.Model) -> int | None:
    """The number of the class of which a thumbnail is."""
    if not model.classes:
        return None
    return next((k for k in model.drawn if model.class_names[k] == CLASS), model.drawn[0])


def drawn(model: models.Model, work: Work, watch: Watch) -> str:
    """What a trained model draws."""
    points = len(model.shape) == 1
    number = None if points else label_of(model)
    label = None if number is None else written(model.class_names[number])
    count = POINTS if points else 1
    sampling = Sampling(steps=STEPS, seed=SEEDS.get(model.family or model.name, 0))
    experiment = Experiment(model=model.name, count=count, label=label, sampling=sampling)
    with watch.turn():
        return of(last(runner.states(experiment, work.place(model, count), watch)).x.cpu())


def _kept(name, work, watch) -> str | None:
    """The thumbnail of the model of that name; None if there is none, or none that can be drawn."""
    try:
        model = models.load(name)
        return work.remember(("thumbnail", model.identity), lambda: drawn(model, work, watch))
    except (Refused, OSError) as error:
        logging.getLogger(__name__).warning("the model %s has no picture: %s", name, error)
        return None


def main() -> None:
    places, every = (models.FOLDER, models.CASCADES), (*models.every(), *models.upsamplers())
    found = [model for model in every if model.path and model.path.parent in places]
    text = json.dumps({model.name: drawn(model, Work("cpu"), Watch()) for model in found}, indent=1)
    with atomic(PLACE) as file:
        file.write(f"{text}\n".encode())
    print(PLACE)


if __name__ == "__main__":
    main()
