"""What explains the page: its symbols, and what one is looking at."""

from __future__ import annotations

from typing import ClassVar

from app.instruments import INSTRUMENTS, sheets
from app.messages import requests, words
from app.tabs.base import Answers, Event, House
from app.work.jobs import answer
from edm.base.errors import Refused, shown
from edm.lessons import glossary


class Words:
    events: ClassVar = {
        "glossary": Event(requests.Message, words.Glossary, "glossary"),
        "sheet": Event(requests.Sheet, words.Explained, "sheet"),
    }

    def serve(self, house: House) -> Answers:
        def answers(event, message, ticket, sender):
            yield answer({"symbols": _symbols()} if event == "glossary" else _sheet(message.name))

        return answers


def _symbols() -> list[dict]:
    found = ((symbol, symbol.document(complete=True)) for symbol in glossary.symbols())
    return [{**document, "forms": list(symbol.written)} for symbol, document in found]


def _sheet(name) -> dict:
    if name not in sheets.names():
        raise Refused(f"there is no sheet about {shown(name)}; there are {', '.join(sheets.names())}")
    title = INSTRUMENTS[name].title if name in INSTRUMENTS else ""
    sheet = sheets.load(name).document(complete=True)
    return {**sheet, "title": title or sheet["title"]}
