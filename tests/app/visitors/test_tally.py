"""Answers as bars: each is counted once, in a bar that says where it lies."""

import itertools
import re

import numpy as np
import pytest

from app.visitors import tally
from edm.base.errors import Refused
from edm.base.resources import ASSETS
from edm.lessons import Question

CHOICE = Question(kind="choice", text="?", choices=({"text": "a"}, {"text": "b"}, {"text": "c"}))
NUMBER = Question(kind="number", text="?", truth="error(here)")
MARK = Question(kind="mark", text="?", truth="error(here)")


def test_choices_have_a_bar_each_also_those_that_nobody_chose():
    assert [bar["count"] for bar in tally.bars(CHOICE, [2.0, 0.0, 2.0])] == [1, 0, 2]


@pytest.mark.parametrize("question", [NUMBER, MARK], ids=["number", "mark"])
@pytest.mark.parametrize("seed", range(20))
def test_every_answer_is_counted_once_where_it_lies(question, seed):
    dice = np.random.default_rng(seed)
    answers = list(np.exp(dice.normal(0, 10 ** dice.uniform(-1, 0.5), dice.integers(1, 40))))
    found = tally.bars(question, answers)
    assert sum(bar["count"] for bar in found) == len(answers) and len(found) <= tally.BINS + 5
    for bar, after in itertools.pairwise(found):
        assert bar["high"] == pytest.approx(after["low"])
    for bar in found[1:-1]:
        inside = sum(bar["low"] <= answer < bar["high"] for answer in answers)
        assert inside == bar["count"]


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([2, 3, 10, 3], {2: 1, 3: 2, 10: 1}),
        ([0.1, 0.2, 0.3], {0.1: 1, 0.2: 1, 0.3: 1}),
        ([-4, 4], {-4: 1, 4: 1}),
    ],
)
def test_numbers_stand_in_bars_at_round_numbers(answers, expected):
    found = [(bar["low"], bar["count"]) for bar in tally.bars(NUMBER, answers) if bar["count"]]
    assert [low for low, _ in found] == pytest.approx(list(expected))
    assert [count for _, count in found] == list(expected.values())


@pytest.mark.parametrize("answers", [[0.0], [5.0] * 30, [0.0, 0.0], [-1e12, 1e12], [1e-300, 2.0]])
def test_answers_that_agree_or_lie_far_apart_have_bars_too(answers):
    found = tally.bars(NUMBER, answers)
    assert sum(bar["count"] for bar in found) == len(answers) and len(found) <= tally.BINS + 5


def test_one_joker_does_not_take_the_bars_from_the_others():
    found = tally.bars(NUMBER, [2, 3, 4, 3, 2, 5, 3, 4, 3, 2, 3, 1e12])
    assert (found[-1]["high"], found[-1]["count"]) == (None, 1)
    assert sum(bar["count"] > 0 for bar in found) >= 4


def test_nobody_has_answered():
    assert tally.bars(NUMBER, []) == []
    assert sum(bar["count"] for bar in tally.bars(MARK, [])) == 0


def test_marks_lie_on_the_page_s_axis():
    text = (ASSETS / "page" / "lessons" / "question.js").read_text(encoding="utf-8")
    low, high = (float(re.search(rf"const {name} = ([\d.]+)", text)[1]) for name in ("LOW", "HIGH"))
    found = tally.bars(MARK, [low, high, 1e-9, 1e9])
    assert (found[0]["low"], found[-1]["high"]) == pytest.approx((low, high))
    assert (found[0]["count"], found[-1]["count"]) == (2, 2)


@pytest.mark.parametrize(
    ("answer", "question", "why"),
    [
        (float("nan"), None, "must be a number"),
        (float("inf"), NUMBER, "must be a number"),
        (1e13, NUMBER, "must be a number"),
        (3, CHOICE, "must be one of the 3 choices"),
        (0.5, CHOICE, "must be one of the 3 choices"),
        (-1, CHOICE, "must be one of the 3 choices"),
        (0, MARK, "must be a noise level"),
    ],
)
def test_what_a_question_cannot_have_is_refused(answer, question, why):
    with pytest.raises(Refused, match=why):
        tally.checked(answer, question)
    if question:
        assert list(tally.fitting([answer], question)) == []
