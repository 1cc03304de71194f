"""Lessons: which there are, what each of their steps says, and what comes of one."""

from __future__ import annotations

from typing import ClassVar

from app.messages import requests
from app.messages.lessons import Lesson, Revealed
from app.tabs.base import Answers, Event, House, experiment_of
from app.work.jobs import Job, answer
from app.work.reveals import Reveal
from edm import lessons
from edm.base.errors import Refused, shown


class Lessons:
    jobs: tuple[type[Job], ...] = (Reveal,)
    events: ClassVar = {
        "lesson": Event(requests.Lesson, Lesson, "lesson"),
        "reveal": Event(requests.Reveal, Revealed, "reveal"),
    }

    def serve(self, house: House) -> Answers:
        def answered(event, message, ticket, sender):
            if event == "lesson":
                return _lesson(message.name)
            return house.pool.answers(Reveal(step=message.step, experiment=experiment_of(message.values)), ticket)

        return answered


def _lesson(name):
    if name not in lessons.names():
        raise Refused(f"there is no lesson {shown(name)}; there are {', '.join(lessons.names())}")
    yield answer({"name": name} | lessons.load(name).document(complete=True))


def listed() -> list[dict]:
    """Those that ship, for the page's list: name, title, about, paper, and of each step the control to try."""
    found = [(name, lessons.load(name)) for name in lessons.names()]
    return [
        {"name": name, "title": one.title, "about": one.about, "paper": one.paper}
        | {"tried": [step.control for step in one.steps]}
        for name, one in found
    ]
