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
