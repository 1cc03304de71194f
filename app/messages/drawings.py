"""What the server sends back, continued: the bodies of live figures, each with what its own script draws."""

from __future__ import annotations

from typing import Literal

from app.messages.answers import Arrows, Column, Components, Float32, Numbers, Sent, Uint8
from app.messages.charts import Chart


class Noticed(Sent):
    """What to notice in a figure of the paper. holds: whether its claim does here; null: not drawn yet. told: the
    numbers of what is drawn, and why where it does not."""

    claim: str
    holds: bool | None
    told: str


class Drawing(Sent):
    """What every live figure has. notice: where it is one of the paper's, with nothing changed."""

    figure: Chart | None = None
    summary: str
    python: str
    notice: Noticed | None = None


class Loss(Drawing):
    """summaries: for each choice of λ, with which the page multiplies by itself."""

    summaries: dict[str, str]


class Field(Sent):
    """At one level: |D − D*| over the plane [cells, cells], where samples are likely, and arrows [arrows², 2]."""

    index: int
    most: float
    gap: Float32
    likely: Float32
    arrows: Float32


class Plane(Sent):
    """window: half its width, in units of √(σ² + σ_data²). y, n: [300, 2] of data and of noise. title: of what is
    painted; none: |D − D*|."""

    title: str | None = None
    cells: int
    arrows: int
    window: float
    fields: list[Field]
    y: Float32
    n: Float32


class Images(Sent):
    """images: [n, *shape]."""

    title: str
    images: Uint8


class Strip(Sent):
    shape: list[int]
    sigmas: Numbers
    rows: list[Images]


class Oracle(Drawing):
    levels: Numbers
    sigmaData: float
    color: Column
    images: Strip | None
    plane: Plane | None


class Painted(Sent):
    """Trajectories and their error at each level. x: [levels, count, 2]. error: [levels - 1, count]."""

    x: Float32
    sigma: Numbers
    error: Float32
    count: int
    data: str
    sigmaData: float


class Truncation(Drawing):
    painted: Painted | None = None


class Checkpoint(Sent):
    """x: [count, *shape]. done: its last state."""

    count: int
    x: Float32 | Uint8
    done: bool
    field: Arrows | None


class Moment(Sent):
    """sample: null until there is one."""

    name: str
    images: int
    sample: Checkpoint | None


class TrainingTime(Drawing):
    shape: list[int]
    data: str | None
    color: Column
    checkpoints: list[Moment]


class Drawn(Sent):
    """Samples x [count, *shape], the training image nearest to each, what it is called, and which are copies of it.
    share: of all that were drawn, those that are copies."""

    count: int
    x: Uint8
    nearest: Uint8
    names: list[str]
    copies: list[bool]
    share: float


class Patch(Sent):
    """The samples of patches of one side; null until there are some."""

    side: int
    drawn: Drawn | None


class Copies(Drawing):
    """title: of the network. sides: of patches that are tried."""

    shape: list[int]
    title: str
    sides: list[int]
    network: Drawn | None
    patches: list[Patch]


class Samples(Sent):
    """In the plane of their data, x [n, 2]; distance: their median to the data, in all dimensions."""

    distance: float
    x: Float32


class Prediction(Sent):
    """What a network tells, by its letter, in words and in Table 1; its samples in each number of dimensions."""

    title: str
    what: str
    formula: str
    color: Column
    cells: list[Samples]


class Predictions(Drawing):
    """components: of the data, in their plane."""

    dimensions: list[int]
    rows: list[Prediction]
    components: Components


class Pair(Sent):
    """x and D(x; σ), each [count, *shape]."""

    x: Float32 | Uint8
    denoised: Float32 | Uint8


class Part(Pair):
    """A moment of one step."""

    name: str
    title: str
    sigma: float
    note: str


class Step(Sent):
    kind: Literal["step"]
    shape: list[int]
    count: int
    moments: list[Part]
    data: Float32 | str | None = None
    sigmaData: float | None = None


class Round(Sent):
    """x, denoised: their spread."""

    index: int
    sigma: float
    x: float
    denoised: float
    picture: Pair


class Rounds(Sent):
    title: str
    color: Column
    rounds: list[Round]


class Cycles(Sent):
    """reach: half the width of a picture of points."""

    kind: Literal["rounds"]
    shape: list[int]
    count: int
    rows: list[Rounds]
    columns: list[int]
    reach: float | None = None


class Churn(Drawing):
    stage: Step | Cycles
