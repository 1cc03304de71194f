"""The sweep: two knobs as axes; every cell is a picture, or a number with its uncertainty."""

from __future__ import annotations

import json
import math
import time
from contextlib import suppress

from pydantic import model_validator

from app.figures import pack
from app.instruments import choosing
from app.instruments.base import Instrument, View, option
from app.instruments.guided import independent
from app.instruments.timing import evaluation_seconds, said
from app.messages import comparisons
from edm import diagnostics, models, presets
from edm.base.choices import titles
from edm.base.errors import Refused
from edm.base.fields import choices, symbol
from edm.diagnostics import MEASURES, Axis, Cell, Sweep
from edm.diagnostics.axes import PAIR, SAMPLES
from edm.diagnostics.pairings import EXAMPLES as PAIRS
from edm.diagnostics.pairings import Pairing
from edm.diagnostics.ranges import EXAMPLES
from edm.embedded import in_plane
from edm.experiments.experiment import Experiment
from edm.plots.looks import YOURS
from edm.plots.panels import rounded
from edm.sampling.settings import Sampling

AT_ONCE_SECONDS, BRIEF_SECONDS = 20, 2  # sweeps longer than this wait for a click; and where others wait, too
POINTS, IMAGES = 200, 4  # of a cell, unless the measure wants more
UPDATE_SECONDS = 0.4
AS_THERE = {YOURS: "as in the Sampler tab"}
RANGE = f"{EXAMPLES}; names by commas, or all; of pairs {PAIRS}"


def axes() -> dict[str, str]:
    """The knobs that can be an axis: numbers first, then what is chosen by name, and a solver with its time steps."""
    named = {*choices(Sampling), "label", "model"}
    found = sorted(diagnostics.sweepable().keys() - {"count"}, key=list(diagnostics.sweepable()).index)
    return {**{name: _written(name) for name in sorted(found, key=lambda name: name in named)}, PAIR: "solver and grid"}


def _written(name: str) -> str:
    """A knob as it stands in the paper, with its own name where that is not the same word."""
    written = symbol(Sampling if name in Sampling.model_fields else Experiment, name)
    return f"{written} ({name})" if written.isascii() and written != name else written


def sampled() -> dict[str, str]:
    """The models, and that of the Sampler tab."""
    found = {model.name: model.title for model in models.every() if not model.trained}
    found.pop("drawn", None)
    return {**AS_THERE, **found, **choosing.trained_titles()}


def measures() -> dict[str, str]:
    """What a cell can show."""
    return {SAMPLES: "pictures", **titles(MEASURES)}


class Sweeping(View):
    """What the sweep shows."""

    x: str = option("steps", "x", "Knob along the columns", choices=axes, list=True, section="Columns")
    x_range: str = option("4-32 (+4)", "values", RANGE, section="Columns", pairs="range")
    y: str = option(
        "S_churn", "y", "Knob along the rows", choices=lambda: {**axes(), "none": "none"}, list=True, section="Rows"
    )
    y_range: str = option("0,2,5,10,20", "values", RANGE, section="Rows", pairs="range")
    measure: str = option(SAMPLES, "cells", "What a cell shows", choices=measures, list=True, section="Cells")
    seeds: int = option(
        1, "seeds", "Repeats of each cell, with the same noise in all cells", slider=(1, 12), step=1, ge=1, le=64,
        section="Cells",
    )  # fmt: skip
    model: str = option(YOURS, "model", "What is sampled", choices=sampled, list=True, section="All else")
    design: str = option(
        YOURS,
        "design",
        "The settings that no axis changes",
        choices=lambda: {**AS_THERE, **presets.titles()},
        list=True,
        section="All else",
    )
    guidance: str = option(
        YOURS,
        "guidance",
        "The guidance that no axis changes; its weight and interval are the Sampler tab's, or axes",
        choices=lambda: {**AS_THERE, **independent()},
        list=True,
        section="All else",
    )
    run: bool = option(False, "run", "Start, however long it takes", hidden=True)

    @model_validator(mode="after")
    def _pairs_by_own_names(self):
        """So that the page's list knows them; what cannot be read is told where it is asked for."""
        for axis in ("x", "y"):
            if getattr(self, axis) == PAIR:
                with suppress(Refused):
                    pairs = Axis.parse(PAIR, getattr(self, f"{axis}_range")).values
                    object.__setattr__(self, f"{axis}_range", ",".join(map(str, pairs)))
        return self


