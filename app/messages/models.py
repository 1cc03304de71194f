"""What the server says of models and classifiers: those that there are, and those of runs as they come and go."""

from __future__ import annotations

from app.messages.answers import Components, Float32, Sent, Uint8


class Upsampler(Sent):
    """Of a model that makes images larger: of how many pixels they are, which base and which σ_c are taken where nobody
    says, and the most noise that it was trained with."""

    resolution: int
    base: str
    noise: float
    most: float


class Model(Sent):
    """range: noise levels that it is for; null: no bound. classes: as written, and by name. unconditional: whether it
    can be sampled without one. apart: lists of all leave it to links."""

    name: str
    title: str
    shape: list[int]
    classes: list[tuple[str | int, str | int]]
    unconditional: bool
    count: int
    trained: bool
    apart: bool
    family: str | None
    run: str | None
    images: int | None
    dataset: str | None
    sigmaData: float | None
    range: tuple[float | None, float | None]
    low: Upsampler | None = None
    components: Components | None = None
    thumbnail: Float32 | Uint8 | None = None


class Classifier(Sent):
    """One of noisy samples, which may guide models of samples of its shape and of its classes. run: that it is of."""

    name: str
    title: str
    shape: list[int]
    classes: list[str]
    run: str | None


class Offered(Sent):
    choices: list[str]
    titles: list[str]


class Models(Sent):
    """What changed of the models of runs. names: of all. thumbnails: of all new ones, by run. classifiers: all that
    there are now, those that ship, too. choices: instrument -> knob -> what it offers now."""

    clock: str
    names: list[str]
    new: list[Model]
    thumbnails: dict[str, Float32 | Uint8 | None]
    classifiers: list[Classifier]
    choices: dict[str, dict[str, Offered]]
