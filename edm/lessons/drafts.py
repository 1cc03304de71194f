"""What is wrong with a lesson that somebody is writing, each thing where it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edm.base.fields import SettingsError
from edm.lessons.documents import Lesson, Question, Step


@dataclass(frozen=True)
class Problem:
    """step: from 0 on; None: of the lesson itself. field: its dotted name, such as ask.choices.1.when."""

    step: int | None
    field: str
    sentence: str


def problems(document: Mapping[str, Any]) -> list[Problem]:
    """Of each step, and of the lesson without its steps, the first that is found; none of a lesson that is good."""
    steps = document.get("steps")
    steps = steps if isinstance(steps, list) else []
    found = [_problem(None, Lesson, {**document, "steps": steps and [{"text": "…"}]})]
    found += [_problem(k, Step, step) for k, step in enumerate(steps)]
    whole = [one for one in found if one]
    return whole or [one for one in [_problem(None, Lesson, document)] if one]  # too many steps, for example


def _problem(step, kind, document) -> Problem | None:
    try:
        kind.parse(document)
    except SettingsError as error:
        field = error.fields[0] if error.fields else ""
        if step is not None and field in Question.model_fields and field not in Step.model_fields:
            field = f"ask.{field}"
        return Problem(step, field, str(error))
    return None
