"""Whose turn it is to compute: who has had the least lately."""

import threading
import time

import pytest

from app.work import slots
from app.work.numbers import plain
from app.work.pictures import Picture
from app.work.shared import Work
from app.work.slots import Slots
from app.work.tickets import Ticket
from app.work.watch import Watch
from edm.experiments.experiment import Experiment
from tests.app.work.kinds import KINDS


@pytest.fixture
def clock(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(slots.time, "monotonic", lambda: now[0])
    return now


def waits(turns, number):
    while turns.waiting < number:
        time.sleep(0.001)


def queued(turns, order, *visitors):
    """A thread for each visitor, which waits for a turn, says so, and lets it go."""

    def run(visitor):
        with turns.turn(visitor):
            order.append(visitor)

    threads = []
    for visitor in visitors:
        threads.append(threading.Thread(target=run, args=(visitor,)))
        before = turns.waiting
        threads[-1].start()
        waits(turns, before + 1)
    return threads


def test_who_has_computed_the_least_is_next_and_of_equals_who_came_first(clock):
    turns, order = Slots(1), []
    with turns.turn("greedy"):
        clock[0] += 3
    with turns.turn("modest"):
        clock[0] += 1
    with turns.turn("other"):
        threads = queued(turns, order, "greedy", "modest", "new", "newer")
    for thread in threads:
        thread.join()
    assert order == ["new", "newer", "modest", "greedy"]


def test_what_was_computed_long_ago_is_forgotten(clock):
    turns, order = Slots(1), []
    with turns.turn("once greedy"):
        clock[0] += 5
    clock[0] += 10 * slots.MEMORY
    with turns.turn("greedy now"):
        clock[0] += 0.5
    with turns.turn("other"):
        threads = queued(turns, order, "greedy now", "once greedy")
    for thread in threads:
        thread.join()
    assert order == ["once greedy", "greedy now"]


def test_a_place_is_given_up_at_an_evaluation_to_who_has_had_less(clock):
    turns, order = Slots(1), []
    with turns.turn("heavy"):
        (thread,) = queued(turns, order, "small")
        turns.breathe()
        assert order == [], "not before it has had its quantum"
        clock[0] += slots.QUANTUM + 0.1
        turns.breathe()
        order.append("heavy again")
        turns.breathe()
    thread.join()
    assert order == ["small", "heavy again"]


def test_a_visitor_does_not_give_way_to_their_own_requests_nor_to_those_who_have_had_more(clock):
    turns, order = Slots(1), []
    with turns.turn("greedy"):
        clock[0] += 9
    with turns.turn("ada"):
        threads = queued(turns, order, "ada", "greedy")
        clock[0] += 1
        turns.breathe()
        order.append("still ada")
    for thread in threads:
        thread.join()
    assert order[0] == "still ada"


def test_who_has_had_much_more_gives_way_at_the_next_evaluation(clock):
    turns, order = Slots(1), []
    turns.ledger.add("heavy", 2 * slots.QUANTUM)
    with turns.turn("heavy"):
        (thread,) = queued(turns, order, "small")
        turns.breathe()
        order.append("heavy again")
    thread.join()
    assert order == ["small", "heavy again"]


def behind(turns, order, visitor, spell=0.02):
    """A thread that wants a turn behind all others, says so when it has it, and lets it go."""

    def run():
        with turns.turn(visitor, spell):
            order.append(f"behind {visitor}")

    thread = threading.Thread(target=run)
    before = turns.waiting
    thread.start()
    waits(turns, before + 1)
    return thread


def test_what_nobody_looks_at_comes_after_all_pictures_and_gives_its_place_up_to_them(clock, monkeypatch):
    monkeypatch.setattr(slots, "LINGER", 0.0)
    turns, order = Slots(1), []
    turns.ledger.add("greedy", 5)
    with turns.turn("modest", 0.02):
        threads = queued(turns, order, "greedy")
        turns.breathe()
        assert order == [], "not before its spell is over"
        clock[0] += 0.03
        threads.append(behind(turns, order, "new"))
        turns.breathe()
        order.append("modest again")
    for thread in threads:
        thread.join()
    assert order[0] == "greedy"


def test_a_place_is_kept_for_a_picture_that_comes_back_for_it(clock):
    turns, order = Slots(1), []
    with turns.turn("ada"):
        thread = behind(turns, order, "ada")
    time.sleep(2 * slots.LINGER)  # until the other has looked whether it is its turn
    with turns.turn("ada"):
        order.append("ada again")
    clock[0] += 2 * slots.LINGER
    thread.join()
    assert order == ["ada again", "behind ada"]


def test_what_waits_behind_others_has_its_turn_after_a_while_whoever_else_comes(clock):
    turns, order = Slots(1), []
    with turns.turn("ada"):
        threads = [behind(turns, order, "patient")]
        clock[0] += 2 * slots.STARVED
        threads += queued(turns, order, "ada")
    for thread in threads:
        thread.join()
    assert order == ["behind patient", "ada"]


def test_all_places_are_used_and_a_thread_that_has_one_does_not_wait_for_another():
    turns, inside, go = Slots(2), [], threading.Event()

    def run(visitor):
        with turns.turn(visitor), turns.turn(visitor):
            inside.append(visitor)
            go.wait(10)

    threads = [threading.Thread(target=run, args=(visitor,)) for visitor in "abc"]
    for thread in threads:
        thread.start()
    waits(turns, 1)
    assert len(inside) == 2
    go.set()
    for thread in threads:
        thread.join()
    assert len(inside) == 3


def test_a_turn_that_ends_badly_gives_its_place_back():
    turns = Slots(1)
    with pytest.raises(KeyError), turns.turn("ada"):
        raise KeyError
    with turns.turn("ben"):
        pass


def test_a_toy_does_not_wait_for_the_quantum_of_who_draws_many(monkeypatch):
    monkeypatch.setattr(slots, "QUANTUM", 1000.0)
    work, begun, order = Work("cpu"), threading.Event(), []
    work.slots = Slots(1)
    work.slots.ledger.add("heavy", 5000.0)

    def check():
        begun.set()
        while not work.slots.waiting and not order:
            time.sleep(0.001)

    def run():
        job = Picture(experiment=Experiment(model="digits_edm", count=1, sampling={"steps": 3}))
        list(job.compute(work, Watch(Ticket("heavy", (check,)), work.slots)))
        order.append("heavy")

    thread = threading.Thread(target=run)
    thread.start()
    begun.wait()
    list(KINDS["picture"].compute(work, Watch(Ticket("light"), work.slots)))
    order.append("light")
    thread.join()
    assert order == ["light", "heavy"]


def test_a_small_picture_is_there_while_heavy_ones_of_others_are_still_computed(monkeypatch):
    """Ten heavy ones on one place: each gives it up between evaluations, and none of them is near its end."""
    monkeypatch.setattr(slots, "QUANTUM", 0.01)
    work, stop, ended = Work("cpu"), threading.Event(), []
    work.slots = Slots(1)
    heavy = Experiment(count=2000, sampling={"steps": 1000})

    class Stopped(Exception):
        pass

    def check():
        if stop.is_set():
            raise Stopped

    def run(visitor):
        try:
            plain(heavy, work, Watch(Ticket(visitor, (check,)), work.slots))
            ended.append(visitor)
        except Stopped:
            pass

    threads = [threading.Thread(target=run, args=(f"heavy {k}",)) for k in range(10)]
    for thread in threads:
        thread.start()
    waits(work.slots, 9)
    small = Experiment(count=10, sampling={"steps": 4})
    (*_, (_, finished)) = Picture(experiment=small).compute(work, Watch(Ticket("small"), work.slots))
    alive = sum(thread.is_alive() for thread in threads)
    stop.set()
    for thread in threads:
        thread.join()
    assert finished and alive == 10 and ended == []
