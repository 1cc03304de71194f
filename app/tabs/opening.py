"""What a page asks first: what it needs to know from the start, and what its address says."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import ClassVar
from urllib.parse import parse_qsl

from app.messages import requests
from app.messages.boot import Address, Boot
from app.sentences import faults
from app.tabs import TABS, controls, lessons, train, words
from app.tabs.base import Answers, Asked, Event, House
from app.tabs.links import dropped, opened_from
from app.work.jobs import answer
from edm.lessons import glossary


class Opening:
    events: ClassVar = {
        "boot": Event(requests.Message, Boot, "boot"),
        "open": Event(requests.Open, Address, "open"),
        "drop": Event(requests.Dropped, Address, "open"),
    }

    def serve(self, house: House) -> Answers:
        known = answer(boot(house))

        def answers(event, message, ticket, sender):
            if event == "boot":
                yield known
                return
            if event == "drop":
                found = opened_from(dropped(message.settings), partial(train.check, house))
            else:
                found = opened(message.query, partial(train.check, house))
            yield answer(found | {"models": house.models.since()})

        return answers


def boot(house: House) -> dict:
    """What a page knows from the start, as JSON data (`app.messages.boot.Boot`)."""
    tabs = [{"name": tab.name, "title": tab.title, "kind": tab.kind, **tab.boot(house)} for tab in TABS]
    return controls.boot() | {"tabs": tabs, "lessons": lessons.listed(), "symbols": glossary.forms()}


def opened(query: str, check: Callable[[dict], object] = dict) -> dict:
    """What an address says (see `app.tabs.links`): whatever that is, the page opens. check: of the Train tab's form."""
    try:
        return opened_from(parse_qsl(query.removeprefix("?"), keep_blank_values=True), check)
    except Exception as error:
        return opened_from({}) | {"notice": faults.logged(error)}


def asked() -> list[Asked]:
    """All that answers the page: its tabs, and this."""
    return [*TABS, lessons.Lessons(), words.Words(), Opening()]
