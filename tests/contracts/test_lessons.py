"""Every lesson's claims hold, and what it opens is there."""

from functools import cache
from urllib.parse import parse_qsl

import pytest

from app.tabs.links import opened_from
from app.work.reveals import knobs
from edm import lessons

LESSONS = {name: lessons.load(name) for name in lessons.names()}
CLAIMS = [
    (name, k, claim) for name, lesson in LESSONS.items() for k, step in enumerate(lesson.steps) for claim in step.claims
]
STEPS = [(name, k) for name, lesson in LESSONS.items() for k in range(len(lesson.steps))]


@cache
def measured(name, k):
    return lessons.Measured(LESSONS[name].steps[k].experiments())


@pytest.mark.parametrize(("name", "k", "claim"), CLAIMS)
def test_a_claim_holds(name, k, claim):
    assert lessons.holds(claim, measured(name, k))


@pytest.mark.parametrize(("name", "k"), STEPS)
def test_a_step_opens_what_is_there(name, k):
    step = LESSONS[name].steps[k]
    opened = opened_from([*parse_qsl(step.open), *([("only", ",".join(step.only))] if step.only else [])])
    assert opened["notice"] is None
    assert set(opened["controls"]["only"] or ()) == set(step.only)


@pytest.mark.parametrize(("name", "k"), STEPS)
def test_one_answer_of_a_choice_is_right(name, k):
    ask = LESSONS[name].steps[k].ask
    choices = ask.choices if ask else ()
    assert sum(lessons.holds(c.when, measured(name, k)) for c in choices if c.when) == bool(choices)
    assert all(c.because or lessons.holds(c.when, measured(name, k)) for c in choices if c.when)


@pytest.mark.parametrize(("name", "k"), STEPS)
def test_what_is_revealed_is_computed(name, k):
    step = LESSONS[name].steps[k]
    told = lessons.told(step.reveal, measured(name, k), knobs(step.experiments()["here"]))
    assert "{" not in told
