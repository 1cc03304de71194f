"""python -m tests.checked …: the app, with every message of its tabs held to its schema.

A message that is not as declared becomes a defect: the page is told so, and the log has its traceback.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import cache

from pydantic import create_model

from app import schema
from app.__main__ import main
from app.tabs import TABS


@cache
def strict(kind):
    """A request in which there is nothing but what is declared."""
    return create_model(kind.__name__, __base__=kind, __cls_kwargs__={"extra": "forbid"})


class Checked:
    """A tab between this server and its page."""

    def __init__(self, tab):
        self._tab = tab

    def __getattr__(self, name):
        return getattr(self._tab, name)

    @property
    def events(self):
        return {name: replace(event, message=strict(event.message)) for name, event in self._tab.events.items()}

    def serve(self, house):
        answers = self._tab.serve(house)

        def checked(event, message, ticket, request):
            for answer in answers(event, message, ticket, request):
                schema.reply(self._tab.events[event].answer).validate_json(b'{"serial": 0, ' + answer[1:])
                yield answer

        return checked


def check() -> None:
    """From here on the tabs of this process are checked."""
    TABS[:] = [Checked(tab) for tab in TABS]


if __name__ == "__main__":
    check()
    sys.exit(main())