def sweep_of(settings: Sweeping, yours: Experiment) -> Sweep:
    """The sweep that is described. Raises SettingsError with a sentence for what cannot be."""
    base = yours
    if settings.model != YOURS:
        base = yours.changed(model=settings.model, points=None, label=None, guide=None)
    if settings.guidance != YOURS:
        base = base.changed(guidance=settings.guidance)
    if settings.design != YOURS:
        base = base.changed(
            sampling=presets.load(f"designs/{settings.design}").sampling.changed(seed=yours.sampling.seed)
        )
    image = len(models.of(base).shape) == 3
    wanted = MEASURES[settings.measure].images if settings.measure in MEASURES else None
    count = (wanted or IMAGES) if image else POINTS
    base = base.changed(count=count, sampling={"sigmas": None})
    x = Axis.parse(settings.x, settings.x_range)
    y = None if settings.y == "none" else Axis.parse(settings.y, settings.y_range)
    first = base.sampling.seed
    steps = 64 if image else diagnostics.REFERENCE_STEPS
    return Sweep(base, x, y, tuple(range(first, first + settings.seeds)), settings.measure, steps)


def respond(settings: Sweeping, context):
    sweep = sweep_of(settings, context.yours)
    rows, columns = sweep.shape
    model = models.of(sweep.experiment)
    body = {
        "axes": {"x": _labels(sweep.x), "y": _labels(sweep.y)},
        "shape": list(pack.drawn_shape(model.shape)),
        "curve": sweep.y is None and sweep.measure != SAMPLES,
        "python": _python(settings, sweep),
    }
    yield {**body, **_filled(sweep, []), "summary": f"{rows} × {columns} cells; counting evaluations …"}, False
    plan = context.work.remember(
        ("plan", sweep, model.identity), lambda: diagnostics.plan_sweep(sweep, wrap=context.watch)
    )
    seconds = evaluation_seconds(sweep.experiment, model, context) * (plan.shared + plan.references)
    body["plan"] = _described(sweep, plan, seconds)
    most = AT_ONCE_SECONDS if context.watch.alone else BRIEF_SECONDS
    waiting = seconds > most and not settings.run
    told = f"{body['plan']} Press Run to start it{'' if context.watch.alone else '; others wait now'}."
    yield {**body, **_filled(sweep, []), "waiting": waiting, "summary": told if waiting else body["plan"]}, waiting
    if waiting:
        return
    shown = time.perf_counter()
    cells = diagnostics.run_sweep(sweep, wrap=context.watch, device=context.work.device, plan=plan)
    for done, ended in context.paced(cells):
        if ended or time.perf_counter() - shown > UPDATE_SECONDS:
            shown = time.perf_counter()
            summary = _summary(sweep, plan, done) if ended else body["plan"]
            yield {**body, **_filled(sweep, done), "waiting": False, "summary": summary}, ended


def _described(sweep, plan, seconds):
    rows, columns = sweep.shape
    refused = sum(cell.experiment is None for cell in plan.cells)
    text = f"{rows} × {columns} cells, {plan.naive:,} evaluations"
    if plan.shared < plan.naive:
        text += f", {plan.shared:,} with what cells share"
    if plan.references:
        text += f", and {plan.references:,} for exact solutions"
    text += f": about {said(seconds)}."
    if refused:
        text += f" {refused} cells have settings that do not go together."
    return text


def _labels(axis):
    if axis is None:
        return {"name": "", "values": [""]}
    return {"name": axis.name, "values": [_label(value) for value in axis.values]}


def _label(value):
    if isinstance(value, Pairing):
        return value.title
    if value is None:
        return "none"
    if isinstance(value, tuple):
        return "–".join(map(_label, value))
    return f"{value:.4g}".replace("inf", "∞") if isinstance(value, float) else str(value)


