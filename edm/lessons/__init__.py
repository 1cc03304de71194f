"""Lessons: steps that each open a state of the page, ask for a prediction, and tell what is measured of that state.

A lesson is a preset, presets/lessons/NAME.yaml (`edm.lessons.documents`). Nothing in it is a number that was measured
once: what it tells is computed (`measures`) from expressions (`expressions`), and its claims are tests.
"""

from edm.lessons.documents import KINDS, Choice, Lesson, Question, Step, load, names, parse
from edm.lessons.expressions import Expression, Relation, holds, told, value
from edm.lessons.measures import MEASURES, Measure, Measured

__all__ = [
    "KINDS",
    "MEASURES",
    "Choice",
    "Expression",
    "Lesson",
    "Measure",
    "Measured",
    "Question",
    "Relation",
    "Step",
    "holds",
    "load",
    "names",
    "parse",
    "told",
    "value",
]
