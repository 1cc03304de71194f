"""Lessons that are being written on the page: what is wrong with one, its link and its file, its short address."""

from __future__ import annotations

from typing import ClassVar
from urllib.parse import parse_qsl

from app.messages import authoring
from app.tabs.base import Answers, Event, House
from app.tabs.links import ONLY, opened_from
from app.transport import reach
from app.uploads.lessons import Shelf
from app.work.jobs import answer
from edm import lessons

_LONG = (
    "The link has {length:,} letters; some programs and proxies cut one of more than {most:,}. Give the short address, "
    "or the file."
)


class Authoring:
    events: ClassVar = {
        "draft": Event(authoring.Draft, authoring.Drafted, "draft"),
        "share": Event(authoring.Share, authoring.Shared, "share"),
    }

    def serve(self, house: House) -> Answers:
        shelf, room = Shelf(house.board.folder), house.room

        def answered(event, message, ticket, sender):
            if event == "draft":
                yield answer(drafted(message.lesson))
                return
            visitor = room.visitor(sender)
            room.check_share(visitor)
            key = shelf.put(lessons.parse(message.lesson), visitor.name)
            page, sentence = reach.reached(message.page, room.local)
            address = f"{page}?lesson={key}"
            code = None if sentence else reach.picture(address)
            yield answer({"name": key, "address": address, "code": code, "sentence": sentence})

        return answered


def drafted(document: dict) -> dict:
    """What is told of a draft (`app.messages.authoring.Drafted`)."""
    found = [{"step": one.step, "field": one.field, "sentence": one.sentence} for one in lessons.problems(document)]
    if found:
        return {"problems": found, "word": "", "file": "", "long": None}
    lesson = lessons.parse(document)
    unread = [(k, notice) for k, step in enumerate(lesson.steps) if (notice := _unread(step))]
    word = lessons.packed(lesson)
    long = _LONG.format(length=len(word), most=lessons.LONGEST_WORD) if len(word) > lessons.LONGEST_WORD else None
    return {
        "problems": [{"step": k, "field": "open", "sentence": notice} for k, notice in unread],
        "word": word,
        "file": lessons.written(lesson),
        "long": long,
    }


def _unread(step) -> str | None:
    """What of a step's picture, or of the controls that it shows, the page does not know."""
    only = [(ONLY, ",".join(step.only))] if step.only else []
    return opened_from([*parse_qsl(step.open, keep_blank_values=True), *only])["notice"]
