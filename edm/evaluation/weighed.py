"""Fidelity against diversity: the samples of a guided model, measured at several weights of its guidance.

import edm

experiment = edm.Experiment(model="digits_edm", guidance="free")
for event in edm.evaluation.over_weights(experiment, [1, 1.5, 2, 3], count=2000):
    if isinstance(event, edm.evaluation.Weighed):
        print(event.weight, event.report.frechet, event.report.precision, event.report.recall)

All weights have the same latents and classes, so that the difference of two of them (`difference`) is more certain than
each of their numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from edm.base.errors import Refused
from edm.data.settings import Data, data_learned
from edm.evaluation.estimates import difference
from edm.evaluation.evaluate import Progress, evaluate
from edm.evaluation.report import Report
from edm.evaluation.settings import check_alone
from edm.experiments import models, runner
from edm.training.loss import AT_ONCE

if TYPE_CHECKING:
    from edm.base.types import Device, StrPath
    from edm.experiments.experiment import Experiment
    from edm.experiments.model import Model
    from edm.training.parallel import World

MEASURED = {
    "frechet": "Fréchet distance",
    "precision": "precision",
    "recall": "recall",
    "inception_score": "inception score",
}


class Weighed(NamedTuple):
    """The report of a weight, each number with its interval."""

    weight: float
    report: Report


def over_weights(
    experiment: Experiment, weights: Iterable[float], count: int | None = None, reference: int | None = None,
    device: Device = "cpu", batch: int = AT_ONCE, *, keep: StrPath | None = None, world: World | None = None,
    wrap: Callable | None = None,
) -> Iterator[Progress | Weighed]:  # fmt: skip
    """Yields `Progress` over the samples of all weights, and each `Weighed` when it is finished.

    experiment: whose guidance it is; its count and class are not used: classes come as often as in the data, which are
    those that its model has learned. count, reference, batch, keep, world: as of `evaluate`. wrap: put around each
    denoiser that is evaluated, as of `edm.runner.denoiser`. Raises Refused at once for what does not fit.
    """
    model, values = models.of(experiment), [float(weight) for weight in weights]
    if experiment.label is not None and not experiment.by_turns(model):
        raise Refused("all classes are compared with the data; leave the class open")
    check_alone(experiment.guidance)
    if not values:
        raise Refused("there are no weights; give some, such as 1, 1.5, 2, 3")
    asked = [experiment.changed(guidance_weight=weight, count=None) for weight in values]
    data, place = data_of(model), runner.place(model, device, batch)
    evaluations = [
        evaluate(
            runner.denoiser(one, model, place, wrap), data, one.sampling, count, reference, place, batch, keep=keep,
            world=world, intervals=True,
        )
        for one in asked
    ]  # fmt: skip
    return _events(values, evaluations)


def _events(weights, evaluations):
    for k, (weight, events) in enumerate(zip(weights, evaluations, strict=True)):
        for event in events:
            if isinstance(event, Report):
                yield Weighed(weight, event)
            else:
                yield Progress(event.done + k * event.total, event.total * len(weights))


def data_of(model: Model) -> Data:
    """What samples of a model are compared with: what it has learned, or is the exact denoiser of."""
    if model.trained and (known := data_learned(model.header)) is not None:
        return known
    if model.dataset is None:
        raise Refused(f"{model.name} does not say what it has learned, so that there is nothing to compare with")
    return Data(dataset=model.dataset.name)


def verdict(found: Sequence[Weighed], neutral: float | None) -> str:
    """Whether guidance comes nearer to the data than none does, beyond chance: a sentence; "" without both."""
    alone = next((one.report for one in found if one.weight == neutral), None)
    others = [one for one in found if one.weight != neutral]
    if alone is None or not others:
        return ""
    best = min(others, key=lambda one: one.report.distance)
    return (
        f"The least distance with guidance is {stated(best.report)}, at w = {best.weight:g}; without it is "
        f"{stated(alone)}: {gain(best.report, alone)}."
    )


def gain(guided: Report, alone: Report) -> str:
    """Whether the Fréchet distance with guidance is less than without, from the same latents: half a sentence."""
    _, low, high = difference(guided, alone)
    paired = f"({low:+.3f} … {high:+.3f} from the same latents)".replace("-", "−")
    if _interval(guided)[1] < _interval(alone)[0]:
        return f"less, outside of both intervals {paired}"
    if high < 0:
        return f"less, though the two intervals overlap {paired}"
    return f"more {paired}" if low > 0 else f"no difference beyond chance {paired}"


def stated(report: Report) -> str:
    """The Fréchet distance with its interval."""
    low, high = _interval(report)
    return f"{report.frechet:.3f} ({low:.3f} … {high:.3f})"


def _interval(report) -> tuple[float, float]:
    known = report.intervals["frechet"]
    return known.low, known.high


def table(rows: Sequence[tuple[str, Sequence[Weighed]]], markdown: bool = False, of: str = "model") -> str:
    """One table: a line for each weight of each (title, reports), a column for each measure with its interval. of: what
    the titles are of."""
    heads = [of if markdown or len(rows) > 1 else "", "w", "NFE", *MEASURED.values()]
    lines = [
        [title, f"{weight:g}", f"{report.evaluations}", *(_cell(report, name) for name in MEASURED)]
        for title, found in rows
        for weight, report in found
    ]
    if markdown:
        bars = [heads, ["---", *("--:" for _ in heads[1:])], *lines]
        text = "\n".join(f"| {' | '.join(cells)} |" for cells in bars)
    else:
        columns = list(zip(*([heads, *lines] if heads[0] else [row[1:] for row in [heads, *lines]]), strict=True))
        widths = [max(map(len, column)) for column in columns]
        text = "\n".join(
            "  ".join(
                f"{cell:{'<' if len(rows) > 1 and not k else '>'}{width}}"
                for k, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in zip(*columns, strict=True)
        )
    return f"{text}\n\n{_told([report for _, found in rows for _, report in found])}"


def _cell(report, name) -> str:
    value = getattr(report, name)
    if value is None:
        return "–"
    interval = report.intervals[name]
    return f"{value:.3f} ({interval.low:.3f}–{interval.high:.3f})"


def _told(reports) -> str:
    """What was measured, and how the intervals were found."""
    sets = dict.fromkeys(
        f"{one.count} samples against {one.against} of {one.dataset}, N = {one.sampling.steps}, {one.measure}"
        f"{'' if one.floor is None else f', of as many true samples {one.floor:.3f}'}"
        for one in reports
    )
    return (
        f"{'; '.join(sets)}. In parentheses 95 % intervals, by the jackknife over groups of the samples; all weights "
        "have the same latents and classes."
    )
