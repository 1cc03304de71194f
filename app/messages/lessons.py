"""What the server sends back, continued: lessons, and what comes of their steps."""

from __future__ import annotations

from app.messages.answers import Sent


class LessonChoice(Sent):
    """An answer to choose. because: said to who chose it, where it is wrong. when: see `edm.lessons`."""

    text: str
    when: str
    because: str


class LessonQuestion(Sent):
    kind: str
    text: str
    choices: list[LessonChoice]
    truth: str
    unit: str


class LessonStep(Sent):
    """See `edm.lessons.Step`: what it says, what it opens, the controls that are shown, what is asked."""

    text: str
    open: str
    only: list[str]
    control: str
    states: dict[str, str]
    ask: LessonQuestion | None
    reveal: str
    claims: list[str]


class Lesson(Sent):
    name: str
    title: str
    about: str
    paper: str
    order: int
    steps: list[LessonStep]


class Revealed(Sent):
    """What comes of a step. truth: the number that was asked for. right: which choices are, from 0 on."""

    told: str
    truth: float | None
    right: list[int]
