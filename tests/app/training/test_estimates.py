"""What several ask for is done once, and nobody waits for longer than they want to."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.tabs.train import Once
from app.training import form
from app.training.estimates import Estimates
from app.work.tickets import Superseded, Tickets
from edm.base.errors import Refused
from edm.training.estimate import Estimate
from tests.app.training import answer, asked


class Slow:
    """Work that takes until it is let go."""

    def __init__(self):
        self.go, self.begun = threading.Event(), []

    def __call__(self, name="it"):
        self.begun.append(name)
        self.go.wait(10)
        return name


def begins(slow, number=1):
    while len(slow.begun) < number:
        time.sleep(0.001)


def test_an_estimate_that_thirty_wait_for_is_made_once():
    slow, estimates = Slow(), Estimates()
    with ThreadPoolExecutor(30) as visitors:
        waiting = [visitors.submit(estimates.get, "same", slow, 10) for _ in range(30)]
        begins(slow)
        slow.go.set()
        assert [one.result() for one in waiting] == ["it"] * 30
    assert estimates.get("same", slow, 0) == "it"
    assert slow.begun == ["it"]


def test_nobody_waits_for_longer_than_they_want_to_and_the_estimate_is_there_later():
    slow, estimates = Slow(), Estimates()
    assert estimates.get("one", slow, 0.05) is None
    assert slow.begun == ["it"]
    slow.go.set()
    assert estimates.get("one", slow, 10) == "it"
    assert slow.begun == ["it"]


def test_what_nobody_waits_for_any_more_is_not_begun():
    slow, estimates, tickets = Slow(), Estimates(), Tickets()
    with ThreadPoolExecutor(2) as visitors:
        first = visitors.submit(estimates.get, "first", lambda: slow("first"), 10)
        begins(slow)
        ticket = tickets.take("ada", "plan", 1)
        second = visitors.submit(estimates.get, "second", lambda: slow("second"), 10, ticket.check)
        tickets.take("ada", "plan", 2)
        with pytest.raises(Superseded):
            second.result()
        slow.go.set()
        assert first.result() == "first"
    assert estimates.get("third", lambda: slow("third"), 10) == "third"
    assert slow.begun == ["first", "third"]


def test_an_estimate_that_fails_is_tried_again():
    estimates = Estimates()
    with pytest.raises(Refused):
        estimates.get("one", refuse, 10)
    assert estimates.get("one", lambda: 5, 10) == 5


def refuse():
    raise Refused("it does not fit")


def test_what_is_asked_for_again_under_its_token_is_done_once_also_meanwhile():
    slow, once = Slow(), Once()
    with ThreadPoolExecutor(3) as visitors:
        asked = [visitors.submit(once.do, "ada", "token", slow) for _ in range(3)]
        begins(slow)
        assert once.do("ben", "token", lambda: "ben's own") == "ben's own"
        slow.go.set()
        assert [one.result() for one in asked] == ["it"] * 3
    assert once.do("ada", "token", slow) == "it" and slow.begun == ["it"]
    assert once.do("ada", "another", slow) == "it" and len(slow.begun) == 2
    assert once.do("ada", None, slow) == "it" and len(slow.begun) == 3


def test_what_was_refused_may_be_tried_again_under_its_token():
    once = Once()
    with pytest.raises(Refused):
        once.do("ada", "token", refuse)
    assert once.do("ada", "token", lambda: "done") == "done"


@pytest.mark.parametrize("token", ["", 7, "x" * 101, ["a"]])
def test_a_token_is_a_short_text(token):
    with pytest.raises(Refused, match="the token"):
        Once().do("ada", token, lambda: "never")


def test_a_start_that_a_page_asks_for_again_gives_one_run(tab, monkeypatch):
    monkeypatch.setattr(form, "estimate", lambda settings, device: Estimate(60.0, 1, 2, 100.0))
    message = {"do": "start", "values": {"data": "spiral", "images": "2000"}, "token": "pressed at noon"}
    with ThreadPoolExecutor(4) as pages:
        answers = [page.result() for page in [pages.submit(answer, tab, "act", **message) for _ in range(4)]]
    assert {tuple(told["runs"]) for told in answers} == {("spiral-1",)}
    assert answer(tab, "act", **message | {"token": "pressed again"})["runs"] == ["spiral-2"]
    pair = answer(tab, "act", **message | {"do": "contrast", "token": "both"})["runs"]
    assert answer(tab, "act", **message | {"do": "contrast", "token": "both"})["runs"] == pair
    assert len(tab.board.runs()) == 4


def test_a_start_does_not_wait_for_a_queue_of_estimates(tab, monkeypatch):
    slow = Slow()
    monkeypatch.setattr(form, "estimate", lambda settings, device: slow())
    monkeypatch.setattr(form, "PATIENCE", 0.05)
    try:
        assert answer(tab, "act", do="start", values={"data": "spiral", "minutes": "1"})["runs"] == ["spiral-1"]
        (first, _), (second, ended) = asked(tab, "plan", values={"data": "two_moons"})
        assert ended and first == second and '"cost": null' in first
    finally:
        slow.go.set()
