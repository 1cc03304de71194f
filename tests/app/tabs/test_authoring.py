"""Lessons that are written on the page, and links to lessons of any making."""

import json
import random
from types import SimpleNamespace

import pytest

from app.tabs.authoring import Authoring, drafted
from app.tabs.lessons import Lessons
from app.tabs.links import opened_from
from app.uploads.lessons import Shelf
from app.visitors.room import Room, Visitor
from edm import lessons
from edm.base.errors import Refused
from tests.app.tabs.asking import Lesson

STEP = {"text": "Look at ρ.", "open": "model=spiral&rho=3", "only": ["rho"]}
DRAFT = {"title": "A lesson", "steps": [STEP, {**STEP, "open": "model=spiral&rho=9"}]}
PAGE = "http://192.168.1.5:7860/"


def asked(tab, event, one=None, **message):
    one = one or Authoring()
    read = one.events[event].message.read({"serial": 0, **message})
    (said,) = one.serve(tab.house)(event, read, None, SimpleNamespace(username=None, client=None, session_hash="x"))
    return json.loads(said)["body"]


def test_a_draft_that_is_good_has_a_link_and_a_file():
    told = drafted(DRAFT)
    assert told["problems"] == [] and told["long"] is None
    assert lessons.find(told["word"]) == lessons.read(told["file"]) == lessons.parse(DRAFT)


def test_what_the_page_does_not_know_of_a_picture_is_told_at_its_step():
    told = drafted({**DRAFT, "steps": [STEP, {**STEP, "open": "rho=x", "only": ["ears"]}]})
    ((step, field, sentence),) = [(one["step"], one["field"], one["sentence"]) for one in told["problems"]]
    assert (step, field) == (1, "open") and "rho = 'x'" in sentence and "ears" in sentence


def test_a_link_that_some_would_cut_says_so():
    steps = [{**STEP, "text": random.Random(k).randbytes(1500).hex()} for k in range(10)]
    assert "some programs and proxies cut" in drafted({**DRAFT, "steps": steps})["long"]


def test_a_shared_lesson_opens_by_its_short_address(tab):
    told = asked(tab, "share", lesson=DRAFT, page=PAGE)
    assert told["address"] == f"{PAGE}?lesson={told['name']}" and told["sentence"] is None
    assert told["code"].startswith("data:image/svg+xml")
    find = Shelf(tab.board.folder).find
    opened = opened_from({"lesson": told["name"], "step": "2"}, find=find)
    assert opened["values"]["sampling"]["rho"] == 9 and opened["controls"]["only"] == ["rho"]
    assert opened["lesson"] == {"name": told["name"], "step": 2} and opened["notice"] is None
    assert asked(tab, "lesson", Lessons(), name=told["name"])["title"] == "A lesson"


def test_a_full_link_opens_anywhere():
    word = drafted(DRAFT)["word"]
    for name in (word, f"{word}."):  # at the end of a sentence
        opened = opened_from({"lesson": name, "step": "2"})
        assert opened["lesson"] == {"name": word, "step": 2} and opened["values"]["sampling"]["rho"] == 9


def test_a_link_to_a_lesson_that_was_cut_says_so_and_opens_the_page():
    word = drafted(DRAFT)["word"]
    opened = opened_from({"lesson": word[:-9], "step": "2", "rho": "5"})
    assert opened["lesson"] is None and "it was cut" in opened["notice"]
    assert opened["values"]["sampling"]["rho"] == 5
    assert "no lesson is shared here" in opened_from({"lesson": "s-aaaaaaaa"}, find=Shelf("nowhere").find)["notice"]


def test_a_file_is_opened_as_a_lesson(tab):
    told = asked(tab, "lesson", Lessons(), text=drafted(DRAFT)["file"])
    assert lessons.find(told["name"]) == lessons.parse(DRAFT)
    with pytest.raises(Refused, match="tag"):
        asked(tab, "lesson", Lessons(), text="title: !!python/name:os.system x")


def test_in_a_classroom_the_teacher_shares_and_where_nobody_may_do_anything_nobody(tab):
    tab.room = room = Lesson(tab.board.folder)
    with pytest.raises(Refused, match="the full link"):
        asked(tab, "share", lesson=DRAFT, page=PAGE)
    room.who = Visitor("eve (teacher)", True)
    key = asked(tab, "share", lesson=DRAFT, page=PAGE)["name"]
    tab.room = Room(tab.board.folder, local=False, password="x")
    with pytest.raises(Refused, match="--classroom"):
        asked(tab, "share", lesson=DRAFT, page=PAGE)
    assert asked(tab, "lesson", Lessons(), name=key)["title"] == "A lesson"  # which all may open


def test_a_lesson_in_which_something_is_wrong_is_not_shared(tab):
    with pytest.raises(Refused, match="title is missing"):
        asked(tab, "share", lesson={**DRAFT, "title": ""}, page=PAGE)
    with pytest.raises(Refused, match="address of this page"):
        asked(tab, "share", lesson=DRAFT, page="javascript:x")
