"""What a page asks first: what its address says."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import ClassVar
from urllib.parse import parse_qsl

from app.messages import requests
from app.messages.boot import Address
from app.sentences import faults
from app.tabs import TABS, train
from app.tabs.base import Answers, Asked, Event, House
from app.tabs.links import opened_from
from app.work.jobs import answer


class Opening:
    events: ClassVar = {"open": Event(requests.Open, Address, "open")}

    def serve(self, house: House) -> Answers:
        def answers(event, message, ticket, sender):
            yield answer(opened(message.query, partial(train.check, house)) | {"models": house.models.since()})

        return answers


def opened(query: str, check: Callable[[dict], object] = dict) -> dict:
    """What an address says (see `app.tabs.links`): whatever that is, the page opens. check: of the Train tab's form."""
    try:
        return opened_from(parse_qsl(query.removeprefix("?"), keep_blank_values=True), check)
    except Exception as error:
        return opened_from({}) | {"notice": faults.logged(error)}


def asked() -> list[Asked]:
    """All that answers the page: its tabs, and this."""
    return [*TABS, Opening()]
