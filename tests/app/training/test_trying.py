"""Estimates are made in a process of their own, which leaves nothing behind."""

import multiprocessing
import threading
import time

import pytest

from app.training import form, trying
from app.training.estimates import Estimates, GivenUp, wanted
from app.work.tickets import Superseded, Tickets
from edm.base.errors import Refused
from edm.base.fields import SettingsError
from edm.training.estimate import Estimate
from tests.edm.runs import points


def elsewhere():
    """Processes that make estimates now."""
    return [one for one in multiprocessing.active_children() if one.name == "estimate"]


def test_an_estimate_is_made_elsewhere_and_its_process_ends():
    found = trying.estimate(points(batch=64), "cpu")
    assert found.rate > 0 and found.parts["processes"] > 0 and found.fits()
    assert elsewhere() == []


def test_what_is_refused_there_is_refused_here():
    with pytest.raises(Refused, match="cuda:99"):
        trying.estimate(points(), "cuda:99")
    with pytest.raises(SettingsError, match="does not take points") as error:
        trying.estimate(points(architecture={"network": "ddpmpp", "channels": 16}), "cpu")
    assert error.value.fields == ("network",)
    assert elsewhere() == []


def test_what_nobody_wants_any_more_is_ended():
    estimates, tickets, outcome = Estimates(), Tickets(), []

    def make():
        try:
            return trying.estimate(points(), "cpu")
        except GivenUp as error:
            outcome.append(error)
            raise

    ticket = tickets.take("ada", "plan", 1)
    threading.Timer(0.01, lambda: tickets.take("ada", "plan", 2)).start()
    with pytest.raises(Superseded):
        estimates.get("first", make, 10, ticket.check)
    due = time.monotonic() + 10
    while not outcome and time.monotonic() < due:
        time.sleep(0.01)
    assert outcome and elsewhere() == []
    assert estimates.get("first", lambda: wanted(), 10), "it can be asked for anew"


def test_where_the_process_is_killed_it_is_counted(monkeypatch):
    asked = []

    def honest(settings, device, trial):
        asked.append(trial)
        if trial:
            raise EOFError
        return Estimate(1.0, 2, 3, 4.0)

    monkeypatch.setattr(trying, "elsewhere", honest)
    assert trying.estimate(points(), "cpu").rate == 4
    assert asked == [True, False]


def test_a_plan_goes_on_without_an_estimate_that_was_given_up(monkeypatch):
    def given_up(settings, device):
        raise GivenUp

    monkeypatch.setattr(form, "estimate", given_up)
    plan = form.Former("nowhere").plan({"data": "spiral"})
    assert plan.cost is None and plan.settings.images > 0
