"""What a class has answered to the question of a lesson's step, as bars."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from edm.base.errors import Refused, shown

if TYPE_CHECKING:
    from edm.lessons import Question

LARGEST = 1e12  # of a number that is answered
LOW, HIGH, MARKS = 0.002, 80.0, 12  # the axis of noise levels, as the page has it, and its bins
BINS, REACH = 8, 1.5  # of numbers; how far a guess may lie outside most of the others, in widths of these


def checked(answer: float, question: Question | None) -> float:
    """An answer that can be counted. question: None where it is not known. Raises Refused for any other answer."""
    if not math.isfinite(answer) or abs(answer) > LARGEST:
        raise Refused(f"the answer {shown(answer)} must be a number from -1e12 to 1e12")
    if question is None:
        return answer
    if question.kind == "choice" and answer not in range(len(question.choices)):
        raise Refused(f"the answer {shown(answer)} must be one of the {len(question.choices)} choices, from 0 on")
    if question.kind == "mark" and answer <= 0:
        raise Refused(f"the answer {shown(answer)} must be a noise level, which is more than 0")
    return answer


def fitting(answers: Iterable[float], question: Question) -> Iterator[float]:
    """The answers that the question can have."""
    for answer in answers:
        try:
            yield checked(answer, question)
        except Refused:
            continue


def bars(question: Question, answers: list[float]) -> list[dict]:
    """{low, high, count} of each bar, in their order: it counts what is at least low and less than high; None: no end.

    The bars of choices have the choice's number for both.
    """
    if question.kind == "choice":
        return [{"low": k, "high": k, "count": answers.count(k)} for k in range(len(question.choices))]
    if question.kind == "mark":
        edges = np.geomspace(LOW, HIGH, MARKS + 1)
        return _counted(list(edges), [min(max(answer, LOW), HIGH * (1 - 1e-9)) for answer in answers])
    return _numbers(answers)


def _numbers(answers) -> list[dict]:
    """At round numbers, about as many as `BINS`; what lies far from most of them is counted at an open end."""
    if not answers:
        return []
    low, high = np.quantile(answers, (0.1, 0.9), method="nearest")
    reach = REACH * (high - low) or 0.5 * abs(high) or 1.0
    near = [answer for answer in answers if low - reach <= answer <= high + reach]
    width = _round((max(near) - min(near)) / BINS or 0.1 * abs(high) or 1.0)
    first, last = (math.floor(one / width + 1e-9) for one in (min(near), max(near)))
    found = _counted([k * width for k in range(first, last + 2)], near)
    below, above = (sum(one < min(near) for one in answers), sum(one > max(near) for one in answers))
    start = [{"low": None, "high": found[0]["low"], "count": below}] if below else []
    end = [{"low": found[-1]["high"], "high": None, "count": above}] if above else []
    return [*start, *found, *end]


def _counted(edges, answers) -> list[dict]:
    """Of bins between edges, in which all the answers lie."""
    inner = np.array(edges[1:-1]) - 1e-9 * np.abs(edges[1:-1])  # a guess of 0.3 is not less than 3 · 0.1
    places = np.searchsorted(inner, answers, side="right")
    counts = np.bincount(places, minlength=len(edges) - 1) if len(answers) else np.zeros(len(edges) - 1, int)
    pairs = zip(edges, edges[1:], counts, strict=False)
    return [{"low": float(low), "high": float(high), "count": int(count)} for low, high, count in pairs]


def _round(width: float) -> float:
    """The least of 1, 2, 5, 10, … that is no less."""
    power = 10.0 ** math.floor(math.log10(width))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= width * (1 - 1e-9))
