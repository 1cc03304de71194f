"""The Sampler tab: pictures, their measures, the path of a particle, and what is taken away."""

from __future__ import annotations

from collections.abc import Generator
from typing import ClassVar

from app.messages import answers, requests
from app.tabs.base import Answers, Event, House, experiment_of
from app.work.films import Film
from app.work.jobs import Job, answer
from app.work.levels import Levels
from app.work.measures import Measures
from app.work.pictures import Picture, Window
from app.work.probes import Probe
from app.work.rivals import Rivals
from app.work.thumbnails import Thumbnails
from edm import diagnostics, models, runner

OF_EXPERIMENTS = {"measure": Measures, "measurePinned": Measures, "rivals": Rivals, "levels": Levels}
ASPECTS = 0.1, 10.0


class Sampler:
    name, title, kind = "sampler", "Sampler", "sampler"
    jobs = (Picture, Measures, Rivals, Levels, Probe, Film, Thumbnails)
    sheets = ("plane", "line", "images")
    events: ClassVar = {
        "ask": Event(requests.Picture, answers.Picture, "main"),
        "askPinned": Event(requests.Picture, answers.Picture, "pinned"),
        "measure": Event(requests.Picture, answers.Measures, "main"),
        "measurePinned": Event(requests.Picture, answers.Measures, "pinned"),
        "rivals": Event(requests.Picture, answers.Rivals, "main"),
        "steps": Event(requests.Steps, answers.Steps, "steps"),
        "levels": Event(requests.Levels, answers.Levels, "levels"),
        "probe": Event(requests.Probe, answers.Probe, "probe"),
        "take": Event(requests.Takeaway, answers.Taken, "take"),
        "thumbnails": Event(requests.Thumbnails, answers.Thumbnail, "thumbnails"),
    }

    def boot(self, house: House) -> dict:
        return {}

    def serve(self, house: House) -> Answers:
        def answered(event, message, ticket, sender):
            return _steps(message) if event == "steps" else house.pool.answers(_job(event, message), ticket)

        return answered


def _steps(message) -> Generator[bytes]:
    """Waits for nobody's turn: it counts."""
    experiment = experiment_of(message.values)
    sampling, cost = experiment.sampling.changed(sigmas=None), None
    if experiment.guidance != "none":
        model = models.of(experiment)

        def cost(sampling):
            return runner.path(experiment.model_copy(update={"sampling": sampling}), model).evaluations

    yield answer({"steps": diagnostics.steps_for(sampling, message.evaluations, cost)})


def _job(event, message) -> Job:
    if event == "thumbnails":
        return Thumbnails(models=message.models)
    experiment = experiment_of(message.values)
    if event == "probe":
        return Probe(experiment=experiment, level=message.level, position=message.position)
    if event == "take":
        return Film(experiment=experiment, form=message.form, look=message.look)
    if event in OF_EXPERIMENTS:
        return OF_EXPERIMENTS[event](experiment=experiment)
    return Picture(experiment=experiment, field=_window(message.field), moving=message.moving)


def _window(arrows) -> Window | None:
    if arrows is None:
        return None
    low, high = ASPECTS
    return Window(aspect=min(max(arrows.aspect or 1.0, low), high), follow=arrows.follow)
