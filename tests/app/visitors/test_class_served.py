"""A class over real HTTP: what its pages are told while the teacher leads, and what a student cannot do."""

import pytest

from app.messages.requests import Message
from app.tabs import classes, opening
from app.visitors.room import Sender
from app.work.tickets import Ticket
from edm.base.errors import Refused
from tests import loop
from tests.app.conftest import TEACHER
from tests.asking import Visitor

ASK = {"kind": "choice", "text": "Which?", "choices": [{"text": "one"}, {"text": "other"}]}


@pytest.fixture
def people(classroom):
    """(the teacher, Anna), at one classroom."""
    return Visitor(client=classroom.login("Kim", TEACHER)), Visitor(client=classroom.login("Anna"))


def until(answers, condition):
    """The first body that is so."""
    return next(one["body"] for one in answers if condition(one["body"]))


def test_a_class_is_led_answers_and_is_let_go_when_the_teacher_s_page_is_closed(people):
    kim, anna = people
    with anna.said("class") as told:
        with kim.said("class") as desk:
            assert until(desk, lambda body: body["here"] == 1)["teacher"]
            # one that its address holds, of any making
            place = {"lesson": "made in class", "step": 3, "ask": ASK}
            kim.ask("lead", on=True, query="?lesson=made+in+class&step=3", **place)
            led = until(told, lambda body: body["led"])
            assert led["led"]["query"] == "?lesson=made+in+class&step=3" and led["tally"] is None
            for answer in (0, 1):
                assert anna.ask("predict", lesson="made in class", step=3, answer=answer) == {"counted": True}
            counted = until(desk, lambda body: body["tally"] and body["tally"]["bars"][1]["count"])
            assert [bar["count"] for bar in counted["tally"]["bars"]] == [0, 1]
            kim.ask("show", do="show")
            assert until(told, lambda body: body["tally"])["tally"]["answered"] == 1
        assert until(told, lambda body: body["led"] is None)["open"] is None  # after GRACE seconds


def test_a_student_leads_nobody(people):
    kim, anna = people
    with kim.said("class") as desk:
        until(desk, lambda body: body["teacher"])
        assert "only the teacher can lead" in anna.told("lead", on=True, query="?steps=3")[1]
        assert "only the teacher can show" in anna.told("show", do="show")[1]
        kim.ask("lead", on=False, query="", lesson="steps", step=1, ask=ASK)
        assert "one of the 2 choices" in anna.told("predict", lesson="steps", step=1, answer=5)[1]
        assert "answer" in anna.told("predict", lesson="steps", step=1, answer=None)[1]
        assert "kind" in kim.told("lead", on=True, query="", lesson="x", step=1, ask={"kind": "magic", "text": "x"})[1]
        assert "ask" in kim.told("lead", on=True, query="", ask={str(k): 0 for k in range(300)})[1]


def test_nobody_who_is_not_in_hears_of_it(classroom):
    with classroom.client() as client:
        for event in ("class", "lead", "show", "predict"):
            answer = client.post(f"/explorer-ask/{event}", json={"visit": "x", "on": True, "query": "", "do": "show"})
            assert answer.status_code == 401


def test_elsewhere_there_is_no_class(tab):
    assert opening.boot(tab.house)["classroom"] is False
    answers = classes.Classes().serve(tab.house)
    with pytest.raises(Refused, match="there is no class here; start the server with --classroom"):
        loop.items(answers("class", Message(), Ticket(), Sender(None, None, "x")))
