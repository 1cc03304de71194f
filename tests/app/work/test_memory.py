"""What takes a while and is not about one request alone is found out once, to its end, for all who ask."""

import threading
import time

import numpy as np
import pytest
import torch

from app.work import memory
from app.work.measures import Measures
from app.work.memory import Memory, Unwanted
from app.work.shared import Work
from app.work.slots import Slots
from app.work.threads import Threads
from app.work.tickets import Superseded, Ticket, Tickets
from app.work.watch import Watch
from edm import diagnostics
from edm.base.errors import Refused
from edm.diagnostics.errors import reference_evaluations
from edm.experiments.experiment import Experiment

SLOTS = Slots(2)


def test_what_is_known_weighs_no_more_than_it_may_and_what_alone_is_too_heavy_is_made_again():
    kept, made = Memory(values=64, megabytes=1), []
    for k in (0, 1, 2, 3, 0):
        kept.remember(k, lambda k=k: made.append(k) or {"x": [torch.zeros(400, 256)[:1]]})  # its storage is 0.4 MB
    assert made == [0, 1, 2, 3, 0]  # two fit in
    assert kept.remember(3, list) != []
    for _ in range(2):
        kept.remember("heavy", lambda: made.append("heavy") or np.zeros(1 << 18))
    assert made[5:] == ["heavy", "heavy"]
    for k in range(70):
        kept.remember(f"small {k}", int)
    assert kept.remember("small 5", lambda: "anew") == "anew"
    assert kept.remember("small 8", lambda: "anew") == 0


class Making:
    """Something that is made until it is told to end; `begun` and `ended` say how often."""

    def __init__(self, value="value", error=None):
        self.go, self.begun, self.ended = threading.Event(), 0, []
        self.value, self.error = value, error

    def __call__(self, watch):
        self.begun += 1
        try:
            while not self.go.wait(0.001):
                watch.check()
            if self.error:
                raise self.error
            self.ended.append("made")
            return self.value
        except Unwanted:
            self.ended.append("unwanted")
            raise


def asked(known, key, making, watch, found):
    """A thread that asks for it, and says what it got."""

    def ask():
        try:
            found.append(known.once(key, making, watch))
        except Exception as error:
            found.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    return thread


def until(condition):
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.001)


def test_it_is_made_once_for_all_who_ask_meanwhile_and_afterwards():
    known, making, found = Memory(), Making(), []
    threads = [asked(known, "key", making, Watch(Ticket(k), SLOTS), found) for k in range(5)]
    until(lambda: making.begun)
    making.go.set()
    for thread in threads:
        thread.join()
    assert known.once("key", making, Watch(Ticket("late"), SLOTS)) == "value"
    assert found == ["value"] * 5 and making.begun == 1


def test_who_is_superseded_waits_no_longer_and_finds_it_made_when_they_come_back():
    known, making, found, tickets = Memory(), Making(), [], Tickets()
    thread = asked(known, "key", making, Watch(tickets.take("anna", "main", 1), SLOTS), found)
    until(lambda: making.begun)
    tickets.take("anna", "main", 2)
    thread.join()
    assert isinstance(found[0], Superseded) and making.ended == []
    making.go.set()
    until(lambda: making.ended)
    assert known.once("key", making, Watch(Ticket("anna"), SLOTS)) == "value"
    assert making.begun == 1


def test_it_ends_once_nobody_has_waited_for_a_while_and_is_begun_anew_for_the_next(monkeypatch):
    monkeypatch.setattr(memory, "PATIENCE", 0.02)
    known, making, found, gone = Memory(), Making(), [], threading.Event()

    def check():
        if gone.is_set():
            raise Superseded

    asked(known, "key", making, Watch(Ticket("anna", (check,)), SLOTS), found)
    until(lambda: making.begun)
    gone.set()
    until(lambda: making.ended)
    making.go.set()
    assert known.once("key", making, Watch(Ticket("ben"), SLOTS)) == "value"
    assert making.ended == ["unwanted", "made"]


def test_it_ends_at_once_when_whoever_waited_asks_for_another_but_not_while_others_wait():
    known, first, second, found, gone = Memory(), Making("first"), Making("second"), [], threading.Event()

    def check():
        if gone.is_set():
            raise Superseded

    asked(known, "first", first, Watch(Ticket("anna", (check,)), SLOTS), found)
    other = asked(known, "first", first, Watch(Ticket("ben"), SLOTS), found)
    until(lambda: first.begun)
    gone.set()
    until(lambda: found)
    second.go.set()
    assert known.once("second", second, Watch(Ticket("anna"), SLOTS)) == "second"
    assert first.ended == [], "ben waits for it"
    first.go.set()
    other.join()
    assert first.ended == ["made"] and found[1] == "first"


def test_what_goes_wrong_is_told_to_all_who_wait_and_is_not_kept():
    known, found = Memory(), []
    making, again = Making(error=Refused("no such thing")), Making()
    threads = [asked(known, "key", making, Watch(Ticket(k), SLOTS), found) for k in range(3)]
    until(lambda: making.begun)
    making.go.set()
    for thread in threads:
        thread.join()
    again.go.set()
    assert [str(error) for error in found] == ["no such thing"] * 3
    assert known.once("key", again, Watch(Ticket("d"), SLOTS)) == "value"


def test_who_has_the_only_place_makes_it_rather_than_wait_for_who_would_need_that_place():
    known, slots = Memory(), Slots(1)
    watch = Watch(Ticket("anna"), slots)

    def make(watch):
        with watch.turn():
            return "value"

    with watch.turn():
        assert known.once("key", make, watch) == "value"


@pytest.fixture
def counted(monkeypatch):
    """Evaluations of each reference solution that was begun; each waits for `go` at its third."""
    begun, go, honest = [], threading.Event(), diagnostics.reference

    def reference(denoiser, *given):
        begun.append(0)
        k = len(begun) - 1

        class Counted(type(denoiser)):
            def __call__(self, x, sigma, labels=None):
                begun[k] += 1
                if begun[k] == 3:
                    go.wait(10)
                return super().__call__(x, sigma, labels)

        denoiser.__class__ = Counted
        return honest(denoiser, *given)

    monkeypatch.setattr(diagnostics, "reference", reference)
    return begun, go


def test_a_reference_that_newer_moves_supersede_is_solved_once_to_its_end(counted):
    begun, go = counted
    work, tickets = Work("cpu"), Tickets()
    pool, experiment = Threads(work), Experiment(count=8, sampling={"solver": "euler", "steps": 4})

    def measured(serial):
        job = Measures(experiment=experiment.changed(sampling={"rho": 3 + serial}))
        return list(pool.run(job, tickets.take("anna", "main", serial)))

    outcomes = []

    def moved(serial):
        try:
            outcomes.append(measured(serial))
        except Superseded:
            outcomes.append("superseded")

    for serial in (1, 2, 3):  # three moves, each of which overtakes the measures of the one before
        thread = threading.Thread(target=moved, args=(serial,))
        thread.start()
        until(lambda: begun and begun[0] >= 3)
        tickets.take("anna", "main", serial + 1)
        thread.join()
    assert outcomes == ["superseded"] * 3
    go.set()
    assert len(measured(5)) == 1
    assert begun == [reference_evaluations()]
