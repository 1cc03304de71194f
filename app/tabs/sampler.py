"""The Sampler tab: pictures, their measures, the path of a particle, and what is taken away."""

from __future__ import annotations

from typing import ClassVar

from app.messages import answers, requests
from app.tabs.base import Answers, Event, House, experiment_of
from app.work.films import Film
from app.work.jobs import Job
from app.work.levels import Levels
from app.work.measures import Measures
from app.work.pictures import Picture, Window
from app.work.probes import Probe
from app.work.thumbnails import Thumbnails

ASPECTS = 0.1, 10.0


class Sampler:
    name, title, kind = "sampler", "Sampler", "sampler"
    jobs = (Picture, Measures, Levels, Probe, Film, Thumbnails)
    events: ClassVar = {
        "ask": Event(requests.Picture, answers.Picture, "main"),
        "askPinned": Event(requests.Picture, answers.Picture, "pinned"),
        "measure": Event(requests.Picture, answers.Measures, "main"),
        "measurePinned": Event(requests.Picture, answers.Measures, "pinned"),
        "levels": Event(requests.Levels, answers.Levels, "levels"),
        "probe": Event(requests.Probe, answers.Probe, "probe"),
        "take": Event(requests.Takeaway, answers.Taken, "take"),
        "thumbnails": Event(requests.Thumbnails, answers.Thumbnail, "thumbnails"),
    }

    def boot(self, house: House) -> dict:
        return {}

    def serve(self, house: House) -> Answers:
        return lambda event, message, ticket, request: house.pool.answers(_job(event, message), ticket)


def _job(event, message) -> Job:
    if event == "thumbnails":
        return Thumbnails(models=message.models)
    experiment = experiment_of(message.values)
    if event == "probe":
        return Probe(experiment=experiment, level=message.level, position=message.position)
    if event == "take":
        return Film(experiment=experiment, form=message.form, look=message.look)
    if event == "levels":
        return Levels(experiment=experiment)
    if event in ("measure", "measurePinned"):
        return Measures(experiment=experiment)
    return Picture(experiment=experiment, field=_window(message.field), moving=message.moving)


def _window(arrows) -> Window | None:
    if arrows is None:
        return None
    low, high = ASPECTS
    return Window(aspect=min(max(arrows.aspect or 1.0, low), high), follow=arrows.follow)
