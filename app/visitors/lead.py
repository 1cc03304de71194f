"""A class that a teacher leads: where its pages go, the question that is open, and what was answered to it.

All of it is in memory, and goes with the server. An answer is kept beside a number that says nothing of whoever gave
it but that it is theirs, so that another one of theirs takes its place.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from cachetools import LRUCache

from app.visitors import tally
from app.visitors.names import MOST_NAMES
from edm.base.errors import Refused

if TYPE_CHECKING:
    from app.visitors.room import Visitor
    from edm.lessons import Question

GRACE = 8.0  # seconds for which a class waits for the page that leads it, before it is let go
MOST_ANSWERS, MOST_ASKED, MOST_PAGES = 40, 200, 100  # kept of a visitor; questions; open pages of one name
_NOBODY = "log in first: reload the page"


@dataclass(eq=False)
class Page:
    """One that listens. owner: the number of whose it is. news: set when there is something to be told."""

    owner: bytes
    teacher: bool
    visit: str
    news: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True)
class Lead:
    """What a teacher's page shows. on: the class goes there. query: the address. place: lesson and step of `question`.
    move: another text for each place that the class is brought to."""

    visit: str = ""
    on: bool = False
    query: str = ""
    place: tuple[str, int] | None = None
    question: Question | None = None
    move: str = ""


@dataclass(frozen=True)
class Asked:
    """A question. round: another text each time it is asked again. shown: to all; reveal: with what comes of it."""

    round: str = ""
    shown: bool = False
    reveal: bool = False


class Class:
    """For one event loop; its memory is bounded."""

    def __init__(self):
        self._secret, self._pages, self._lead = secrets.token_bytes(16), [], Lead()
        self.answers: LRUCache = LRUCache(MOST_NAMES)  # owner -> {question: answer}
        self._asked: LRUCache = LRUCache(MOST_ASKED)  # question -> Asked
        self._counted: dict | None = None
        self._letting_go: asyncio.TimerHandle | None = None

    # who listens

    def join(self, visitor: Visitor, visit: str) -> Page:
        """A page begins to listen. Raises Refused."""
        page = Page(self._owner(visitor), visitor.teacher, visit)
        if sum(other.owner == page.owner for other in self._pages) >= MOST_PAGES:
            raise Refused(f"{MOST_PAGES} pages of your name are open; close some, then reload this one")
        self._pages.append(page)
        self._tell()
        return page

    def leave(self, page: Page) -> None:
        self._pages.remove(page)
        self._tell()

    def told(self, page: Page) -> dict:
        """What a page is told (`app.messages.classes.Told`): only a teacher's, how many are here and have answered."""
        lead, place = self._lead, self._lead.place
        asked = self._asked.get(_key(place), Asked())
        question = lead.question if page.teacher or asked.shown else None
        return {
            "teacher": page.teacher,
            "led": {"query": lead.query, "move": lead.move} if lead.on else None,
            "mine": lead.on and lead.visit == page.visit,
            "here": len({other.owner for other in self._pages if not other.teacher}) if page.teacher else None,
            "open": place and {"lesson": place[0], "step": place[1], "round": asked.round},
            "tally": self._tally(question) if question is not None else None,
            "shown": asked.shown,
            "reveal": asked.reveal,
        }

    # what a teacher does

    def lead(
        self,
        visitor: Visitor,
        visit: str,
        on: bool,
        query: str,
        place: tuple[str, int] | None,
        question: Question | None,
    ) -> None:
        """A teacher's page shows this. While one leads, what others show is passed over until they lead themselves.
        Raises Refused."""
        self._check(visitor, "lead the class")
        before = self._lead
        if before.on and before.visit != visit and not on:
            return
        same = on and before.on and before.query == query
        move = before.move if same else secrets.token_hex(6) if on else ""
        self._lead = Lead(
            visit, on, query if on else "", place if question else None, question if place else None, move
        )
        self._tell()

    def show(self, visitor: Visitor, do: str, reveal: bool = False) -> None:
        """Show the answers to all, "show", no longer, "hide", or ask anew, "again". Raises Refused."""
        self._check(visitor, "show the answers")
        key = _key(self._lead.place)
        if key is None:
            raise Refused("no question is open; go to a step that asks one")
        asked = self._asked.get(key, Asked())
        if do == "again":
            for answers in self.answers.values():
                answers.pop(key, None)
            self._asked[key] = Asked(secrets.token_hex(6))
        else:
            self._asked[key] = replace(asked, shown=do == "show", reveal=do == "show" and reveal)
        self._tell()

    # what students do

    def answer(self, visitor: Visitor, place: tuple[str, int], answer: float) -> bool:
        """A visitor's answer to a step's question. Returns whether it counts: a teacher's does not. Raises Refused."""
        owner, key = self._owner(visitor), _key(place)
        question = self._lead.question if key == _key(self._lead.place) else None
        found = tally.checked(answer, question)
        if visitor.teacher:
            return False
        answers = self.answers.setdefault(owner, {})
        answers.pop(key, None)
        answers[key] = found
        if len(answers) > MOST_ANSWERS:
            del answers[next(iter(answers))]
        self._tell()
        return True

    def _tally(self, question) -> dict:
        if self._counted is None:
            key = _key(self._lead.place)
            given = {owner: answers[key] for owner, answers in self.answers.items() if key in answers}
            here = {page.owner for page in self._pages if not page.teacher}
            found = list(tally.fitting(given.values(), question))
            self._counted = {
                "answered": len(found),
                "of": len(here | given.keys()),
                "bars": tally.bars(question, found),
            }
        return self._counted

    def _tell(self):
        """Something is otherwise: every page looks whether that concerns it."""
        self._counted = None
        there = not self._lead.visit or any(page.visit == self._lead.visit for page in self._pages)
        if there and self._letting_go is not None:
            self._letting_go.cancel()
            self._letting_go = None
        elif not there and self._letting_go is None:
            self._letting_go = asyncio.get_running_loop().call_later(GRACE, self._let_go)
        for page in self._pages:
            page.news.set()

    def _let_go(self):
        self._letting_go, self._lead = None, Lead()
        self._tell()

    def _check(self, visitor, what):
        self._owner(visitor)
        if not visitor.teacher:
            raise Refused(f"only the teacher can {what}; log in with the teacher's password")

    def _owner(self, visitor) -> bytes:
        if visitor.name is None:
            raise Refused(_NOBODY)
        return hashlib.blake2b(visitor.name.encode(), key=self._secret, digest_size=16).digest()


def _key(place) -> bytes | None:
    """Which question it is, in few bytes, whatever its lesson is called."""
    return place and hashlib.sha256(f"{place[1]} {place[0]}".encode(errors="surrogatepass")).digest()[:16]
