"""The race of solvers: each method in each of the coordinates and on each of the time steps that are chosen."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.instruments import choosing, methods, verdicts
from edm import presets
from edm.base.errors import Refused
from edm.base.fields import SettingsError
from edm.diagnostics import Order, Point, RacePoint
from edm.plots.looks import Look, look_of
from edm.plots.panels import order_of
from edm.sampling.settings import Sampling
from edm.timesteps import DISCRETIZATIONS

OWN = "own"
BUDGETS = (4, 6, 9, 12, 18, 25, 36, 50, 72)
TOLD = (6, 9, 12, 18, 36)  # evaluations of the table
PAPER = "heun", "edm"  # what the others are compared with
PAPERS_NFE = 35  # N = 18, the paper's for 32×32 pixels
FAINT = "mute"


def grids() -> dict[str, str]:
    """Time steps: those that go with the coordinates, or any."""
    return {OWN: "their own", **{name: choosing.column_title(name, DISCRETIZATIONS) for name in DISCRETIZATIONS}}


@dataclass(frozen=True)
class Runner:
    """method, column: names of what runs, and in whose coordinates."""

    method: str
    column: str
    sampling: Sampling
    look: Look


def runners(
    chosen: Sequence[str], columns: Sequence[str], steps: Sequence[str], shift: float, seed: int
) -> dict[str, Runner]:
    """title -> who runs: every method, in the σ(t), s(t) and range of every column, on every kind of time steps; once
    where schedule and scaling do not touch it. Raises Refused where nothing is chosen."""
    for kind, names in (("solver", chosen), ("column", columns), ("kind of time steps", steps)):
        if not names:
            raise Refused(f"no {kind} is chosen: choose one or more under Lanes")
    known, found, seen = methods.methods(), {}, set()
    for column in columns:
        base = presets.load(f"designs/{column}").sampling.changed(seed=seed, shift=shift)
        for grid in steps:
            for name in chosen:
                values = dict(known[name].values)
                if grid != OWN:
                    low, high = base.range
                    values |= {"discretization": grid, "sigma_min": low, "sigma_max": high}
                try:
                    sampling = base.changed(**values)
                except SettingsError:
                    continue  # these time steps have no levels in this range
                told = sampling.changed(schedule="linear", scaling="none") if known[name].solver.in_sigma else sampling
                if told in seen:
                    continue
                seen.add(told)
                title = [known[name].title]
                title += [presets.titles()[column]] if len(columns) > 1 else []
                title += [grids()[grid]] if len(steps) > 1 else []
                look = Look(known[name].color, look_of(column).dash if len(columns) > 1 else known[name].dash)
                found[", ".join(title)] = Runner(name, column, sampling, look)
    return found


def fitted(points: Sequence[RacePoint]) -> Order | None:
    """The order that shows in the errors of one lane."""
    return order_of([Point(p.steps, p.evaluations, p.value, p.value, 0.0) for p in points])


def named(title: str, points: Sequence[RacePoint]) -> str:
    """A line's name, with the order that shows; where the line is straight over too little for one, with the slope."""
    found = fitted(points)
    if found is None or found.order <= 0:
        return title
    return f"{title} · {'order' if found.asymptotic else 'slope'} {found.order:.1f}"


def best(points: Mapping[str, Sequence[RacePoint]], limit: int) -> dict[int, RacePoint]:
    """evaluations -> the least error that any lane has with as many or fewer, for those of `TOLD` that were run."""
    found = {}
    for at in (at for at in TOLD if at <= limit):
        known = [p for own in points.values() for p in own if p.evaluations <= at and math.isfinite(p.value)]
        if known:
            found[at] = min(known, key=lambda point: (point.value, point.evaluations))
    return found


def at(points: Sequence[RacePoint], evaluations: int) -> RacePoint | None:
    """The last of a lane that costs no more."""
    return next((p for p in reversed(points) if p.evaluations <= evaluations), None)


def told(line: dict, points: Sequence[RacePoint], shown: set, orders: bool) -> dict:
    """A line of the figure: with its order, if these are to be told; faint and without a name where it is not shown."""
    title = line["name"]
    if title not in shown:
        return {**line, "name": None, "color": FAINT, "width": 1, "opacity": 0.45, "mode": "lines"}
    return {**line, "name": named(title, points) if orders else title}


def reference(racing: Mapping[str, Any]) -> str | None:
    """The title of Heun in EDM's coordinates, where it races. racing: title -> what has a method and a column."""
    return next((title for title, one in racing.items() if (one.method, one.column) == PAPER), None)


def summary(
    racing: Mapping[str, Any], points: Mapping[str, Sequence[RacePoint]], limit: int, what: str, measure: str
) -> str:
    """Who is best at which budget."""
    found, paper = best(points, limit), reference(racing)
    own = points[paper] if paper else ()
    said = [f"at {budget} {point.lane} with {point.value:.2g}" for budget, point in found.items()]
    text = f"Best of {len(racing)} at so many evaluations or fewer: {', '.join(said)}." if said else ""
    beside = [f"{p.value:.2g} at {p.evaluations}" for budget in found if (p := at(own, budget)) is not None]
    if beside:
        text += f" Heun in EDM's coordinates has {', '.join(beside)}."
    if measure != "error":
        return text
    return f"{text}{sooner(racing, points)} {verdicts.about(what)}"


def sooner(racing: Mapping[str, Any], points: Mapping[str, Sequence[RacePoint]]) -> str:
    """With how few evaluations the same method in other coordinates is as good as the paper's settings are with 35."""
    paper = reference(racing)
    theirs = next((point for point in points[paper] if point.evaluations == PAPERS_NFE), None) if paper else None
    if theirs is None:
        return ""
    alike = [title for title, one in racing.items() if one.method == PAPER[0] and title != paper]
    reached = [(p, title) for title in alike for p in points[title] if p.value <= theirs.value]
    if not reached:
        return ""
    first, title = min(reached, key=lambda pair: (pair[0].evaluations, pair[0].value))
    if first.evaluations >= theirs.evaluations:
        return ""
    return (
        f" What Heun in EDM's coordinates reaches with {theirs.evaluations} evaluations, {theirs.value:.2g}, {title} "
        f"does with {first.evaluations}: {first.value:.2g}."
    )
