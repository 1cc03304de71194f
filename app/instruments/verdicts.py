"""What a comparison of samplers says, and why it may say otherwise than the paper."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

from edm import diagnostics
from edm.base.choices import formula_of
from edm.sampling.settings import Sampling
from edm.schedules import SCALINGS, SCHEDULES
from edm.solvers import SOLVERS

FEWER = "A solver of second order takes half as many steps with the same NFE"
STEPS = f"{FEWER}, so it needs good ones, and wins once they are short"
COORDINATES = (
    "It needs good coordinates too, σ(t) and s(t): which ones it errs least in depends on the data and on the steps"
)


def order(sampling: Sampling) -> int:
    """Of the solver."""
    return SOLVERS[sampling.solver].claimed(sampling)


def dearer(cheap: Sampling, dear: Sampling) -> bool:
    """Whether the second's solver is of higher order, and takes fewer steps for it with the same NFE."""
    cost = [SOLVERS[sampling.solver].cost(100, sampling) for sampling in (cheap, dear)]
    return order(cheap) < order(dear) and cost[0] < cost[1]


def about(what: str) -> str:
    """What kind of number this is. what: what is sampled, in words."""
    return (
        f"This is the RMS error to the ODE's solution for {what}, not the FID of a network, which the paper compares."
    )


PAPERS = ("linear", "none")  # σ(t) = t and s(t) = 1
NOT_HERE = "So s = 1, σ = t is not the best here: with the same solver and time steps"


def beaten(found: Sequence[tuple[str, float, Sampling]]) -> str:
    """Whether other coordinates than s = 1, σ = t err less where solver and levels are alike; "" where none do."""

    def alike(sampling):
        return sampling.changed(schedule="linear", scaling="none")

    pairs = [
        (theirs, other, reached)
        for _, theirs, start in found
        for _, other, reached in found
        if (start.schedule, start.scaling) == PAPERS != (reached.schedule, reached.scaling)
        and alike(start) == alike(reached)
        and other < theirs
    ]
    if not pairs:
        return ""
    theirs, other, reached = min(pairs, key=lambda pair: pair[1])
    coordinates = f"σ(t) = {formula_of(SCHEDULES, reached.schedule)}, s(t) = {formula_of(SCALINGS, reached.scaling)}"
    return f" {NOT_HERE} it has {theirs:.2g}, and {coordinates} {other:.2g}."


def of_walk(found: Sequence[tuple[str, float, Sampling]], what: str) -> str:
    """What each row brings, and which bring nothing. found: (title, error, settings) from the start on."""
    listed, worse = [f"{found[0][0]} {found[0][1]:.2g}"], []
    for (_, before, start), (title, error, reached) in pairwise(found):
        listed.append(f"{title} {error:.2g} (× {error / before:.2g})")
        if error > before:
            worse.append((title.removeprefix("+ ").split(" = ")[0], start, reached))
    text = f"Error, row by row: {', '.join(listed)}.{beaten(found)}"
    if not worse:
        return f"{text} {about(what)}"
    text += f" The error rises with the {enumerated(dict.fromkeys(row for row, _, _ in worse))}."
    if any(dearer(start, reached) for _, start, reached in worse):
        text += f" {STEPS}."
    if any(order(start) == order(reached) > 1 and _coordinates(start, reached) for _, start, reached in worse):
        text += f" {COORDINATES}."
    return f"{text} At which budgets the curves cross, the race shows (one change at a time). {about(what)}"


def _coordinates(start, reached) -> bool:
    return (start.schedule, start.scaling) != (reached.schedule, reached.scaling)


def of_lanes(found: Sequence[tuple[str, float, Sampling]], what: str) -> str:
    """Which lane errs least at this budget, and why that may be one of first order."""
    ranked = sorted(found, key=lambda lane: lane[1])
    listed = ", ".join(f"{title} {error:.2g}" for title, error, _ in ranked)
    text = f"From the same latents, errors from the least to the most: {listed}."
    if any(dearer(a, b) for k, (_, _, a) in enumerate(ranked) for _, _, b in ranked[k + 1 :]):
        text += f" {STEPS}. At which budget the curves cross, the race shows."
    return f"{text} {about(what)}" if len(ranked) > 1 else text


def of_race(
    points: Mapping[str, Sequence], samplings: Mapping[str, Sampling], paper: str | None, error: bool, what: str
) -> str:
    """Where a lane falls below each of the others. points: title -> its `RacePoint`s. paper: the lane that the paper
    arrives at, if it races; else the lane that is best in the end."""
    ends = {title: found[-1] for title, found in points.items() if found and math.isfinite(found[-1].value)}
    if len(ends) < 2:
        return ""
    if not error and min(len(point.values) for point in ends.values()) < diagnostics.LEAST:
        return f"To tell where the lines cross from chance takes {diagnostics.LEAST} seeds or more."
    own = paper if paper in ends else min(ends, key=lambda title: ends[title].value)
    met = {title: diagnostics.crossings(points[own], points[title]) for title in ends if title != own}
    last = {title: found[-1] for title, found in met.items() if found}
    passed = {title: at for title, at in last.items() if at.lower == own}
    lower = [title for title in met if title not in passed and ends[title].value < ends[own].value]
    text = ""
    if passed:
        listed = [f"{title} from about {at.evaluations:.0f}" for title, at in _sorted(passed)]
        text += f"The lines cross: {own} is below {enumerated(listed)} NFE on, and above with fewer."
    if lower:
        text += f" In the end {enumerated(lower)} {'is' if len(lower) == 1 else 'are'} below {own}."
    if any(dearer(samplings[title], samplings[own]) for title in passed):
        text += f" {STEPS}."
    if any(order(samplings[title]) > 1 and _coordinates(samplings[title], samplings[own]) for title in lower):
        text += f" {COORDINATES}."
    return f"{text} {about(what)}".strip() if error else text.strip()


def of_churn(points: Mapping[str, Sequence]) -> str:
    """At the most evaluations: which lanes differ from the first by more than chance."""
    (plain, *_), found = points, {}
    own = points[plain][-1]
    for title in list(points)[1:]:
        one = points[title][-1]
        if all(map(math.isfinite, (*one.values, *own.values))):
            verdict = diagnostics.compare(one.values, own.values)
            found.setdefault(verdict.text.split(" (")[0], []).append((title, verdict))
    said = []
    for words, lanes in found.items():
        middle = [f"{title} {verdict.difference:+.2g}".replace("-", "−") for title, verdict in lanes]
        said.append(f"{words}: {'; '.join(middle)}")
    return f"Against {plain} at {own.evaluations} NFE, {'. '.join(said)} (95 %, {len(own.values)} seeds)."


def _sorted(passed):
    return sorted(passed.items(), key=lambda item: item[1].evaluations)


def enumerated(words) -> str:
    """Words as in a sentence."""
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last
