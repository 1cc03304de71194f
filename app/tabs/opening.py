"""What a page asks first: what it needs to know from the start, and what its address says."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import ClassVar
from urllib.parse import parse_qsl

from app.messages import requests
from app.messages.boot import Address, Boot
from app.sentences import faults
from app.tabs import TABS, classes, controls, lessons, train, words
from app.tabs.authoring import Authoring
from app.tabs.base import Answers, Asked, Event, House
from app.tabs.links import dropped, opened_from
from app.uploads.lessons import Shelf
from app.work.jobs import answer
from edm.lessons import find, glossary


class Opening:
    events: ClassVar = {
        "boot": Event(requests.Message, Boot, "boot"),
        "open": Event(requests.Open, Address, "open"),
        "drop": Event(requests.Dropped, Address, "open"),
    }

    def serve(self, house: House) -> Answers:
        known, check, find = answer(boot(house)), partial(train.check, house), Shelf(house.board.folder).find

        def answers(event, message, ticket, sender):
            if event == "boot":
                yield known
                return
            if event == "drop":
                found = opened_from(dropped(message.settings), check)
            else:
                found = opened(message.query, check, find)
            yield answer(found | {"models": house.models.since()})

        return answers


def boot(house: House) -> dict:
    """What a page knows from the start, as JSON data (`app.messages.boot.Boot`)."""
    tabs = [{"name": tab.name, "title": tab.title, "kind": tab.kind, **tab.boot(house)} for tab in TABS]
    known = {"tabs": tabs, "lessons": lessons.listed(), "measures": lessons.measures(), "symbols": glossary.forms()}
    return controls.boot() | known | {"classroom": house.room.kind == "classroom"}


def opened(query: str, check: Callable[[dict], object] = dict, find: Callable = find) -> dict:
    """What an address says (see `app.tabs.links`): whatever that is, the page opens. check: of the Train tab's form.
    find: of the lesson that it names."""
    try:
        return opened_from(parse_qsl(query.removeprefix("?"), keep_blank_values=True), check, find)
    except Exception as error:
        return opened_from({}) | {"notice": faults.logged(error)}


def asked() -> list[Asked]:
    """All that answers the page: its tabs, and this."""
    return [*TABS, lessons.Lessons(), Authoring(), classes.Classes(), words.Words(), Opening()]