def _filled(sweep, cells: list[Cell]) -> dict:
    """The cells so far, for the page: what they show, and their numbers as a figure."""
    rows, columns = sweep.shape
    plane = models.of(sweep.experiment).plane
    crowded = rows * columns > 30
    shown, numbers = [], {key: [[None] * columns for _ in range(rows)] for key in ("z", "low", "high")}
    for cell in cells:
        value, low, high = cell.interval if cell.values else (math.nan,) * 3
        item = {"row": cell.row, "column": cell.column, "problem": cell.problem}
        item["value"], item["low"], item["high"] = rounded((value, low, high))
        for key, name in (("z", "value"), ("low", "low"), ("high", "high")):
            numbers[key][cell.row][cell.column] = item[name]
        if cell.experiment is not None:
            item["document"] = json.dumps(cell.experiment.document())
        if cell.samples is not None and sweep.measure == SAMPLES:
            image = cell.samples.ndim == 4
            some = cell.samples[: (1 if crowded and cell.samples[0].numel() > 1000 else IMAGES) if image else POINTS]
            item["samples"] = pack.uint8(some.numpy()) if image else pack.float32(in_plane(some, plane).numpy())
            item["count"] = len(some)
        shown.append(item)
    heat = {"x": _labels(sweep.x)["values"], "y": _labels(sweep.y)["values"], **numbers, "title": sweep.measure}
    return {"cells": shown, "figure": {"panels": [{"title": sweep.measure, "heat": heat}]}}


def _summary(sweep, plan, cells):
    valued = [cell for cell in cells if cell.values and math.isfinite(cell.interval[0])]
    saved = plan.naive / max(plan.shared, 1)
    text = f"{len(cells)} cells, {plan.shared:,} evaluations"
    text += f" ({saved:.2f} × fewer than naively)." if plan.shared < plan.naive else "."
    text += _without(sweep, cells) + _idle(sweep, cells)
    if not valued:
        return text
    ranked = sorted(valued, key=lambda cell: cell.interval[0])
    best = ranked[0]
    text += f" Least {measures()[sweep.measure]} {best.interval[0]:.3g} at {_where(sweep, best)}."
    if len(sweep.seeds) > 1 and len(ranked) > 1:
        ties = [c for c in ranked[1:] if not diagnostics.compare(best.values, c.values).significant]
        verdict = diagnostics.compare(best.values, ranked[1].values).text
        text += f" Against the next, {_where(sweep, ranked[1])}: {verdict}."
        text += f" {len(ties)} of {len(ranked) - 1} other cells do not differ significantly from the least."
    return text


def _without(sweep, cells):
    """Why there are dashes."""
    dashed = [cell for cell in cells if cell.problem]
    if not dashed:
        return ""
    first, more = dashed[0], f", and {len(dashed) - 1} more" if len(dashed) > 1 else ""
    return f" A dash at {_where(sweep, first)}{more}: {first.problem}."


def _idle(sweep, cells):
    """Where an axis changes nothing, so that nobody takes equal cells for a finding."""
    told: dict[str, list[Cell]] = {}
    for cell in (cell for cell in cells if cell.experiment is not None):
        for name in sweep.idle(cell.row, cell.column):
            told.setdefault(name, []).append(cell)
    return "".join(
        f" {name} changes nothing in {len(found)} of the cells, at {_where(sweep, found[0])} for one."
        for name, found in told.items()
    )


def _where(sweep, cell):
    axes = [(sweep.x, cell.column), *([] if sweep.y is None else [(sweep.y, cell.row)])]
    return ", ".join(
        _label(axis.values[k]) if axis.name == PAIR else f"{axis.name} = {_label(axis.values[k])}" for axis, k in axes
    )


def _python(settings, sweep):
    y = "None" if sweep.y is None else f"Axis.parse({settings.y!r}, {settings.y_range!r})"
    return f"""import edm
from edm.diagnostics import Axis, Sweep, plan_sweep, run_sweep

experiment = edm.Experiment.parse({sweep.experiment.document()!r})
sweep = Sweep(experiment, Axis.parse({settings.x!r}, {settings.x_range!r}), {y}, {sweep.seeds!r}, {sweep.measure!r})
plan = plan_sweep(sweep)
print(len(plan.cells), "cells,", plan.naive, "evaluations,", plan.shared, "with what cells share")
for cell in run_sweep(sweep):
    print(cell.row, cell.column, cell.values, cell.problem)
"""


INSTRUMENT = Instrument(
    "sweep",
    "compare",
    "Sweep",
    "Any two knobs as axes: what do all their combinations give?",
    Sweeping,
    respond,
    script="sweep",
    body=comparisons.Sweep,
)
