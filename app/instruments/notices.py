"""What to notice in a figure of the paper: its claim, and whether what is drawn here bears it out.

A preset of presets/figures may have

    notice:
      claim: what the paper says, in a sentence
      lines: {vp: VP, edm: 2/EDM, b: 3/#2}  # by their names; 2/…: of the second panel; #2, #-1: its second, its last
      holds: ["last(edm) < last(vp)"]    # relations, as in lessons, of measures of these lines
      here: "EDM ends at {last(edm)}, VP at {last(vp)}"
      otherwise: why it does not hold, where it does not

The measures read the lines as they were sent, so that the verdict is that of what one sees. A row of a picture of cells
is a line, too, by its name, and so is what a panel marks by a word.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any

from pydantic import Field, model_validator

from edm.base.errors import Refused, shown
from edm.base.fields import Settings, refusal
from edm.experiments import presets
from edm.lessons import expressions

Line = Annotated[str, Field(max_length=300)]


class Notice(Settings):
    """See above."""

    claim: Line
    lines: dict[str, Line] = Field(min_length=1, max_length=16)
    holds: Annotated[tuple[Line, ...], Field(min_length=1, max_length=6)]
    here: Line
    otherwise: Line = ""

    @model_validator(mode="after")
    def _consistent(self):
        asked = [("holds", call) for text in self.holds for call in expressions.relation(text).calls]
        for text in expressions.inside(self.here) + expressions.inside(self.otherwise):
            asked += [("here", call) for call in expressions.expression(text).calls]
        for field, (measure, line, _) in asked:
            if measure not in MEASURES:
                raise refusal(field, measure, f"must be one of {', '.join(MEASURES)}")
            if line not in self.lines:
                raise refusal(field, line, f"must be one of the lines {', '.join(self.lines)}")
        return self


@dataclass(frozen=True)
class Drawn:
    """A line as it was sent: x, y of the points that there are, and what its band goes from and to (y without one)."""

    x: tuple[float, ...]
    y: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]

    def at(self, x: float) -> int:
        """The point at x: the last one that is not beyond it, or else the first."""
        return max((k for k, one in enumerate(self.x) if one <= x * (1 + 1e-9)), default=0)


def _largest(line: Drawn, low: float, high: float) -> float:
    return max((y for x, y in zip(line.x, line.y, strict=True) if low <= x <= high), default=math.nan)


MEASURES: dict[str, Callable[..., float]] = {
    "first": lambda line: line.y[0],
    "last": lambda line: line.y[-1],
    "least": lambda line: min(line.y),
    "most": lambda line: max(line.y),
    "mean": lambda line: sum(line.y) / len(line.y),
    "at": lambda line, x: line.y[line.at(x)],
    "low": lambda line, x: line.low[line.at(x)],
    "high": lambda line, x: line.high[line.at(x)],
    "where": lambda line: line.x[line.y.index(min(line.y))],
    "peak": lambda line: line.x[line.y.index(max(line.y))],
    "passes": lambda line, y: next((x for x, one in zip(line.x, line.y, strict=True) if one >= y), math.inf),
    "most_in": _largest,
}


def of(instrument: str, settings: Settings) -> Notice | None:
    """The notice of the figure that has these settings; None of settings that are no figure's."""
    for parsed, notice in _known(instrument, tuple(presets.names("figures"))):
        if parsed == settings:
            return notice
    return None


@lru_cache(maxsize=64)
def _known(instrument: str, names: tuple[str, ...]) -> list[tuple[Settings, Notice]]:
    from app.instruments import INSTRUMENTS

    found = []
    for name in names:
        show, values = presets.figure(name)
        notice = read(name)
        if show == instrument and notice is not None:
            entry = INSTRUMENTS[show]
            found.append((entry.settings.parse(entry.complete(values)), notice))
    return found


def read(name: str) -> Notice | None:
    """That of the preset "figures/…"; None where it has none. Raises SettingsError for one that is wrong."""
    document = presets.read(name).get("notice")
    return None if document is None else Notice.parse(document)


def noticed(notice: Notice, body: Mapping[str, Any]) -> dict[str, Any]:
    """{claim, holds, told} of a body as it is sent; holds is None while something of it is not drawn yet."""

    def ask(measure: str, line: str, numbers: tuple[float, ...]) -> float:
        return float(MEASURES[measure](_line(body, notice.lines[line]), *numbers))

    try:
        holds = all(expressions.holds(text, ask) for text in notice.holds)
        told = expressions.told(notice.here, ask)
        if not holds and notice.otherwise:
            told = f"{told}. {expressions.told(notice.otherwise, ask)}"
    except Refused:
        return {"claim": notice.claim, "holds": None, "told": ""}
    return {"claim": notice.claim, "holds": holds, "told": told}


def _line(body, name) -> Drawn:
    panel, _, own = name.rpartition("/")
    panels = (body.get("figure") or {}).get("panels") or []
    places = [int(panel) - 1] if panel.isdecimal() else range(len(panels))
    for place in places:
        if not 0 <= place < len(panels):
            continue
        count = len(panels[place].get("lines") or ())
        for k, line in enumerate(_lines(panels[place])):
            numbered = (f"#{k + 1}", f"#{k - count}") if k < count else (f"#{k + 1}",)
            if (own if panel.isdecimal() else name) in (line.get("name"), *numbered):
                return _drawn(line)
    raise Refused(f"there is no line {shown(name)} yet")


def _lines(panel):
    """Those of a panel, the rows of its cells, and last what it marks by a word."""
    yield from panel.get("lines") or ()
    heat = panel.get("heat") or {}
    for name, y, low, high in zip(*(heat.get(key) or () for key in ("y", "z", "low", "high")), strict=True):
        yield {"name": name, "x": [float(x) for x in heat["x"]], "y": y, "low": low, "high": high}
    for mark in panel.get("marks") or ():
        if mark.get("text") and mark.get("y") is not None:
            yield {"name": mark["text"], "x": [0], "y": [mark["y"]]}


def _drawn(line) -> Drawn:
    y = line["y"]
    columns = line["x"], y, line.get("low") or y, line.get("high") or y
    points = [point for point in zip(*columns, strict=True) if None not in point[:2]]
    if not points:
        raise Refused("nothing of it is drawn yet")
    return Drawn(
        *(tuple(float("nan") if v is None else float(v) for v in column) for column in zip(*points, strict=True))
    )
