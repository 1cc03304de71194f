"""A tab is one object: whoever adds one edits one list."""

from typing import ClassVar

import pytest

from app import page, schema
from app.messages.answers import Act
from app.messages.requests import Film
from app.tabs import TABS, jobs
from app.tabs.base import Event
from app.tabs.links import opened_from
from app.tabs.opening import asked
from app.tabs.wiring import Wiring
from app.work.jobs import answer
from app.work.measures import Measures
from tests.asking import said


class Shelf(Measures):
    """A kind of job of its own."""

    kind = "shelf"


class Lessons:
    name, title, kind, jobs = "lessons", "Lessons", "lessons", (Shelf,)
    events: ClassVar = {"turn": Event(Film, Act, "page")}

    def boot(self, house):
        return {"minutes": 3.0}

    def serve(self, house):
        return lambda event, message, ticket, sender: (answer({"do": event, "runs": [name]}) for name in [message.run])


@pytest.fixture
def added():
    TABS.append(Lessons())
    yield TABS[-1]
    TABS.pop()


def test_a_new_tab_is_on_the_page_in_the_address_and_in_the_schema(added, tab):
    told = {"name": "lessons", "title": "Lessons", "kind": "lessons", "minutes": 3.0}
    assert page.boot(tab.house)["tabs"][-1] == told
    assert opened_from({"tab": "lessons"})["show"] == {"tab": "lessons", "name": "lessons", "values": {}}
    assert "turn: FilmRequest;" in schema.declarations() and "turn: Act;" in schema.declarations()
    assert jobs()["shelf"] is Shelf


def test_a_new_tab_is_answered(added, tab):
    answers = said(Wiring(asked(), tab.house), "turn", {"serial": 3, "run": "a", "images": []})
    assert list(answers) == [{"serial": 3, "finished": True, "body": {"do": "turn", "runs": ["a"]}}]


def test_of_an_address_that_names_no_tab_the_first_is_shown(added):
    assert opened_from({"tab": TABS[0].name}) == opened_from({})
