"""The arithmetic of lessons: what it can say, and what it refuses."""

import pytest

from edm import lessons
from edm.base.errors import Refused
from edm.lessons import expressions

KNOWN = {("error", "here", ()): 0.5, ("error", "heun", ()): 0.25, ("order", "here", (8.0, 64.0)): 2.0}


def ask(measure, state, numbers):
    return KNOWN[measure, state, numbers]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("error(here)", 0.5),
        ("error(here) / error(heun)", 2.0),
        ("2 ** -1 - error(heun) * 4", -0.5),
        ("order(here, 8, 64)", 2.0),
    ],
)
def test_an_expression_has_a_value(text, value):
    assert lessons.value(text, ask) == value
    assert all(call in KNOWN for call in expressions.expression(text).calls)


@pytest.mark.parametrize(
    ("text", "true"),
    [
        ("error(heun) < 0.6 * error(here)", True),
        ("error(heun) > error(here)", False),
        ("0.2 < error(heun) <= 0.25 < error(here)", True),
    ],
)
def test_a_relation_holds_or_not(text, true):
    assert lessons.holds(text, ask) is true


@pytest.mark.parametrize(
    "text",
    [
        "", "error", "error(here", "error()", "error(here.x)", "here.error", "error(here)[0]", "'a' * 9", "True",
        "__import__('os')", "(lambda: 1)()", "error(here, error(here))", "error(here, low=2)", "[1]", "1 if 1 else 2",
        "9 ** 9 ** 9 ** 9 ** 9", "1 / 0", "1e308 * 10", "(-8) ** 0.5", "(" * 200 + "1" + ")" * 200, "x" * 301,
    ],
)  # fmt: skip
def test_what_is_no_arithmetic_is_refused(text):
    with pytest.raises(Refused):
        lessons.value(text, ask)


@pytest.mark.parametrize("text", ["error(here)", "error(here) == 1", "1 < 2 in 3", "not 1 < 2"])
def test_what_compares_nothing_is_no_relation(text):
    with pytest.raises(Refused, match="compares nothing"):
        lessons.holds(text, ask)


def test_a_sentence_tells_values_with_two_figures_or_as_many_as_it_says():
    told = lessons.told("N = {steps}: {error(here)}, {error(heun)/3:4}, {error(here)*1e-6}", ask, {"steps": 18})
    assert told == "N = 18: 0.50, 0.08333, 5e-07"


@pytest.mark.parametrize(
    ("step", "named"),
    [
        ({"text": "x", "colour": 1}, "colour"),
        ({"text": "x", "open": "steps=-1", "claims": ["error(there) < 1"]}, "there is no state 'there'"),
        ({"text": "x", "claims": ["errors(here) < 1"]}, "there is no measure 'errors'"),
        ({"text": "x", "reveal": "{order(here)}"}, "order takes"),
        ({"text": "x", "states": {"here": "steps=3"}}, "here"),
        ({"text": "x", "only": ["rho"], "control": "steps"}, "control"),
        ({"text": "x", "ask": {"kind": "essay", "text": "?"}}, "essay"),
        ({"text": "x", "ask": {"kind": "choice", "text": "?", "choices": [{"text": "yes"}]}}, "two or more"),
        ({"text": "x", "ask": {"kind": "number", "text": "?"}}, "truth"),
    ],
)
def test_what_a_lesson_gets_wrong_is_named(step, named):
    with pytest.raises(Refused, match=named):
        lessons.parse({"title": "A lesson", "steps": [step]})
