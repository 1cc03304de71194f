"""Events of the page: one visitor's newest request wins, and errors become sentences."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Collection, Iterable
from contextlib import aclosing, suppress

from app.messages.requests import Message
from app.sentences import faults
from app.tabs.base import Asked, House
from app.transport.presence import Left
from app.visitors.room import Sender
from app.work.beside import beside
from app.work.tickets import Superseded, Ticket, Tickets
from edm.base.errors import Refused


class Wiring:
    """Answers what the page asks, by the names of events.

    asked: the tabs, and what else has events. house: what they share.
    """

    def __init__(self, asked: Iterable[Asked], house: House):
        self._key, self._tickets = house.room.key, Tickets()
        self._events = {}
        for one in asked:
            answers = one.serve(house)
            self._events |= {name: (event, answers) for name, event in one.events.items()}

    @property
    def names(self) -> Collection[str]:
        return self._events.keys()

    async def ask(self, name: str, document, sender: Sender) -> AsyncGenerator[bytes]:
        """The answers to an event, each a line of JSON; none to one that is overtaken.

        document: what the page has sent, of any making. Closing this ends the computing at its next evaluation.
        """
        (event, answers), ticket = self._events[name], Ticket()
        try:
            message = event.message.read(document)
            key = self._key(sender)
            ticket = self._tickets.take(sender.session_hash, event.topic, message.serial, key)
            head, found = f'{{"serial": {message.serial}, '.encode(), answers(name, message, ticket, sender)
            async with aclosing(beside(found)) as each:
                async for answer in each:
                    yield b"".join((head, memoryview(answer)[1:], b"\n"))
        except (Superseded, Left):
            return
        except Exception as error:  # whatever it is, the page must hear
            failed = {"serial": _serial(document), "finished": True, "error": faults.told(error)}
            yield f"{json.dumps(failed)}\n".encode()
        finally:
            ticket.end(Left)


def _serial(document) -> int:
    """The serial of a message that may be of any making, for its answer to find back."""
    with suppress(Refused):
        return Message.read(document).serial
    return 0
