"""What the page's author mode and the server say to each other."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from app.messages.answers import Sent
from app.messages.requests import MOST_NAMES, MOST_TEXT, Message

_Document = Annotated[dict[str, Any], Field(max_length=MOST_NAMES)]
_Text = Annotated[str, Field(max_length=MOST_TEXT)]


class Draft(Message):
    """A lesson in the making, as a document."""

    lesson: _Document


class Share(Message):
    """A lesson that is to have a short address. page: the address of this page, as the browser has opened it."""

    lesson: _Document
    page: _Text


class LessonProblem(Sent):
    """See `edm.lessons.Problem`."""

    step: int | None
    field: str
    sentence: str


class Drafted(Sent):
    """What is wrong with a draft; of one that is good its word for links, and its text as a file. long: why that word
    is no link to be sent around."""

    problems: list[LessonProblem]
    word: str
    file: str
    long: str | None


class Shared(Sent):
    """name: for links to it on this server. address: of such a link for phones, and code its QR code, as an image's
    address. sentence: instead of them, why phones cannot reach it."""

    name: str
    address: str
    code: str | None
    sentence: str | None


class LessonMeasure(Sent):
    """See `edm.lessons.Measure`. numbers: what it asks for beside the state."""

    name: str
    title: str
    numbers: list[str]
