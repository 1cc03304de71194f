"""What a page knows from the start, and what it is told when it opens."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from app.messages.answers import Dataset, Sent
from app.messages.authoring import LessonMeasure
from app.messages.models import Classifier, Model, Models

Value = Any  # of a setting


class Knob(Sent):
    """See `edm.base.fields.knob`. ends: values that the slider's two ends stand for.

    titles, helps, uses: of the choices, in their order; uses: the fields that matter only with each, null: not said.
    families, own, forms, leaves: of the choices too, where there are any: what each is one of, what fields are with it
    that are automatic, the names of its forms, and the fields that change nothing with it.
    pairs: a list of solvers with their time steps: "lanes" as the value itself, "range" as text.
    needs: a field without which this one changes nothing. instead: the fields in whose place this one counts."""

    symbol: str
    help: str
    default: Value
    slider: tuple[float, float] | None
    log: bool
    step: float | None
    ends: tuple[Any, Any]
    unit: str
    whole: bool
    choices: list[str] | None
    titles: list[str] | None = None
    helps: list[str] | None = None
    uses: list[list[str] | None] | None = None
    families: list[str] | None = None
    own: list[dict[str, Value]] | None = None
    forms: list[list[str]] | None = None
    leaves: list[list[str]] | None = None
    needs: str | None = None
    instead: list[str] | None = None
    section: str | None = None
    hidden: bool | None = None
    colors: list[str] | None = None
    listed: bool | None = Field(None, alias="list")
    when: dict[str, list[str]] | None = None
    pairs: str | None = None


class Design(Sent):
    """A column of Table 1. sampling: a document."""

    name: str
    title: str
    about: str
    sampling: dict[str, Value]


class Figure(Sent):
    """One of the paper's, and the instrument that shows it. claim: what to notice."""

    name: str
    title: str
    paper: str
    about: str
    claim: str
    tab: str
    show: str
    values: dict[str, Value]
    picture: str


class Instrument(Sent):
    """See `app.instruments.base.Instrument`."""

    name: str
    title: str
    question: str
    streams: bool
    script: str
    knobs: dict[str, Knob]


class TaskKind(Sent):
    """What can be done with a run's checkpoint in the background. knobs: what it asks for. points: whether it can be
    with a model of points, too."""

    name: str
    title: str
    about: str
    points: bool
    knobs: dict[str, Knob]


class Goal(Sent):
    """What a run can learn: what is measured at each σ, and over what it is averaged; samples: whether it draws any."""

    error: str
    over: str
    samples: bool


class Tab(Sent):
    """kind: which script shows it. The rest is there for some kinds: instruments, or the form of the Train tab."""

    name: str
    title: str
    kind: str
    instruments: list[Instrument] | None = None
    short: dict[str, Knob] | None = None
    fields: dict[str, Knob] | None = None
    minutes: float | None = None
    datasets: list[Dataset] | None = None
    curves: dict[str, list[str] | None] | None = None
    script: str | None = None
    tasks: list[TaskKind] | None = None
    goals: dict[str, Goal] | None = None


class Guidance(Sent):
    """See `edm.guidance.Guidance`. takes: "", "classifier" or "model". neutral: the w that does nothing; null: none."""

    name: str
    takes: str
    needs: bool
    neutral: float | None
    classes: bool
    population: bool


class Boot(Sent):
    """classroom: the class has a teacher, whom its pages may follow. symbols: how texts write those that the glossary
    explains, the longest first."""

    knobs: dict[str, Knob]
    guidances: list[Guidance]
    classifiers: list[Classifier]
    ranges: dict[str, tuple[float, float]]
    designs: list[Design]
    models: list[Model]
    tabs: list[Tab]
    figures: list[Figure]
    lessons: list[LessonTitle]
    measures: list[LessonMeasure]
    classroom: bool
    symbols: list[str]


class LessonTitle(Sent):
    """A lesson in the list of all. tried: of each step the control to try, "" for none."""

    name: str
    title: str
    about: str
    paper: str
    tried: list[str]


class Show(Sent):
    """What an address shows: a tab, and what of it."""

    tab: str
    name: str
    values: dict[str, Value]


class Controls(Sent):
    """Names of the panel's controls: which are shown, or which are put away; null: the address does not say."""

    only: list[str] | None = None
    hide: list[str] | None = None


class LessonPlace(Sent):
    """A lesson, and its step from 1 on."""

    name: str
    step: int


class Address(Sent):
    """What an address says. values, pinned: of experiments. notice: what was left out."""

    values: dict[str, Value]
    pinned: dict[str, Value] | None
    view: dict[str, str]
    show: Show | None
    controls: Controls
    lesson: LessonPlace | None
    notice: str | None
    models: Models | None
