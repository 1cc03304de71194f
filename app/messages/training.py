"""What the server sends back: the bodies of answers to the events of the Train tab (see `app.messages.answers`)."""

from __future__ import annotations

from typing import Any

from app.messages.answers import Arrows, Column, Datasets, Float32, Gappy, Numbers, Png, Sent
from app.messages.charts import Chart
from app.messages.models import Models


class Remedy(Sent):
    title: str
    changes: dict[str, Any]


class Row(Sent):
    """A run in the list. waits: for its turn on its device. total: images; minutes: which are not known in images yet.
    device: in words. usage: of its GPUs, while it trains there, in words.
    learns: which goal; pictures: whether it learns images, not points."""

    name: str
    state: str
    waits: bool
    images: int | None
    total: int | None
    minutes: float | None
    loss: float | None
    rate: float | None
    left: float | None
    memory: int | None
    usage: str | None
    device: str | None
    owner: str | None
    started: float | None
    sentence: str | None
    remedies: list[Remedy]
    checkpoint: int | None
    command: str | None
    column: Column | None
    dataset: str | None
    learns: str
    pictures: bool


class Frame(Sent):
    """Samples of a tick. Pictures: a grid as PNG, its sizes in pixels. Points: x [n, dimension], and the flow."""

    images: int
    count: int | None = None
    columns: int | None = None
    tile: int | None = None
    gap: int | None = None
    png: Png | None = None
    dimension: int | None = None
    x: Float32 | None = None
    field: Arrows | None = None


class Curve(Sent):
    """Columns of a run's ticks. copies: the share of its samples that are copies of what it learns, where that is
    known. low, high: of the loss in a bucket; null where a point is a tick."""

    images: Gappy
    loss: Gappy
    score: Gappy
    seconds: Gappy
    copies: Gappy
    low: Gappy | None
    high: Gappy | None


class Losses(Sent):
    """λ·error at each σ, of one tick; of a classifier −log p of the true class, and its accuracy there."""

    index: int
    images: int
    errors: Gappy
    accuracy: Gappy | None = None


class Training(Sent):
    """Where a run's training falls: p_train as a density in ln σ over a grid; its data, if they are points [n, 2]."""

    grid: Gappy
    density: Gappy
    points: Float32 | None


class Task(Sent):
    """Work on a checkpoint of a run, in the background. about: what was asked for, in words. done, total: images. left:
    s. found: what came of it, (value, what it is) each."""

    name: str
    kind: str
    state: str
    about: str
    done: int | None
    total: int | None
    left: float | None
    sentence: str | None
    found: list[tuple[str, str]]


class Closer(Sent):
    """What is new of one run. anew: forget what you had. ticks: how many in all; gaps: of them with a loss that is no
    finite number; nonfinite: steps left out, since their gradients were not finite. peak: the share of what its GPUs
    can compute that it gets of them, where that is known."""

    cursor: str
    anew: bool
    points: Curve
    stride: int
    frames: list[Losses]
    sigmas: Numbers
    ticks: int
    gaps: int
    nonfinite: int
    design: Training | None = None
    id: str | None
    disk: int | None
    peak: float | None
    host: str | None
    pid: int | None
    log: list[str]
    sample: Frame | None = None
    tasks: list[Task]


class PageDevice(Sent):
    """Where the page itself computes, of choices. about: what that means. sharing: which runs train there, too.
    choosing: whether this visitor may choose another."""

    device: str
    choices: list[str]
    titles: list[str]
    about: str
    sharing: str | None
    choosing: bool


class Devices(Sent):
    """What a run can be started on now, as choices of the form's knob, and the page's own device."""

    choices: list[str]
    titles: list[str]
    helps: list[str]
    page: PageDevice


class Allowed(Sent):
    """What a visitor may do. sentence: why starting is off. limits: {} for who has none. upload: bytes."""

    starting: bool
    sentence: str | None
    limits: dict[str, float]
    upload: int | None
    teacher: bool
    name: str | None


class Poll(Sent):
    """What is new. rows: those that changed. order: of all names, if that did. runs: those that are looked at closely;
    null: gone. more: there is more of their history. locked: of the rows, those that are somebody else's. devices: null
    where there is nothing to choose, but the CPU."""

    clock: str
    rows: list[Row]
    order: list[str] | None
    models: Models | None
    room: Allowed
    datasets: Datasets | None
    devices: Devices | None
    locked: list[str]
    live: bool
    runs: dict[str, Closer | None]
    more: bool


class Cost(Sent):
    """parts: what the bytes of memory are for. precision: in which it computes; why: that one, or ""."""

    seconds: float
    bytes: int
    parameters: int
    precision: str
    why: str
    parts: dict[str, int]


class Misfit(Sent):
    """Why a run will not fit into memory, and changes of the form with which it would."""

    sentence: str
    remedies: list[Remedy]


class Planned(Sent):
    """values: all that count. notes: why a value changes nothing. cost: null where it is not known yet. misfit: null
    where it fits, as far as that is known."""

    values: dict[str, Any]
    command: str
    notes: dict[str, str]
    cost: Cost | None
    misfit: Misfit | None


class Unplanned(Sent):
    """Why the form's values make no run, and which are at fault."""

    error: str
    fields: list[str]


Plan = Planned | Unplanned


class Film(Sent):
    """frames: those that are there, of the ticks that were wanted."""

    run: str
    wanted: list[int]
    frames: list[Frame]


class Reading(Sent):
    """What data say of how to train on them. share: of the work that is done. figure: null while they are read.
    numbers: what is advised, (symbol, value) each. values: of the form's fields."""

    share: float
    figure: Chart | None
    numbers: list[tuple[str, str]]
    sentences: list[str]
    values: dict[str, float]
