"""What the server sends back: the bodies of answers to the events of the Sampler and Train tabs.

Arrays travel as base64 (see `app.figures.pack`); what says how to read one stands beside it: a count, a shape, or the
number of columns and rows. Nothing here is looked at while the server works: tests and the page's types are made of it.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Float32 = Annotated[str, Field(json_schema_extra={"name": "Float32"}, description="base64 of little-endian float32")]
Uint8 = Annotated[str, Field(json_schema_extra={"name": "Uint8"}, description="base64 of 8-bit numbers")]
Png = Annotated[str, Field(json_schema_extra={"name": "Png"}, description="base64 of a PNG file")]
Numbers = list[float]
Gappy = list[float | None]  # what is not finite is a gap
Column = str  # of Table 1, or another colour of the palette


class Sent(BaseModel):
    """A part of a message: with these names and no others."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Trajectory(Sent):
    """The states of a run so far. x: [len(index), count, *shape] of x/s as Float32; of images at constant contrast as
    Uint8, and so denoised. index: of the states that are sent. evaluations: of each sample."""

    shape: list[int]
    count: int
    index: list[int]
    t: Numbers
    sigma: Numbers
    scale: Numbers
    evaluations: int
    x: Float32 | Uint8
    denoised: Uint8 | None = None


class Components(Sent):
    """A mixture's parameters. rows: [count, 2 + d] of weight, std, mean."""

    count: int
    rows: Float32


class Arrows(Sent):
    """positions: [n, 2]. arrows: [n, 2], or [levels, n, 2]."""

    positions: Float32
    arrows: Float32


class TimeAxis(Sent):
    """σ(t) and s(t) along the time axis of the paper's Figure 3."""

    t: Numbers
    sigma: Numbers
    scale: Numbers


class Picture(Sent):
    """document: of the experiment, as JSON text."""

    model: str
    title: str
    sigmaData: float | None
    levels: Numbers
    notes: list[str]
    milliseconds: float
    run: Trajectory
    document: str
    python: str
    command: str
    components: Components | None = None
    axis: TimeAxis | None = None
    field: Arrows | None = None


class Measures(Sent):
    """See `app.work.measures.measure`."""

    error: float | None
    distance: float | None
    floor: float | None
    stochastic: bool


class Probe(Sent):
    """level: where it begins. sigma: of the levels from there. path: x/s at each."""

    level: int
    sigma: Numbers
    path: list[Numbers]


class Remedy(Sent):
    title: str
    changes: dict[str, Any]


class Row(Sent):
    """A run in the list. device: in words. utilization: the share of the last moments in which its GPUs computed; peak:
    of what they can compute at most, what it does; null where that is not known."""

    name: str
    state: str
    images: int | None
    total: int | None
    loss: float | None
    rate: float | None
    left: float | None
    memory: int | None
    utilization: float | None
    peak: float | None
    device: str | None
    owner: str | None
    started: float | None
    sentence: str | None
    remedies: list[Remedy]
    checkpoint: int | None
    command: str | None
    column: Column | None
    dataset: str | None


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
    """Columns of a run's ticks. low, high: of the loss in a bucket; null where a point is a tick."""

    images: Gappy
    loss: Gappy
    score: Gappy
    seconds: Gappy
    low: Gappy | None
    high: Gappy | None


class Losses(Sent):
    """λ·error at each σ, of one tick."""

    index: int
    images: int
    errors: Gappy


class Training(Sent):
    """Where a run's training falls: p_train as a density in ln σ over a grid; its data, if they are points [n, 2]."""

    grid: Gappy
    density: Gappy
    points: Float32 | None


class Closer(Sent):
    """What is new of one run. anew: forget what you had."""

    cursor: str
    anew: bool
    points: Curve
    stride: int
    frames: list[Losses]
    sigmas: Numbers
    design: Training | None = None
    id: str | None
    disk: int | None
    host: str | None
    pid: int | None
    log: list[str]
    sample: Frame | None = None


class Dataset(Sent):
    name: str
    title: str
    shape: list[int]
    thumbnail: Float32 | Uint8 | None


class Datasets(Sent):
    clock: str
    list: list[Dataset]


class Offered(Sent):
    choices: list[str]
    titles: list[str]


class Model(Sent):
    """range: noise levels that it is for; null: no bound. classes: as written, and by name."""

    name: str
    title: str
    shape: list[int]
    classes: list[tuple[str | int, str | int]]
    count: int
    trained: bool
    family: str | None
    run: str | None
    images: int | None
    dataset: str | None
    sigmaData: float | None
    range: tuple[float | None, float | None]
    components: Components | None = None
    thumbnail: Float32 | Uint8 | None = None


class Models(Sent):
    """What changed of the models of runs. names: of all. choices: instrument -> knob -> what it offers now."""

    clock: str
    names: list[str]
    new: list[Model]
    choices: dict[str, dict[str, Offered]]


class PageDevice(Sent):
    """Where the page itself computes, of choices. sharing: which runs train there, too. choosing: whether this visitor
    may choose another."""

    device: str
    choices: list[str]
    titles: list[str]
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
    seconds: float
    bytes: int
    parameters: int


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


class Act(Sent):
    """What was done, and to which runs."""

    do: str
    runs: list[str]


class Film(Sent):
    """frames: those that are there, of the ticks that were wanted."""

    run: str
    wanted: list[int]
    frames: list[Frame]
