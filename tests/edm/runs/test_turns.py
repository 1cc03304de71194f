"""Runs that share a device train in turns: each as long as the others, whoever dies, and nobody else beside them."""

from itertools import pairwise

import pytest

from edm import runs
from edm.runs import places, turns
from edm.runs.turns import SLICE, Turns
from tests.edm.runs import points
from tests.edm.runs.stubs import say


class Hands:
    def __init__(self):
        self.time = 0.0

    def __call__(self):
        return self.time


@pytest.fixture
def pair(tmp_path):
    hands = Hands()
    both = [Turns(tmp_path, "cuda:0", hands) for _ in range(2)]
    yield hands, *both
    for one in both:
        one.leave()


def test_turns_change_when_their_time_is_up(pair):
    hands, one, other = pair
    hands.time += 60  # until its first turn, of which nothing follows
    whose = []
    for _ in range(120):
        whose.append((one.mine(), other.mine()))
        hands.time += SLICE / 20
    assert (True, True) not in whose
    shares = [sum(column) / len(whose) for column in zip(*whose, strict=True)]
    assert shares == pytest.approx([0.5, 0.5], abs=0.1)
    changes = sum(a != b for a, b in pairwise(whose))
    assert changes <= 12
    assert one.pace == pytest.approx(2, abs=0.3)


def test_one_alone_never_waits(pair):
    hands, one, _ = pair
    for _ in range(50):
        assert one.mine()
        hands.time += 1
    assert one.pace == 1


def test_who_leaves_lets_the_other_in_at_once(pair):
    _, one, other = pair
    assert one.mine() and not other.mine()
    one.leave()
    assert other.mine() and not one.mine()


def start(folder, name, together, **how):
    return runs.start(points(images=10**6), folder, "cpu", name, together=together, **how)


def test_two_runs_that_take_turns_begin_together_and_a_third_waits_until_both_are_over(tmp_path, stubs):
    names = ["one", "other"]
    one, other = (start(tmp_path, name, names) for name in names)
    third = start(tmp_path, "third", ())
    assert runs.advance(tmp_path) == [one, other]
    assert turns.partners(one) == [other]
    assert runs.advance(tmp_path) == []
    say(one, state="finished")
    assert runs.read(third).state == "queued" and runs.advance(tmp_path) == []
    say(other, state="failed")
    assert runs.advance(tmp_path) == [third]


def test_a_run_of_minutes_takes_the_length_that_its_partner_has_found(tmp_path, stubs):
    one, other = (start(tmp_path, name, ["one", "other"]) for name in ("one", "other"))
    from edm.runs.worker import Worker

    worker = Worker(other, 1, points(minutes=1))
    places.write(one / "config.json", points(minutes=1).document(complete=True))
    assert worker.agree(500, 50) == (500, 50)
    places.write(one / "config.json", points(images=700, tick=70).document(complete=True))
    assert worker.agree(500, 50) == (700, 70)


def test_the_length_of_a_run_of_minutes_is_told_when_it_is_known(tmp_path):
    path = runs.start(points(minutes=2), tmp_path, "cpu", "mine")
    assert runs.read(path).total is None
    say(path, total=12_800)
    assert runs.read(path).total == 12_800
