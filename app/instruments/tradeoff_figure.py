"""What is known of the trade-off of fidelity and diversity, and how it is drawn."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator

from app.figures import pack
from app.instruments.base import Context
from app.instruments.tradeoff_lines import Line, Tradeoff, base
from app.work import guided_runs
from app.work.measures import final
from edm.evaluation import Report, weighed
from edm.experiments.experiment import Experiment
from edm.experiments.models import Model
from edm.plots.panels import MARKED, rounded

SMALL, FEW, FEWER = 256, 16, 6  # numbers of a small image; pictures of each setting of such, and of others


class Found:
    """What is known so far. known: key of `guided_runs` -> report."""

    def __init__(self, settings: Tradeoff, model: Model, asked: list[Line], known: dict[str, Report]):
        self.settings, self.model, self.lines, self.known = settings, model, asked, known
        self._pictures: dict[str, str] = {}
        small = math.prod(model.shape) <= SMALL
        self._few = FEW if small else FEWER

    def _key(self, experiment) -> str:
        return guided_runs.key(experiment, self.settings.count)

    @property
    def asked(self) -> list[Experiment]:
        """Each of them once."""
        every = [point.experiment for line in self.lines for point in line.points]
        if self.settings.over == "interval":
            every += [point for line in self.lines for point in self._references(line)]
        return list({self._key(experiment): experiment for experiment in every}.values())

    @property
    def missing(self) -> list[Experiment]:
        """Those that are not measured."""
        return [experiment for experiment in self.asked if self._key(experiment) not in self.known]

    def _references(self, line) -> list[Experiment]:
        """Of a line over intervals: without guidance, and guided everywhere."""
        if not line.points:
            return []
        return [base(self.settings, self.model), line.points[0].experiment.changed(guidance_interval=None)]

    def report(self, experiment: Experiment) -> Report | None:
        return self.known.get(self._key(experiment))

    def draw(self, context: Context) -> Iterator[None]:
        """Pictures of one setting after the other."""
        for line in self.lines:
            for point in line.points:
                few = point.experiment.changed(count=self._few)
                key = self._key(point.experiment)
                if key not in self._pictures:
                    samples = final(few, context.work, context.watch, self.model)
                    self._pictures[key] = pack.uint8(samples.numpy())
                    yield

    def body(self, said: str | None = None, waiting: bool = False) -> dict:
        """For the page. said: in the place of the summary."""
        return {
            "figure": {"panels": self._panels(), "columns": 4},
            "summary": self._summary() if said is None else said,
            "python": _python(self.settings, self.lines),
            "shape": list(self.model.shape),
            "count": self._few,
            "waiting": waiting,
            "lines": [
                {
                    "title": line.title,
                    "color": line.look.color,
                    "error": line.failed,
                    "pictures": [
                        {
                            "title": point.title,
                            "samples": self._pictures.get(self._key(point.experiment)),
                            "document": json.dumps(point.experiment.document()),
                        }
                        for point in line.points
                    ],
                }
                for line in self.lines
            ],
        }

    def _panels(self) -> list[dict]:
        interval = self.settings.over == "interval"
        x = {"title": "σ" if interval else "w", "log": interval}
        floor = next((report.floor for e in self.asked if (report := self.report(e)) is not None), None)
        panels = []
        for name, title in weighed.MEASURED.items():
            marks = [{"y": floor, "text": "true samples"}] if name == "frechet" and floor is not None else []
            marks += self._marks(name) if interval else []
            drawn = [self._drawn(line, name) for line in self.lines if line.points]
            panels.append({"title": title, "x": x, "y": {}, "lines": drawn, "marks": marks})
        return panels

    def _marks(self, name) -> list[dict]:
        marks = []
        for text, k in (("no guidance", 0), ("at every σ", 1)):
            known = [self.report(self._references(line)[k]) for line in self.lines[:1] if line.points]
            if known and known[0] is not None:
                marks.append({"y": getattr(known[0], name), "text": text})
        return marks

    def _drawn(self, line, name) -> dict:
        known = [(point.x, report) for point in line.points if (report := self.report(point.experiment)) is not None]
        drawn = {"name": line.title, "color": line.look.color, "dash": line.look.dash, **MARKED}
        drawn |= {"x": [x for x, _ in known], "y": rounded(getattr(report, name) for _, report in known)}
        if known:
            ends = [report.intervals[name] for _, report in known if report.intervals]
            drawn |= {"low": rounded(end.low for end in ends), "high": rounded(end.high for end in ends)}
        return drawn

    def _summary(self) -> str:
        alone = self.report(base(self.settings, self.model))
        said = [self._said(line, alone) for line in self.lines]
        if alone is None:
            return " ".join(filter(None, said))
        about = (
            f"{alone.count:,} samples at each point against {alone.reference:,} of {alone.dataset}, in "
            f"{alone.features}; bands hold 95 %, by the jackknife over groups of samples."
        )
        return f"Fréchet distance without guidance {weighed.stated(alone)}. {' '.join(filter(None, said))} {about}"

    def _said(self, line, alone) -> str:
        if line.failed:
            return f"{line.title}: {line.failed}."
        known = [(point, report) for point in line.points if (report := self.report(point.experiment)) is not None]
        guided = [pair for pair in known if pair[0].experiment.guidance != "none"]
        if alone is None or not guided:
            return ""
        least, best = min(guided, key=lambda pair: pair[1].frechet)
        last, far = guided[-1]
        return (
            f"{line.title}: {best.frechet:.3f} at {least.title}, {weighed.gain(best, alone)}; at {last.title} "
            f"precision {alone.precision:.2f} → {far.precision:.2f}, recall {alone.recall:.2f} → {far.recall:.2f}."
        )


def _python(settings, asked) -> str:
    shown = [line for line in asked if line.points]
    entries = [f"    {line.title!r}: {[point.experiment.document() for point in line.points]!r}," for line in shown]
    listed = "\n".join(entries)
    return f"""import edm
from edm.evaluation import Weighed, over_weights

lines = {{
{listed}
}}
for title, documents in lines.items():
    for document in documents:
        experiment = edm.Experiment.parse(document)
        for event in over_weights(experiment, [experiment.guidance_weight], {settings.count}):
            if isinstance(event, Weighed):
                print(title, event.weight, event.report.frechet, event.report.precision, event.report.recall)
"""
