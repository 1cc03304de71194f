"""Lessons: which there are, what each of their steps says, and what comes of one."""

from __future__ import annotations

from typing import ClassVar

from app.messages import requests
from app.messages.lessons import Lesson, Revealed
from app.tabs.base import Answers, Event, House, experiment_of
from app.uploads.lessons import Shelf
from app.work.jobs import Job, answer
from app.work.reveals import Reveal
from app.work.together import Together
from edm import lessons


class Lessons:
    jobs: tuple[type[Job], ...] = (Reveal,)
    events: ClassVar = {
        "lesson": Event(requests.Lesson, Lesson, "lesson"),
        "reveal": Event(requests.Reveal, Revealed, "reveal"),
    }

    def serve(self, house: House) -> Answers:
        shelf, reveals = Shelf(house.board.folder), Together(house.pool)

        def answered(event, message, ticket, sender):
            if event == "lesson":
                return _lesson(shelf, message)
            return reveals.answers(Reveal(step=message.step, experiment=experiment_of(message.values)), ticket)

        return answered


def _lesson(shelf, message):
    if message.text is None:
        name, lesson = message.name, shelf.find(message.name)
    else:
        lesson = lessons.read(message.text)
        name = lessons.packed(lesson)
    yield answer({"name": name} | lesson.document(complete=True))


def listed() -> list[dict]:
    """Those that ship, for the page's list: name, title, about, paper, and of each step the control to try."""
    found = [(name, lessons.load(name)) for name in lessons.names()]
    return [
        {"name": name, "title": one.title, "about": one.about, "paper": one.paper}
        | {"tried": [step.control for step in one.steps]}
        for name, one in found
    ]


def measures() -> list[dict]:
    """What a question can ask for, for the page's menus."""
    return [{"name": one.name, "title": one.title, "numbers": one.numbers} for one in lessons.MEASURES.values()]
