"""python -m app.work.guided_runs FOLDER: what guidance gains and costs, measured and written down for the page.

The points of the figures that assets/guidance.json does not hold yet are measured: all of them take about an hour on
two cores. FOLDER keeps the samples that are finished, and the same command goes on from there. `python -m tests.trials
guidance` measures all of it anew, and prints it as tables.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import fields
from functools import lru_cache
from pathlib import Path

from edm.base.atomic import atomic
from edm.base.resources import ASSETS
from edm.evaluation import Interval, Report, Weighed, over_weights, weighed
from edm.evaluation.weighed import gain
from edm.experiments.experiment import Experiment
from edm.sampling.guidance import GUIDANCES
from edm.sampling.settings import Sampling

PLACE = ASSETS / "guidance.json"
STEPS = 12
WEIGHTS = (1.0, 1.25, 1.5, 2.0, 3.0)  # of the difference of two models; of a classifier's gradient one less
GUIDES = ("digits_edm_005k", "digits_edm_020k", "digits_edm_040k")
INSIDE, BOUNDS = 2.0, (0.3, 1.0, 3.0)  # the weight within intervals of σ, and what bounds them
HIGHEST = 1e4  # above every level that is sampled here
SPAN = 3  # CFG++ goes from λ = 0 to 1 where w goes from 1 to 1 + this
SAMPLES = 2000
FEWER, SOME = (1.5, 2.0, 3.0), 500  # weights and samples of a model that takes minutes for each


def key(experiment: Experiment, count: int) -> str:
    """What tells a measurement from others."""
    return json.dumps([experiment.changed(count=None).document(), count])


def weight_of(kind: str, weight: float) -> float:
    """The weight of a kind of guidance that stands at w, which is that of the difference of two models: where
    classifiers are exact, it means the same for all but CFG++."""
    neutral = GUIDANCES[kind].neutral
    return (weight - 1) / SPAN if neutral is None else weight - 1 + neutral


def planned() -> list[tuple[Experiment, int]]:
    """What is measured: (how it is guided, how many samples)."""
    alone = Experiment(model="digits_edm", sampling=Sampling(steps=STEPS))
    found = [alone]
    for kind in ("free", "classifier"):
        found += [_led(alone, kind, weight) for weight in WEIGHTS[1:]]
    for guide in GUIDES:
        found += [alone.changed(guidance="auto", guide=guide, guidance_weight=weight) for weight in WEIGHTS[1:]]
    inside = alone.changed(guidance="free", guidance_weight=INSIDE)
    for bound in BOUNDS:
        found += [inside.changed(guidance_interval=ends) for ends in ((bound, HIGHEST), (0.0, bound))]
    found += [_led(alone, "apg", weight) for weight in WEIGHTS[1:]]
    found += [_led(alone, "cfgpp", weight) for weight in WEIGHTS]  # which is something at w = 1, too
    scenes = alone.changed(model="scenes_edm")
    slow = [scenes, *(_led(scenes, "free", weight) for weight in FEWER)]
    return [(experiment, SAMPLES) for experiment in found] + [(experiment, SOME) for experiment in slow]


def _led(experiment, kind, weight) -> Experiment:
    return experiment.changed(guidance=kind, guidance_weight=weight_of(kind, weight))


def measured(folder: str | None = None, known: dict[str, Report] | None = None) -> Iterator[tuple[str, Report]]:
    """(key, report) of each of them. known: those that need not be measured."""
    known = known or {}
    for experiment, count in planned():
        name = key(experiment, count)
        if name in known:
            yield name, known[name]
            continue
        for event in over_weights(experiment, [experiment.guidance_weight], count, keep=folder):
            if isinstance(event, Weighed):
                yield name, event.report


def tables(found: dict[str, Report]) -> str:
    """A table for each model, and for each kind of guidance whether it comes nearer to the data."""
    rows: dict[str, dict[str, list[Weighed]]] = {}
    for experiment, count in planned():
        report = found.get(key(experiment, count))
        if report is not None:
            of = rows.setdefault(experiment.model, {}).setdefault(_title(experiment), [])
            of.append(Weighed(experiment.guidance_weight, report))
    return "\n\n".join(f"{model}\n{_table(several)}" for model, several in rows.items())


def _table(rows: dict[str, list[Weighed]]) -> str:
    alone = rows["none"][0]
    lines = [weighed.table([*rows.items()], of="guidance"), ""]
    for title, several in rows.items():
        if title != "none":
            best = min(several, key=lambda one: one.report.distance)
            lines.append(
                f"{title}: {best.report.frechet:.3f} at w = {best.weight:g}, {gain(best.report, alone.report)}"
            )
    return "\n".join(lines)


def _title(experiment) -> str:
    """Of a line of the tables."""
    told = GUIDANCES[experiment.guidance].title
    if experiment.guide:
        told += f" by {experiment.guide}"
    if experiment.guidance_interval is None:
        return told
    low, high = experiment.guidance_interval
    return f"{told}, σ > {low:g}" if high == HIGHEST else f"{told}, σ ≤ {high:g}"


@lru_cache(maxsize=1)
def recorded() -> dict[str, Report]:
    """Those that ship."""
    return read(PLACE)


def read(place: Path) -> dict[str, Report]:
    """What `write` has written."""
    return {told["key"]: _report(told) for told in json.loads(place.read_text(encoding="utf-8"))["measured"]}


def _told(name: str, report: Report) -> dict:
    """A report without what is only long."""
    found = {
        field.name: getattr(report, field.name)
        for field in fields(report)
        if getattr(report, field.name) not in (None, ()) and field.name not in ("sampling", "intervals", "seconds")
    }
    intervals = {
        measure: [interval.low, interval.high, *interval.without] for measure, interval in report.intervals.items()
    }
    return {"key": name, **_short(found), "intervals": _short(intervals), "sampling": report.sampling.document()}


def _short(value):
    if isinstance(value, dict):
        return {name: _short(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_short(one) for one in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value


def _report(told: dict) -> Report:
    values = {name: value for name, value in told.items() if name != "key"}
    values["intervals"] = {
        measure: Interval(low, high, tuple(without)) for measure, (low, high, *without) in told["intervals"].items()
    }
    return Report(**values | {"sampling": Sampling.parse(told["sampling"]), "seconds": 0.0})


def write(found: dict[str, Report], place: Path = PLACE, of: dict[str, int] | None = None) -> None:
    """For the page, one measurement a line. of: how many images each model had learned from."""
    head = "" if of is None else f'"of": {json.dumps(of)}, '
    lines = ",\n".join(json.dumps(_told(name, report), ensure_ascii=False) for name, report in found.items())
    with atomic(place) as file:
        file.write(f'{{{head}"measured": [\n{lines}\n]}}\n'.encode())


def main() -> None:
    found: dict[str, Report] = {}
    for name, report in measured(sys.argv[1] if len(sys.argv) > 1 else None, recorded()):
        found[name] = report
        write(found)
        sys.stdout.write(f"{name}: {report.frechet:.3f}\n")
        sys.stdout.flush()
    sys.stdout.write(f"\n{tables(found)}\n")


if __name__ == "__main__":
    main()
