"""What the server sends back, continued: the bodies of live figures, each with what its own script draws."""

from __future__ import annotations

from typing import Literal

from app.messages.answers import Arrows, Column, Components, Float32, Gappy, Numbers, Picture, Sent, Uint8


class Axis(Sent):
    title: str | None = None
    log: bool | None = None
    range: tuple[float, float] | None = None
    hideTicks: bool | None = None


class Line(Sent):
    """low, high: a band around y. weights: how y is weighed, by name. floor: the least that is possible. of: whose."""

    name: str | None = None
    color: Column | None = None
    dash: str | None = None
    mode: str | None = None
    symbol: str | None = None
    place: str | None = None
    size: float | None = None
    width: float | None = None
    opacity: float | None = None
    x: Gappy
    y: Gappy
    low: Gappy | None = None
    high: Gappy | None = None
    text: list[str] | None = None
    weights: dict[str, Gappy] | None = None
    floor: bool | None = None
    of: str | None = None


class Mark(Sent):
    """A line across a panel: at a level y, or at x."""

    x: float | None = None
    y: float | None = None
    text: str | None = None
    color: Column | None = None


class Heat(Sent):
    """z, and its interval, by row and column."""

    title: str
    x: list[str]
    y: list[str]
    z: list[Gappy]
    low: list[Gappy]
    high: list[Gappy]


class Panel(Sent):
    """note: a word inside it. beside: it stands at the side of the first. share: of the height."""

    title: str | None = None
    note: str | None = None
    share: float | None = None
    beside: bool | None = None
    x: Axis | None = None
    y: Axis | None = None
    lines: list[Line] | None = None
    marks: list[Mark] | None = None
    heat: Heat | None = None


class Chart(Sent):
    panels: list[Panel]
    columns: int | None = None
    sharedX: bool | None = None


class Drawing(Sent):
    """What every live figure has."""

    figure: Chart | None = None
    summary: str
    python: str


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


class Lane(Sent):
    """error: why there is no picture."""

    title: str
    color: Column
    error: str | None
    picture: Picture | None
    note: str | None = None


class Lanes(Drawing):
    """rows: of Table 1 that differ, with the text of each lane."""

    rows: list[tuple[str, list[str]]]
    lanes: list[Lane]


class Best(Sent):
    """The lane with the least value with so many evaluations or fewer; used: those that it takes. heun: what Heun in
    EDM's coordinates has with them. document: of its experiment, as JSON text."""

    evaluations: int
    lane: str
    color: Column
    value: float
    used: int
    heun: float | None
    document: str


class Race(Drawing):
    """best: the table of a race of solvers."""

    best: list[Best]


class Verdict(Sent):
    """A row of Table 1 of both. proof: the largest difference, in words; "" where there is none to look for."""

    title: str
    a: str
    b: str
    verdict: Literal["identical", "same", "different"]
    proof: str


class Sameness(Drawing):
    """titles: of both. same: whether nothing tells them apart; null while that is computed. verdict: a sentence."""

    titles: tuple[str, str]
    same: bool | None
    verdict: str
    rows: list[Verdict]


class Ends(Sent):
    name: str
    values: list[str]


class Axes(Sent):
    x: Ends
    y: Ends


class Cell(Sent):
    """samples: [count, *shape]. problem: why there is nothing. document: of its experiment, as JSON text."""

    row: int
    column: int
    problem: str | None
    value: float | None
    low: float | None
    high: float | None
    document: str | None = None
    samples: Float32 | Uint8 | None = None
    count: int | None = None


class Sweep(Drawing):
    """curve: one row, as a line. plan: what it will take. waiting: for somebody to start it."""

    axes: Axes
    shape: list[int]
    curve: bool
    plan: str | None = None
    cells: list[Cell]
    waiting: bool | None = None


class Guided(Sent):
    """Pictures of one setting: samples [count, *shape], null until they are drawn. document: of its experiment, as
    JSON text."""

    title: str
    samples: Uint8 | None
    document: str


class Kind(Sent):
    """A line of the charts. error: why there is nothing of it."""

    title: str
    color: Column
    error: str | None
    pictures: list[Guided]


class Tradeoff(Drawing):
    """count: pictures of each setting, of the same latents. waiting: for somebody to start the measuring."""

    shape: list[int]
    count: int
    waiting: bool
    lines: list[Kind]


class Stages(Sent):
    """Pictures at one σ_c, [count, *shape], null until there are some: low-resolution images with their noise, and what
    the network and the exact denoiser make of them. document: of the experiment, as JSON text."""

    sigma: float
    noised: Uint8 | None
    network: Uint8 | None
    ideal: Uint8 | None
    document: str


class Cascade(Drawing):
    """low: low-resolution images [count, *lowShape], the same at each σ_c. examples: of how many images the exact
    denoiser is. waiting: for somebody to start the measuring."""

    shape: list[int]
    lowShape: list[int]
    count: int
    examples: int
    waiting: bool
    low: Uint8 | None
    levels: list[Stages]
