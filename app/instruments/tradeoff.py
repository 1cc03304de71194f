"""Fidelity against diversity: precision, recall and distance over the weight of guidance, and pictures at each weight.

What was recorded (`app.work.guided_runs`), or measured here before, is there at once; the rest is measured now, a
setting after the other, where that does not take long, or somebody wants it.
"""

from __future__ import annotations

import time

from app.instruments.base import Instrument
from app.instruments.timing import evaluation_seconds, said
from app.instruments.tradeoff_figure import Found
from app.instruments.tradeoff_lines import Tradeoff, lines
from app.messages import comparisons
from app.work import guided_runs
from edm import models, runner
from edm.evaluation import Weighed, over_weights
from edm.experiments.experiment import Experiment

AT_ONCE_SECONDS, BRIEF_SECONDS = 20, 2  # what takes longer waits for a click; and where others wait, too
UPDATE_SECONDS = 0.4
BATCH = 100  # samples at once
TIMED = 16  # of those, on which the time is measured that all will take


def respond(settings: Tradeoff, context):
    model = models.load(settings.model)
    yield from answered(Found(settings, model, lines(settings, model), guided_runs.recorded() | kept(context)), context)


def answered(found, context, reference: int | None = None):
    """The answers of whatever draws pictures, and points whose samples are measured; see `tradeoff_figure.Found`.
    reference: samples of the data that each is compared with; None: see `edm.evaluation.evaluate`."""
    settings, model = found.settings, found.model
    yield found.body("Drawing pictures …"), False
    for _ in found.draw(context):
        yield found.body("Drawing pictures …"), False
    wanted = found.missing
    if not wanted:
        yield found.body(), True
        return
    seconds = sum(_seconds(settings, model, experiment, context) for experiment in wanted)
    plan = f"{len(wanted)} points of {settings.count:,} samples are to be measured: about {said(seconds)}"
    most = AT_ONCE_SECONDS if context.watch.alone else BRIEF_SECONDS
    if seconds > most and not settings.run:
        there = "" if context.watch.alone else "; others wait now"
        yield found.body(f"{plan}. Press Run to start{there}.", waiting=True), True
        return
    shown = time.perf_counter()
    for done, ended in context.paced(_measured(settings, wanted, context, reference)):
        for key, event in done:
            if isinstance(event, Weighed):
                found.known[key] = kept(context)[key] = event.report
        if ended or time.perf_counter() - shown > UPDATE_SECONDS:
            shown = time.perf_counter()
            yield found.body(None if ended else _progress(plan, done, wanted)), ended


def kept(context) -> dict:
    """What was measured here before: key of `guided_runs` -> report."""
    return context.work.remember("tradeoff", dict)


def _seconds(settings, model, experiment, context) -> float:
    """About what a point takes."""
    few = experiment.changed(count=TIMED)
    evaluations = runner.path(experiment, model).evaluations
    return evaluation_seconds(few, model, context) * evaluations * settings.count / TIMED


def _measured(settings, wanted: list[Experiment], context, reference):
    """(key, event) of each point after the other."""
    for experiment in wanted:
        key = guided_runs.key(experiment, settings.count)
        for event in over_weights(
            experiment, [experiment.guidance_weight], settings.count, reference, context.work.device, BATCH,
            wrap=context.watch,
        ):  # fmt: skip
            yield key, event


def _progress(plan, done, wanted) -> str:
    _, event = done[-1]
    finished = sum(isinstance(one, Weighed) for _, one in done)
    share = 0 if isinstance(event, Weighed) else event.done / event.total
    return f"{plan}; {finished} of {len(wanted)} are, and {100 * share:.0f} % of the next."


INSTRUMENT = Instrument(
    "tradeoff",
    "compare",
    "Fidelity–diversity",
    "What does guidance gain, and what does it cost? Precision, recall and distance to the data over its weight.",
    Tradeoff,
    respond,
    script="tradeoff",
    body=comparisons.Tradeoff,
)
