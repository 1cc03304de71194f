"""A class that is led: where its pages go, whom it obeys, and when it is let go."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from app.visitors import lead
from app.visitors.lead import Class
from app.visitors.room import Visitor
from edm.base.errors import Refused
from edm.lessons import Question
from tests import loop

KIM, ANNA, BEN = Visitor("kim (teacher)", True), Visitor("anna", False), Visitor("ben", False)
CHOICE = Question(kind="choice", text="?", choices=({"text": "a"}, {"text": "b"}))
PLACE = ("steps", 1)


def led(story):
    """Run a story of a class, from its beginning."""

    async def told():
        await story(Class())

    loop.run(told())


def lead_there(room, query="?steps=9", on=True, place=None, question=None, visitor=KIM, visit="desk"):
    room.lead(visitor, visit, on, query, place, question)


def test_a_page_that_comes_late_is_told_where_the_class_is():
    async def story(room):
        room.join(KIM, "desk")
        early = room.join(ANNA, "a")
        assert room.told(early)["led"] is None
        lead_there(room)
        late = room.join(BEN, "b")
        assert room.told(late)["led"] == room.told(early)["led"] and room.told(late)["led"]["query"] == "?steps=9"

    led(story)


def test_a_place_is_gone_to_once_however_often_it_is_told():
    async def story(room):
        room.join(KIM, "desk")
        page = room.join(ANNA, "a")
        lead_there(room)
        first = room.told(page)["led"]["move"]
        lead_there(room)
        assert room.told(page)["led"]["move"] == first
        lead_there(room, "?steps=10")
        assert room.told(page)["led"]["move"] != first

    led(story)


@pytest.mark.parametrize("do", ["lead", "show", "again"])
def test_only_the_teacher_leads_and_shows(do):
    async def story(room):
        room.join(KIM, "desk")
        page = room.join(ANNA, "a")
        lead_there(room, place=PLACE, question=CHOICE)
        before = room.told(page)
        with pytest.raises(Refused, match=r"only the teacher can .*; log in with the teacher's password"):
            if do == "lead":
                lead_there(room, "?forged=1", visitor=ANNA, visit="a")
            else:
                room.show(ANNA, do)
        assert room.told(page) == before
        with pytest.raises(Refused, match="log in first"):
            room.show(Visitor(None, False), "show")

    led(story)


def test_the_class_is_let_go_by_the_teacher():
    async def story(room):
        room.join(KIM, "desk")
        page = room.join(ANNA, "a")
        lead_there(room)
        lead_there(room, on=False)
        assert room.told(page)["led"] is None

    led(story)


def test_the_class_is_let_go_once_the_page_that_leads_is_gone_but_not_by_a_short_absence(monkeypatch):
    monkeypatch.setattr(lead, "GRACE", 0.3)

    async def story(room):
        desk, page = room.join(KIM, "desk"), room.join(ANNA, "a")
        lead_there(room)
        room.leave(desk)
        await asyncio.sleep(0)
        desk = room.join(KIM, "desk")
        await asyncio.sleep(0.4)
        assert room.told(page)["led"]
        room.leave(desk)
        page.news.clear()
        await asyncio.wait_for(page.news.wait(), 60)
        assert room.told(page)["led"] is None

    led(story)


def test_another_page_of_a_teacher_takes_over_only_if_it_leads():
    async def story(room):
        desk, other = room.join(KIM, "desk"), room.join(KIM, "other")
        lead_there(room, place=PLACE, question=CHOICE)
        lead_there(room, "", on=False, visit="other")
        assert room.told(desk)["mine"] and room.told(desk)["open"]["lesson"] == "steps"
        lead_there(room, "?steps=4", visit="other")
        assert not room.told(desk)["mine"] and room.told(other)["mine"]

    led(story)


def test_pages_of_one_name_are_bounded(monkeypatch):
    monkeypatch.setattr(lead, "MOST_PAGES", 3)

    async def story(room):
        for k in range(3):
            room.join(ANNA, str(k))
        with pytest.raises(Refused, match="3 pages of your name are open"):
            room.join(ANNA, "x")
        room.join(BEN, "x")

    led(story)


@asynccontextmanager
async def asked(room, question=CHOICE):
    """A teacher's page and Anna's, the question open."""
    desk, page = room.join(KIM, "desk"), room.join(ANNA, "a")
    lead_there(room, on=False, place=PLACE, question=question)
    yield desk, page


def counts(room, desk):
    return [bar["count"] for bar in room.told(desk)["tally"]["bars"]]


def test_the_last_answer_of_each_visitor_counts_and_a_teacher_s_does_not():
    async def story(room):
        async with asked(room) as (desk, _):
            for visitor, answer in ((ANNA, 0), (ANNA, 1), (BEN, 1), (KIM, 0)):
                assert room.answer(visitor, PLACE, answer) == (visitor is not KIM)
            assert counts(room, desk) == [0, 2]
            assert (room.told(desk)["tally"]["answered"], room.told(desk)["tally"]["of"]) == (2, 2)

    led(story)


def test_students_see_the_answers_once_they_are_shown():
    async def story(room):
        async with asked(room) as (_, page):
            room.answer(BEN, PLACE, 1)
            assert room.told(page)["tally"] is None and room.told(page)["here"] is None
            room.show(KIM, "show", reveal=True)
            assert room.told(page)["tally"]["answered"] == 1 and room.told(page)["reveal"]
            room.show(KIM, "hide")
            assert room.told(page)["tally"] is None and not room.told(page)["reveal"]

    led(story)


def test_asking_again_forgets_this_question_s_answers_and_no_other_s():
    async def story(room):
        async with asked(room) as (desk, page):
            room.answer(ANNA, PLACE, 1)
            room.answer(ANNA, ("steps", 2), 1)
            before = room.told(page)["open"]["round"]
            room.show(KIM, "again")
            assert counts(room, desk) == [0, 0] and room.told(page)["open"]["round"] != before
            lead_there(room, on=False, place=("steps", 2), question=CHOICE)
            assert counts(room, desk) == [0, 1]
            with pytest.raises(Refused, match="no question is open"):
                lead_there(room, on=False)
                room.show(KIM, "again")

    led(story)


def test_an_answer_that_the_open_question_cannot_have_is_refused():
    async def story(room):
        async with asked(room):
            with pytest.raises(Refused, match=r"the answer 2.* must be one of the 2 choices"):
                room.answer(ANNA, PLACE, 2)
            with pytest.raises(Refused, match="log in first"):
                room.answer(Visitor(None, False), PLACE, 1)

    led(story)


def test_an_answer_given_before_the_teacher_comes_counts_if_the_question_can_have_it():
    async def story(room):
        room.answer(ANNA, PLACE, 1)
        room.answer(BEN, PLACE, 7.5)  # of a page that says something else
        async with asked(room) as (desk, _):
            assert counts(room, desk) == [0, 1]

    led(story)


def test_what_is_kept_is_bounded_and_names_nobody(monkeypatch):
    monkeypatch.setattr(lead, "MOST_ANSWERS", 5)

    async def story(room):
        for step in range(50):
            room.answer(ANNA, ("x" * 1000, step), 1)
        (owner,) = room.answers
        assert len(room.answers[owner]) == 5 and all(len(key) == 16 for key in room.answers[owner])
        for k in range(lead.MOST_NAMES + 10):
            room.answer(Visitor(f"v{k}", False), PLACE, 1)
        assert len(room.answers) == lead.MOST_NAMES
        assert b"anna" not in owner and len(owner) == 16

    led(story)
