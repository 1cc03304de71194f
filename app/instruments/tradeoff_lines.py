"""What the trade-off of fidelity and diversity asks: a model, the kinds of guidance, and the points on each line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from app.instruments import choosing
from app.instruments.base import View, option
from app.instruments.groups import short
from app.instruments.guided import independent, look_of_kind
from app.instruments.starts import seed_option
from app.sentences.visible import without_folders
from app.work import guided_runs
from edm import models
from edm.base.errors import Refused
from edm.diagnostics import parse_range
from edm.diagnostics.ranges import EXAMPLES
from edm.evaluation import COUNT
from edm.evaluation.classifiers import DESIGNS
from edm.experiments import guides as guides_of
from edm.experiments.experiment import Experiment
from edm.experiments.models import Model
from edm.plots.looks import Look, counted
from edm.sampling.guidance import GUIDANCES
from edm.sampling.settings import Sampling

OVER = {"weight": "weight w", "interval": "interval of σ"}


def _written(values) -> str:
    return ",".join(f"{value:g}" for value in values)


def offered() -> dict[str, str]:
    """Networks of images that know classes, of data in whose features a distance is measured."""
    found = choosing.trained_titles()
    return {name: title for name, title in found.items() if _measurable(models.load(name))}


def guides() -> dict[str, str]:
    """The worse ones of those: the earlier checkpoints of a run."""
    found = [models.load(name) for name in offered()]
    ends = {model.family: model.name for model in found}
    early = [model for model in found if ends[model.family] != model.name]
    return {model.name: short(model) for model in early}


def _measurable(model) -> bool:
    return bool(model.classes) and choosing.data_of(model) in DESIGNS


def kinds() -> dict[str, str]:
    """The kinds of guidance."""
    return {name: title for name, title in independent().items() if name != "none"}


class Tradeoff(View):
    """What is guided, how, and how it is measured."""

    model: str = option("digits_edm", "model", "What is guided", choices=offered, list=True, section="Model")
    kinds: tuple[str, ...] = option(
        ("classifier", "free", "auto"),
        "kinds",
        "Kinds of guidance, each a line",
        choices=kinds,
        colors=lambda name: look_of_kind(name).color,
        section="Guidance",
    )
    guides: tuple[str, ...] = option(
        (),
        "guides",
        "Worse models that autoguidance leads away from, each a line; none: the earliest checkpoint of its own run",
        choices=guides,
        section="Guides of autoguidance",
    )
    over: str = option("weight", "over", "What changes along a line", choices=lambda: OVER, section="Along the line")
    weights: str = option(
        _written(guided_runs.WEIGHTS),
        "w",
        f"Weights: 1 is no guidance, of a classifier's w is one less, and of CFG++ λ is (w − 1)/3; {EXAMPLES}",
        section="Along the line",
        when={"over": ["weight"]},
    )
    weight: float = option(
        guided_runs.INSIDE, "w", "The weight that all have inside of the interval", slider=(1, 5), step=0.25,
        ge=-20, le=100, section="Along the line", when={"over": ["interval"]},
    )  # fmt: skip
    bounds: str = option(
        _written(guided_runs.BOUNDS),
        "σ",
        f"Bounds: guided only above, and only below, each of these levels; {EXAMPLES}",
        section="Along the line",
        when={"over": ["interval"]},
    )
    count: int = option(
        COUNT, "samples", "That are measured at each point", slider=(100, 10_000), log=True, ge=50, le=50_000,
        section="Measure",
    )  # fmt: skip
    steps: int = option(
        guided_runs.STEPS, "N", "Steps of the samples (EDM's sampler)", slider=(4, 40), step=1, ge=2, le=200,
        section="Measure",
    )  # fmt: skip
    seed: int = seed_option("The same noise for all", "Measure")
    run: bool = option(False, "run", "Start, however long it takes", hidden=True)


@dataclass(frozen=True)
class Point:
    """A setting on a line. x: where it stands; title: what it is called."""

    x: float
    title: str
    experiment: Experiment


@dataclass(frozen=True)
class Line:
    """A kind of guidance, or one half of the noise levels; failed: why it has no points."""

    title: str
    look: Look
    points: tuple[Point, ...] = ()
    failed: str | None = None


def lines(settings: Tradeoff, model: Model) -> list[Line]:
    """What is asked. Raises Refused where nothing is."""
    if not settings.kinds:
        raise Refused("no kind of guidance is chosen: choose one or more under Guidance")
    values = parse_range(settings.weights, "guidance_weight") if settings.over == "weight" else bounds(settings)
    return [line for kind in settings.kinds for line in _of_kind(settings, model, kind, values)]


def bounds(settings: Tradeoff) -> list[float]:
    """The levels that bound an interval."""
    return parse_range(settings.bounds, "sigma_min")


def base(settings: Tradeoff, model: Model) -> Experiment:
    """Without guidance."""
    return Experiment(model=model.name, sampling=Sampling(steps=settings.steps, seed=settings.seed))


def _of_kind(settings, model, kind, values) -> Iterator[Line]:
    title = GUIDANCES[kind].title
    chosen = settings.guides if kind == "auto" else ()
    try:
        found = chosen or ((guides_of.default(model).name,) if kind == "auto" else (None,))
    except Refused as error:
        yield Line(title, look_of_kind(kind), (), without_folders(str(error)))
        return
    for k, guide in enumerate(found):
        own = f"{title}, {short(models.load(guide))}" if chosen else title
        look = look_of_kind(kind)
        look = Look(look.color, counted(k).dash if len(found) > 1 else look.dash, look.symbol)
        if settings.over == "weight":
            yield _line(own, look, settings, model, kind, guide, values)
            continue
        for side, dash in (("above", "solid"), ("below", "dash")):
            yield _line(f"{own}, only {side} σ", Look(look.color, dash), settings, model, kind, guide, values, side)


def _line(title, look, settings, model, kind, guide, values, side=None) -> Line:
    try:
        points = [_point(settings, model, kind, guide, value, side) for value in values]
    except Refused as error:
        return Line(title, look, (), without_folders(str(error)))
    return Line(title, look, tuple(points))


def _point(settings, model, kind, guide, value, side) -> Point:
    if side is None:
        weight, title = weight_of(kind, value)
        return Point(value, title, guided(settings, model, kind, guide, weight))
    weight, _ = weight_of(kind, settings.weight)
    interval = (value, guided_runs.HIGHEST) if side == "above" else (0.0, value)
    sign = ">" if side == "above" else "≤"
    return Point(value, f"σ {sign} {value:g}", guided(settings, model, kind, guide, weight, interval))


def weight_of(kind: str, value: float) -> tuple[float, str]:
    """The weight of a kind of guidance that stands at w (`guided_runs.weight_of`), and how it is called there."""
    weight = guided_runs.weight_of(kind, value)
    return weight, f"λ = {weight:.2g}" if GUIDANCES[kind].neutral is None else f"w = {weight:g}"


def guided(settings, model, kind, guide, weight, interval=None) -> Experiment:
    """With guidance; where it does nothing, without."""
    if weight == GUIDANCES[kind].neutral:
        return base(settings, model)
    return base(settings, model).changed(guidance=kind, guide=guide, guidance_weight=weight, guidance_interval=interval)
