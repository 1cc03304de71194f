"""What the server sends back, continued: the bodies of live figures that hold several runs beside each other."""

from __future__ import annotations

from typing import Literal

from app.messages.answers import Column, Float32, Picture, Sent, Uint8
from app.messages.drawings import Drawing


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
