"""python -m tests.checked …: the app, with every message of its tabs held to its schema.

A message that is not as declared becomes a defect: the page is told so, and the log has its traceback.
"""

from __future__ import annotations

import sys
from contextlib import aclosing
from dataclasses import replace
from functools import cache

from pydantic import create_model

from app import schema
from app.__main__ import main
from app.tabs import TABS
from app.work.beside import beside


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

        async def checked(event, message, ticket, sender):
            async with aclosing(beside(answers(event, message, ticket, sender))) as found:
                async for answer in found:
                    schema.reply(self._tab.events[event].answer).validate_json(b'{"serial": 0, ' + answer[1:])
                    yield answer

        return checked


def check() -> None:
    """From here on the tabs of this process are checked."""
    TABS[:] = [Checked(tab) for tab in TABS]


if __name__ == "__main__":
    check()
    sys.exit(main())
