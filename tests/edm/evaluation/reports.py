"""Evaluations, and what they say."""

import edm
from edm.evaluation import Report, evaluate

FEW = edm.Sampling(steps=2)


def run(*arguments, **options) -> Report:
    return edm.last(evaluate(*arguments, **options))


def told(report: Report) -> dict:
    """All that it says but how long it took."""
    return {name: value for name, value in report.document().items() if name != "seconds"}
