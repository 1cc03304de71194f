"""Lessons: steps that each open a state of the page, ask for a prediction, and tell what is measured of that state.

A lesson is a preset, presets/lessons/NAME.yaml (`edm.lessons.documents`). Nothing in it is a number that was measured
once: what it tells is computed (`measures`) from expressions (`expressions`), and its claims are tests.
"""

from edm.lessons.documents import KINDS, Choice, Lesson, Question, Step, load, names, parse
from edm.lessons.drafts import Problem, problems
from edm.lessons.expressions import Expression, Relation, holds, told, value
from edm.lessons.links import LONGEST_WORD, find, packed, read, unpacked, written
from edm.lessons.measures import MEASURES, Measure, Measured

__all__ = [
    "KINDS",
    "LONGEST_WORD",
    "MEASURES",
    "Choice",
    "Expression",
    "Lesson",
    "Measure",
    "Measured",
    "Problem",
    "Question",
    "Relation",
    "Step",
    "find",
    "holds",
    "load",
    "names",
    "packed",
    "parse",
    "problems",
    "read",
    "told",
    "unpacked",
    "value",
    "written",
]
