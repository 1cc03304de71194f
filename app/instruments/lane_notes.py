"""What is said of lanes (`app.instruments.lanes`): beside each, beneath all, and in their table."""

from __future__ import annotations

import math

from app.instruments import verdicts
from app.work.measures import final
from app.work.nearest import beside
from edm import models, runner


def error(measures):
    """To the ODE's solution; None with churn, where there is none, and for what was not measured or is not finite."""
    found = measures and measures["error"]
    return found if found is not None and math.isfinite(found) else None


def note(lane, measures, before, asked=None):
    """Evaluations and error of a lane. before: the error of the one before, of which this one's is a share. asked: how
    many evaluations were, which no N may give."""
    path = _path(lane)
    said = f"N = {path.steps}, {path.evaluations} NFE"
    said += f" (of {asked})" if asked is not None and path.evaluations != asked else ""
    if measures is None:
        return said
    found, distance = error(measures), measures["distance"]
    if found is not None:
        said += f" · error {found:.2g}" + (f" (× {found / before:.2g})" if before else "")
    elif measures.get("solvable") is False:
        said += " · no ODE, so no error"
    elif not measures["stochastic"]:
        said += " · not finite"
    else:
        said += f" · distance to data {distance:.2g}" if distance is not None else " · fresh noise, so no error"
    return said


def held(last, measures, other, others):
    """The last lane's error against that of one with other evaluations; "" where either has none."""
    own, theirs = error(measures), error(others)
    if own is None or theirs is None:
        return ""
    evaluations, more = _path(last).evaluations, _path(other).evaluations
    return f" So the last has {own:.2g} with {evaluations} evaluations; {other.title} takes {more} for {theirs:.2g}."


def copies(lane, context):
    """(how many of the samples are copies of a training image, of how many); None where those are not known."""
    model = models.of(lane.experiment)
    samples = final(lane.experiment, context.work, context.watch, model)
    pair = beside(model, samples, context.work) if len(model.shape) == 3 else None
    return None if pair is None else (int(pair[1].copies.sum()), len(samples))


def table(lanes, shown, found, copied, more=()):
    """The numbers for a CSV: each lane's evaluations and error, how many are copies where that was asked, and more."""
    lines = [
        {"name": lane.title, "x": [_path(lane).evaluations], "y": [error(measures)]}
        for lane, picture, measures in zip(lanes, shown, found, strict=True)
        if picture["picture"]
    ]
    panels = [{"title": "error against NFE", "lines": lines}]
    if copied:
        shares = [{"name": title, "x": [of], "y": [count / of]} for title, (count, of) in copied.items()]
        panels.append({"title": "share of copies", "lines": shares})
    return {"panels": [*panels, *more]}


def summary(lanes, found, what, chain):
    """The errors, and beside them what cannot be compared with them."""
    measured = [(lane, measures) for lane, measures in zip(lanes, found, strict=True) if measures]
    exact = [(lane.title, e, lane.experiment.sampling) for lane, m in measured if (e := error(m)) is not None]
    text = (verdicts.of_walk if chain else verdicts.of_lanes)(exact, what) if exact else ""
    for lane, measures in measured:
        if measures["stochastic"]:
            text += f" {lane.title} has no error: a stochastic sampler has no ODE solution to be compared with"
            distance, floor = measures["distance"], measures["floor"]
            at = "" if distance is None else f"; its distance to the data is {distance:.2g} (true samples: {floor:.2g})"
            text += f"{at}."
    return text.strip()


def _path(lane):
    return runner.path(lane.experiment)
