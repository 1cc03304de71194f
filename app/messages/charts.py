"""What the server sends back, continued: charts, which the page draws."""

from __future__ import annotations

from app.messages.answers import Column, Gappy, Sent


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
