"""A lesson as a document: presets/lessons/NAME.yaml, or what somebody has written on the page.

    title: …   about: one sentence   paper: where it is in the paper   order: its place
    steps:
      - text: Markdown                            # σ, ρ, S_churn, **bold**, *italic*, lists, links to states; no HTML
        open: model=spiral&steps=20               # the state it opens: the query of a link
        only: [steps]                             # controls that are visible; none: all
        control: steps                            # the one to try
        states: {euler: model=spiral&solver=euler}   # others that are measured; the open one is `here`
        ask: {…}                                  # a prediction: see `Question`
        reveal: "Error {error(here)}, Euler's {error(euler)}."
        claims: ["error(here) < error(euler)"]    # what contract tests compute

What is not written here is refused, so that what a stranger has written can be shown.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any
from urllib.parse import parse_qsl

from pydantic import Field, model_validator

from edm.base import flat
from edm.base.errors import Refused, shown
from edm.base.fields import Settings, refusal
from edm.experiments import presets
from edm.experiments.experiment import Experiment
from edm.lessons import expressions, measures

MOST_STEPS, MOST_STATES, MOST_CHOICES, LONGEST = 40, 8, 6, 4000
HERE = "here"  # the state that is shown
KINDS = ("choice", "number", "mark")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,30}")
_CONTROL = re.compile(r"\w[\w.]{0,59}", re.ASCII)
Text = Annotated[str, Field(max_length=LONGEST)]
Line = Annotated[str, Field(max_length=300)]
Said = Annotated[str, Field(min_length=1, max_length=LONGEST)]
SaidLine = Annotated[str, Field(min_length=1, max_length=300)]


class Choice(Settings):
    """An answer that can be chosen. when: a relation, and where it holds, this one is right. because: said to who chose
    it and was wrong."""

    text: SaidLine
    when: Line = ""
    because: Line = ""


class Question(Settings):
    """What is to be predicted before it is revealed. Nothing is scored.

    choice: one of `choices`. number: `truth` is what it turns out to be, shown beside the guess with `unit`.
    mark: placed on the axis of noise levels; `truth` is a noise level.
    """

    kind: str
    text: SaidLine
    choices: Annotated[tuple[Choice, ...], Field(max_length=MOST_CHOICES)] = ()
    truth: Line = ""
    unit: Annotated[str, Field(max_length=30)] = ""

    @model_validator(mode="after")
    def _consistent(self):
        if self.kind not in KINDS:
            raise refusal("kind", self.kind, f"must be one of {', '.join(KINDS)}")
        if self.kind == "choice" and len(self.choices) < 2:
            raise refusal("choices", f"{len(self.choices)} choices", "must be two or more, to choose between")
        if self.kind != "choice" and not self.truth:
            raise refusal("truth", "", "must be an expression, such as error(here): what it turns out to be")
        return self


class Step(Settings):
    """See above. open, and the texts of `states`: queries of links."""

    text: Said
    open: Text = ""
    only: Annotated[tuple[str, ...], Field(max_length=60)] = ()
    control: Annotated[str, Field(max_length=60)] = ""
    states: dict[str, Text] = Field(default_factory=dict, max_length=MOST_STATES)
    ask: Question | None = None
    reveal: Text = ""
    claims: Annotated[tuple[Line, ...], Field(max_length=12)] = ()

    @model_validator(mode="after")
    def _consistent(self):
        for name in self.states:
            if not _NAME.fullmatch(name) or name == HERE:
                raise refusal(
                    "states", name, f"must be names of small letters, and not {HERE!r}, which is what is shown"
                )
        known = (HERE, *self.states)
        for text in self.claims:
            _checked("claims", expressions.relation, text, known)
        for text in _inside(self.reveal):
            if text not in flat.names(Experiment):
                _checked("reveal", expressions.expression, text, known)
        if self.ask is not None:
            for k, choice in enumerate(self.ask.choices):
                if choice.when:
                    _checked(f"ask.choices.{k}.when", expressions.relation, choice.when, known)
            if self.ask.truth:
                _checked("ask.truth", expressions.expression, self.ask.truth, known)
        for name in (*self.only, *filter(None, [self.control])):
            if not _CONTROL.fullmatch(name):
                raise refusal("only", name, "must be the name of a control, as it stands in links: rho, solver, …")
        if self.control and self.only and self.control not in self.only:
            raise refusal("control", self.control, "must be one of the controls that are visible (only)")
        return self

    def experiments(self, here: Experiment | None = None) -> dict[str, Experiment]:
        """The states that are measured. here: what is shown now, where that is not what the step has opened."""
        named = {name: experiment(query) for name, query in self.states.items()}
        return {HERE: here or experiment(self.open), **named}


class Lesson(Settings):
    """title, about: for the gallery. paper: section and equations. order: among the others. steps: see above."""

    title: SaidLine
    about: Line = ""
    paper: Line = ""
    order: int = 99
    steps: Annotated[tuple[Step, ...], Field(min_length=1, max_length=MOST_STEPS)]


def names() -> list[str]:
    """The lessons that ship, in their order."""
    return [name.split("/")[1] for name in presets.names("lessons")]


def load(name: str) -> Lesson:
    """A lesson that ships. Raises SettingsError for an unknown name."""
    return _parsed(json.dumps(presets.read(f"lessons/{name}")))


@lru_cache(maxsize=64)  # a class asks for the same one again and again
def _parsed(text: str) -> Lesson:
    return parse(json.loads(text))


def parse(document: Mapping[str, Any]) -> Lesson:
    """A lesson from a document of any making. Raises SettingsError with what is wrong, and where."""
    if not isinstance(document, Mapping):
        raise Refused(f"a lesson is names and values, not {shown(document)}")
    return Lesson.parse(dict(document))


def experiment(query: str) -> Experiment:
    """What a link's query says of the Sampler's settings; what it says of the rest of the page is passed over."""
    known = flat.names(Experiment)
    values = {name: value for name, value in parse_qsl(query.removeprefix("?")) if name in known}
    return Experiment.parse(flat.unflatten(values, Experiment))


def _inside(reveal):
    try:
        return expressions.inside(reveal)
    except Refused as error:
        raise refusal("reveal", reveal, str(error)) from None


def _checked(field, read, text, states) -> None:
    try:
        for measure, state, numbers in read(text).calls:
            measures.check(measure, state, numbers, states)
    except Refused as error:
        raise refusal(field, text, str(error)) from None
