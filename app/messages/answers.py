"""What the server sends back: the bodies of answers to the events of the Sampler tab, and what all have in common.

Arrays travel as base64 (see `app.figures.pack`); what says how to read one stands beside it: a count, a shape, or the
number of columns and rows. Nothing here is looked at while the server works: tests and the page's types are made of it.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

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
    Uint8, and so denoised. index: of the states that are sent. since: of so many of them the page has the images from
    the preview before, and here are the others. evaluations: of each sample."""

    shape: list[int]
    count: int
    index: list[int]
    t: Numbers
    sigma: Numbers
    scale: Numbers
    evaluations: int
    x: Float32 | Uint8
    denoised: Uint8 | None = None
    since: int | None = None


class Components(Sent):
    """A mixture's parameters. rows: [count, 2 + d] of weight, std, mean. labels: of which class each is, if it has
    any."""

    count: int
    rows: Float32
    labels: list[int] | None = None


class Arrows(Sent):
    """positions: [n, 2]. arrows: [n, 2], or [levels, n, 2]."""

    positions: Float32
    arrows: Float32


class TimeAxis(Sent):
    """σ(t) and s(t) along the time axis of the paper's Figure 3."""

    t: Numbers
    sigma: Numbers
    scale: Numbers


class Nearest(Sent):
    """Of each sample the training image that is nearest to it: images [count, *shape], what it is called, or "", its
    distance as a share of that to the second nearest, and whether the sample is a copy of it."""

    images: Uint8
    names: list[str]
    shares: Gappy
    copies: list[bool]


class Density(Sent):
    """Of the components, those of a class: what samples of it are to be like. weight: w of the tilted density whose
    score guidance follows; null: there is none."""

    label: int
    weight: float | None


class Low(Sent):
    """Of a cascade the samples of its base, from which each sample was made, and what the upsampler is told of them:
    images, noised [count, *shape]."""

    images: Uint8
    noised: Uint8
    shape: list[int]


class Doing(Sent):
    """A part of a step, see `edm.experiments.algorithm`. acts: "0110…", of each step; null: all do it."""

    name: str
    symbol: str
    formula: str
    help: str
    acts: str | None


class Algorithm(Sent):
    """What a step does, one thing after the other, and the chosen rows of Table 1 as [title, formula]."""

    doings: list[Doing]
    rows: list[tuple[str, str]]


class Picture(Sent):
    """evaluations: calls of the denoiser that a sample takes. document: of the experiment, as JSON text. precision:
    what its network computes in, if it has one. preview: what stands in its place for a moment, in words."""

    model: str
    title: str
    sigmaData: float | None
    levels: Numbers
    evaluations: int
    notes: list[str]
    milliseconds: float
    precision: Literal["float32", "bf16"] | None
    preview: str | None = None
    run: Trajectory
    document: str
    python: str
    command: str
    algorithm: Algorithm
    components: Components | None = None
    density: Density | None = None
    axis: TimeAxis | None = None
    field: Arrows | None = None
    nearest: Nearest | None = None
    low: Low | None = None


class Beside(Sent):
    """A density, and how far samples are from it; floor: how far as many true ones are."""

    title: str
    mean: Numbers
    spread: float
    distance: float
    floor: float


class Led(Sent):
    """Samples of a class that guidance leads to, and the densities that they might be of. weight: w of the tilted one;
    null: there is none."""

    label: str
    weight: float | None
    mean: Numbers
    spread: float
    beside: list[Beside]


class Measures(Sent):
    """See `app.work.measures.measure`. solvable: false where guidance leaves no ODE to be solved."""

    error: float | None
    distance: float | None
    floor: float | None
    stochastic: bool
    solvable: bool | None = None
    led: Led | None = None


class Steps(Sent):
    """N."""

    steps: int


class Rival(Sent):
    """A method that does better with at most as many evaluations: its error, as that of `Measures`, and what of the
    settings to change for it."""

    method: str
    evaluations: int
    error: float
    sampling: dict[str, Any]


class Rivals(Sent):
    """best: of those that are tried; null: none has a finite error, or there is none to be had."""

    best: Rival | None


class FoundLevels(Sent):
    """See `edm.diagnostics.Optimized`; errors on other samples than those that levels were found for."""

    elsewhere: float
    before: float | None
    predicted: float | None
    runs: int


class Levels(Sent):
    """share: of the search that is done. sigmas: the best so far, without the final 0, and their error. found: at the
    end."""

    share: float
    sigmas: Numbers
    error: float | None
    found: FoundLevels | None = None


class Probe(Sent):
    """level: where it begins. sigma: of the levels from there. path: x/s at each."""

    level: int
    sigma: Numbers
    path: list[Numbers]


class Dataset(Sent):
    name: str
    title: str
    shape: list[int]
    thumbnail: Float32 | Uint8 | None


class Datasets(Sent):
    clock: str
    list: list[Dataset]


class Taken(Sent):
    """A file to be saved: its name, and its content as base64."""

    name: str
    content: str


class Thumbnail(Sent):
    """Of a model, by name; null where there is none."""

    model: str
    thumbnail: Float32 | Uint8 | None


class Act(Sent):
    """What was done, and to which runs."""

    do: str
    runs: list[str]
