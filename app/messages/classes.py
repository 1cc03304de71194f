"""What page and server say to each other in a classroom: where the class is, and what it has answered."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from app.messages.answers import Sent
from app.messages.requests import MOST_NAMES, MOST_TEXT, Message

_Text = Annotated[str, Field(max_length=MOST_TEXT)]
_Step = Annotated[int, Field(strict=True, ge=1, le=1000)]


class Lead(Message):
    """What a teacher's page shows. on: the class goes there. query: the address. ask: the question of the lesson's
    step, a document, where it has one."""

    on: bool
    query: _Text
    lesson: _Text | None = None
    step: _Step = 1
    ask: Annotated[dict[str, Any], Field(max_length=MOST_NAMES)] | None = None


class Show(Message):
    """What becomes of the answers. reveal: with what comes of the step."""

    do: Literal["show", "hide", "again"]
    reveal: bool = False


class Predict(Message):
    """An answer to the question of a lesson's step: a number, or which choice, from 0 on."""

    lesson: _Text
    step: _Step
    answer: Annotated[float, Field(allow_inf_nan=False)]


class Followed(Sent):
    """Where the class goes. move: another text for each place that it is brought to."""

    query: str
    move: str


class OpenQuestion(Sent):
    """The one that the teacher's page shows. round: another text each time that it is asked again."""

    lesson: str
    step: int
    round: str


class Bar(Sent):
    """Answers from low on and less than high; null: no end. Of a choice: its number twice."""

    low: float | None
    high: float | None
    count: int


class Tally(Sent):
    """answered, of: how many of the class."""

    answered: int
    of: int
    bars: list[Bar]


class Told(Sent):
    """What a page of a classroom is told, whenever it is otherwise. teacher: whose page it is. mine: this page leads.
    here: how many students are, for the teacher. tally: for the teacher, and for all once it is shown.
    reveal: shown with what comes of the step."""

    teacher: bool
    led: Followed | None
    mine: bool
    here: int | None
    open: OpenQuestion | None
    tally: Tally | None
    shown: bool
    reveal: bool


class Done(Sent):
    """counted: an answer is counted; a teacher's is not."""

    counted: bool = True
