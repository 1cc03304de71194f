"""What is known of a cascade, and how it is drawn: pictures at each σ_c, and what was measured over σ_c."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cached_property

import torch

from app.figures import pack
from app.instruments.base import Context
from app.instruments.cascade_lines import LINES, Cascading
from app.instruments.groups import short
from app.work import cascade_runs, guided_runs
from app.work.measures import final
from edm import models, runner
from edm.data import sources
from edm.diagnostics import parse_range
from edm.evaluation import Report, difference, weighed
from edm.experiments import cascades, true_images
from edm.experiments.experiment import Experiment
from edm.experiments.models import Model
from edm.plots.looks import counted
from edm.plots.panels import MARKED, rounded
from edm.sampling.cascade import noised
from edm.sampling.denoisers import on
from edm.sampling.ideal_upsampling import IdealUpsampler
from edm.sampling.loop import last, sample
from edm.sampling.noise import seeds
from edm.sampling.upsampling import LEAST, given, lowered

NEAR = 1.3  # times another number: their words would lie over each other
FEW = 4  # samples at each σ_c
EXAMPLES = 1500  # training images of which the ideal upsampler is
MADE = {"network": "the network", "ideal": "the exact denoiser"}


def _cost(value: float, low: float, high: float) -> str:
    """With its interval, and whether it is more than chance."""
    chance = ", no more than chance" if low <= 0 <= high else ""
    return f"{value:.2f} ({low:.2f} … {high:.2f}{chance})".replace("-", "−")


class Found:
    """What is known so far. known: key of `guided_runs` -> report."""

    def __init__(self, settings: Cascading, model: Model, known: dict[str, Report]):
        self.settings, self.model, self.known = settings, model, known
        self.levels = parse_range(settings.levels, "cascade_noise")
        self._low: torch.Tensor | None = None
        self._made: dict[float, dict[str, torch.Tensor]] = {}

    def experiment(self, base: str, sigma_c: float) -> Experiment:
        """What is drawn, and measured."""
        return cascade_runs.staged(base, sigma_c, self.settings.steps, self.settings.seed, self.model.name)

    @cached_property
    def points(self) -> dict[str, list[Experiment]]:
        """Of each line of the chart."""
        return {base: [self.experiment(base, level) for level in self.levels] for base in LINES}

    def report(self, experiment: Experiment) -> Report | None:
        return self.known.get(guided_runs.key(experiment, self.settings.count))

    @property
    def missing(self) -> list[Experiment]:
        """Those that are not measured."""
        return [one for line in self.points.values() for one in line if self.report(one) is None]

    def draw(self, context: Context) -> Iterator[None]:
        """The low-resolution images, then what is made of them with one noise after the other."""
        few = self.experiment(self.settings.base, 0).changed(count=FEW)
        place = context.place(self.model)
        x, labels = runner.start(few, place, model=self.model)
        own = seeds(few.sampling.seed, FEW)
        if self.settings.base == "data":
            low = true_images.of(self.model).drawn(own, labels, x)
        else:
            steps = few.changed(sampling={"steps": few.cascade_steps or few.sampling.steps})
            low = final(cascades.base_experiment(steps, self.model), context.work, context.watch).to(place)
        self._low = low.cpu()
        yield
        network = context.denoiser(self.model, place)
        for level in self.levels:
            z, made = noised(low, level, own), {}
            self._made[level] = made
            made["noised"] = z.cpu()
            with context.watch.turn():
                made["network"] = last(sample(given(network, z, level), x, few.sampling, labels, seeds=own)).x.cpu()
            yield
            ideal = context.watch(on(self._ideal(context).given(z, max(level, LEAST)), place))
            with context.watch.turn():
                made["ideal"] = last(sample(ideal, x, few.sampling, labels, seeds=own)).x.cpu()
            yield

    def _ideal(self, context) -> IdealUpsampler:
        def make():
            split = true_images.learned(self.model)
            most = EXAMPLES if split.kept is None else min(EXAMPLES, len(split.kept))
            images, labels = sources.read(split.source, split.training(range(most), 0))
            return IdealUpsampler(images, self._size, labels if self.model.classes else None)

        return context.work.remember(("ideal upsampler", self.model.identity), make)

    @property
    def _size(self) -> int:
        return cascades.low_shape(self.model)[-1]

    def body(self, said: str | None = None, waiting: bool = False) -> dict:
        """For the page. said: in the place of the summary."""
        return {
            "figure": {"panels": [self._distances(), self._departures()], "columns": 2},
            "summary": self._summary() if said is None else said,
            "python": self._python(),
            "shape": list(self.model.shape),
            "lowShape": list(cascades.low_shape(self.model)),
            "count": FEW,
            "examples": EXAMPLES,
            "waiting": waiting,
            "low": None if self._low is None else pack.uint8(self._low.numpy()),
            "levels": [
                {
                    "sigma": level,
                    "document": json.dumps(self.experiment(self.settings.base, level).document()),
                    **{
                        name: pack.uint8(made[name].numpy()) if name in made else None
                        for name in ("noised", "network", "ideal")
                    },
                }
                for level in self.levels
                for made in [self._made.get(level, {})]
            ],
        }

    def _distances(self) -> dict:
        """The Fréchet distance over σ_c from each base, beside that of true samples and of one stage."""
        lines, marks = [], []
        for k, (base, points) in enumerate(self.points.items()):
            known = [(one.cascade_noise, report) for one in points if (report := self.report(one)) is not None]
            ends = [report.intervals["frechet"] for _, report in known if report.intervals]
            lines.append({
                "name": LINES[base], "color": counted(k + 1).color, "dash": counted(k).dash, **MARKED,
                "x": [x for x, _ in known], "y": rounded(report.distance for _, report in known),
                "low": rounded(end.low for end in ends), "high": rounded(end.high for end in ends),
            })  # fmt: skip
        every = [report for line in self.points.values() for one in line if (report := self.report(one)) is not None]
        y = {"title": "Fréchet distance", "log": True, "range": [1, 10]}
        if every:
            marks = self._marks(every[0].floor)
            ends = [report.intervals["frechet"] for report in every if report.intervals]
            low, high = min(report.distance for report in every), max(report.distance for report in every)
            y["range"] = [min([low, *(max(end.low, low / 4) for end in ends)]) / 1.2, 1.2 * high]
        return {"x": self._across, "y": y, "lines": lines, "marks": marks}

    def _marks(self, floor) -> list[dict]:
        """What true samples read, and one stage; where these are too near to be told apart, one of them names both."""
        single, title = self._single, f"{cascade_runs.ALONE}, one stage"
        if single is not None and floor and max(single.distance / floor, floor / single.distance) < NEAR:
            return [{"y": floor, "text": f"true samples; {title}"}]
        marks = [] if floor is None else [{"y": floor, "text": "true samples"}]
        return marks + ([] if single is None else [{"y": single.distance, "text": title}])

    @property
    def _across(self) -> dict:
        low, high = min(self.levels), max(self.levels)
        edge = 0.06 * (high - low) or 0.05
        return {"title": "σ<sub>c</sub>", "range": [low - edge, high + edge]}

    @property
    def _single(self) -> Report | None:
        """What makes the same images in one stage, in about the same time."""
        return self.report(cascade_runs.alone(self.settings.seed)) if self._ships else None

    @property
    def _ships(self) -> bool:
        return (self.model.name, self.settings.steps) == (cascade_runs.MODEL, cascade_runs.STEPS)

    def _departures(self) -> dict:
        """How far what is made larger is from its low-resolution image, of the pictures."""
        lines = []
        for k, (name, title) in enumerate(MADE.items()):
            known = [(level, self._departure(name, level)) for level in self.levels]
            known = [(level, value) for level, value in known if value is not None]
            lines.append({
                "name": title, "color": counted(k + 4).color, "dash": counted(k).dash, **MARKED,
                "x": [level for level, _ in known], "y": rounded(value for _, value in known),
            })  # fmt: skip
        y = {"title": "RMS, A·x − low-resolution"}
        return {"x": self._across, "y": y, "lines": [line for line in lines if line["x"]]}

    def _departure(self, name, level) -> float | None:
        made = self._made.get(level, {}).get(name)
        if made is None or self._low is None:
            return None
        return float((lowered(made, self._size) - self._low).square().mean().sqrt())

    def _summary(self) -> str:
        return " ".join(filter(None, [self._stages(), *map(self._gained, LINES), self._beside(), self._followed()]))

    def _stages(self) -> str:
        """Which stage costs how much, without noise."""
        first = {base: self.report(points[0]) for base, points in self.points.items()}
        true, drawn = first["data"], first["sampled"]
        if true is None or drawn is None or true.floor is None:
            return ""
        interval = true.intervals["frechet"]
        upsampler = _cost(*(value - true.floor for value in (true.distance, interval.low, interval.high)))
        return (
            f"Fréchet distance at σ_c = {self.levels[0]:g}: {weighed.stated(true)} from true images made small, "
            f"{weighed.stated(drawn)} from a model's samples, where as many true samples read {true.floor:.2f}. So the "
            f"upsampler costs {upsampler}, the base {_cost(*difference(drawn, true))}."
        )

    def _gained(self, base) -> str:
        """Whether noise comes nearer to the data, beyond chance."""
        known = [(one.cascade_noise, report) for one in self.points[base] if (report := self.report(one)) is not None]
        if len(known) < 2 or known[0][0] != 0:
            return ""
        level, best = min(known[1:], key=lambda pair: pair[1].distance)
        return f"Noise for {LINES[base]}: {best.distance:.2f} at σ_c = {level:g}, {weighed.gain(best, known[0][1])}."

    def _beside(self) -> str:
        single = self._single
        if single is None:
            return ""
        title = short(models.load(cascade_runs.ALONE))
        return f"{title} in one stage, N = {cascade_runs.ALONE_STEPS}: {weighed.stated(single)}."

    def _followed(self) -> str:
        """How much the pictures depart from what they are made of."""
        known = [self._departure(name, level) for name in MADE for level in (self.levels[0], self.levels[-1])]
        if len(self.levels) < 2 or any(value is None for value in known):
            return ""
        network, further, ideal, furthest = known
        return (
            f"From σ_c = {self.levels[0]:g} to {self.levels[-1]:g} pictures depart from their low-resolution images by "
            f"{network:.3f} → {further:.3f} (network), {ideal:.3f} → {furthest:.3f} (the exact denoiser of "
            f"{EXAMPLES:,} training images, of which each of its samples is one)."
        )

    def _python(self) -> str:
        documents = {base: [one.document() for one in points] for base, points in self.points.items()}
        listed = "\n".join(f"    {LINES[base]!r}: {found!r}," for base, found in documents.items())
        return f"""import edm
from edm.evaluation import Weighed, over_weights

lines = {{
{listed}
}}
for title, documents in lines.items():
    for document in documents:
        experiment = edm.Experiment.parse(document)
        for event in over_weights(experiment, [1], {self.settings.count}, reference={cascade_runs.REFERENCE}):
            if isinstance(event, Weighed):
                print(title, experiment.cascade_noise, event.report.frechet, event.report.intervals["frechet"])
"""
