"""What the server says of what visitors bring: the sheet of a set, or why there is none.

Float32 of points with large numbers, such as coordinates of places, is exact enough to be looked at.
"""

from __future__ import annotations

from typing import Literal

from app.messages.answers import Dataset, Float32, Sent, Uint8


class LeftOut(Sent):
    """A file, or a row of a table ("row 3"), and the end of a sentence about it."""

    name: str
    reason: str


class Offer(Sent):
    """What could be taken otherwise: the words of a button, and what to ask for then: values of one name."""

    name: str
    given: list[str]
    text: str


class PictureRow(Sent):
    """Some pictures of a class, null: of all. images: [count, *shape]."""

    label: int | None
    count: int
    images: Uint8


class Pictures(Sent):
    shape: list[int]
    rows: list[PictureRow]


class Points(Sent):
    """Some of the points [count, dimension] in their file's own units; names of the coordinates, if it has any."""

    count: int
    dimension: int
    x: Float32
    labels: list[int] | None
    names: list[str]


class Sheet(Sent):
    """What a set holds. counts: of the first classes. left_out: the first of them that are missed; omitted:
    how many those are; hidden: others, such as what macOS adds to a zip."""

    count: int
    shape: list[int]
    classes: int
    class_names: list[str]
    counts: list[int]
    held_out: int
    left_out: list[LeftOut]
    omitted: int
    hidden: int
    notes: list[str]
    offers: list[Offer]
    pictures: Pictures | None = None
    points: Points | None = None


class Became(Sent):
    """The set that was made, and its sheet."""

    ok: Literal[True]
    dataset: Dataset
    sheet: Sheet


class NotTaken(Sent):
    """Why there is none, and what could be done about it."""

    ok: Literal[False]
    sentence: str
    offers: list[Offer]


class Far(Sent):
    """How far the reading is."""

    done: int
    total: int


SAID = Became, NotTaken, Far
