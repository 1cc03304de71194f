"""What guidance samples: the same noise, led further and further, beside the densities that it might be of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from app.instruments.base import Instrument, View, option
from app.instruments.lanes import Lane, pictures
from app.messages import comparisons
from app.sentences.visible import without_folders
from app.work.measures import final
from edm import diagnostics, models
from edm.base.choices import title_of
from edm.base.errors import Refused
from edm.diagnostics import leading
from edm.experiments.experiment import Experiment
from edm.plots.looks import counted
from edm.sampling.guidance import GUIDANCES
from edm.sampling.settings import Sampling

COUNT = 400
MANY = 400  # steps that a population takes, or more
RARE = 0.01  # of true samples are where the density is as low, or lower


def _planes() -> dict[str, str]:
    """Models of points of which classes are known."""
    small = (model for model in models.every() if len(model.shape) == 1 and model.shape[0] <= 2 and model.classes)
    return {model.name: model.title for model in small if model.dataset is not None and model.dataset.parts}


def _kinds() -> dict[str, str]:
    return {name: title_of(GUIDANCES, name) for name in GUIDANCES if name != "none"}


class Led(View):
    """What is led, and how far."""

    model: str = option(
        "two_moons", "model", "Of which a class is sampled", choices=_planes, list=True, section="Model"
    )
    label: int = option(0, "class", "By its number, from 0", slider=(0, 4), step=1, ge=0, le=100, section="Model")
    kind: str = option("free", "guidance", "What leads", choices=_kinds, list=True, section="Guidance")
    guide: str = option(
        "", "guide", "The name of a model or classifier that guides; empty: the one that fits", section="Guidance"
    )
    weights: str = option("1,2,4", "w", "One picture each; 1-4 (+1) or 1,2,4", section="Guidance")
    tilted: bool = option(
        False,
        "the tilted density, too",
        "A picture of a population that samples p(x)·p(c|x)^w, of the largest w",
        section="Guidance",
    )
    steps: int = option(32, "N", "Steps", slider=(4, 128), step=1, ge=2, le=1000, section="Sampler")
    seed: int = option(0, "seed", "The same noise in all pictures", slider=(0, 50), step=1, ge=0, section="Sampler")


def respond(settings: Led, context):
    model = models.load(settings.model)
    weights = diagnostics.parse_range(settings.weights, "guidance_weight")
    label = str(model.class_names[min(settings.label, model.classes - 1)])
    shown = [_lane(settings, label, settings.kind, weight, k) for k, weight in enumerate(weights)]
    if settings.tilted:
        shown.append(_lane(settings, label, "tilted", max(weights), len(weights)))
    found: list = []

    def said():
        found.extend(_measured(shown, model, label, context))
        return _summary(found, model, label)

    yield from pictures(shown, context, model.title, said=said, drawn=lambda: _panels(found))


def _lane(settings, label, kind, weight, k) -> Lane:
    title = f"w = {weight:g}" if kind == settings.kind else f"{title_of(GUIDANCES, kind)}, w = {weight:g}"
    try:
        steps = max(settings.steps, MANY) if GUIDANCES[kind].population else settings.steps
        sampling = Sampling(steps=steps, seed=settings.seed)
        experiment = Experiment(
            model=settings.model, label=label, count=COUNT, guidance=kind, guidance_weight=weight,
            guide=settings.guide or None if kind == settings.kind else None, sampling=sampling,
        )  # fmt: skip
        return Lane(title, counted(k).color, experiment)
    except Refused as error:
        return Lane(title, counted(k).color, None, without_folders(str(error)))


@dataclass(frozen=True)
class Measured:
    """A lane's samples: mean, spread, the share of them that lies where hardly any true sample does, and the tilted
    density that they might be of, where there is one."""

    title: str
    weight: float
    mean: torch.Tensor
    spread: float
    outside: float
    tilted: leading.Known | None


def _measured(lanes, model, label, context) -> Iterator[Measured]:
    mixture, number = model.dataset.labelled, model.dataset.parts.index(label)
    true = model.dataset.sample(leading.TRUE, 1, number)
    rare = torch.quantile(mixture.log_density(true, 0.0, _told(true, number)), RARE)
    for lane in lanes:
        if lane.experiment is None:
            continue
        samples = final(lane.experiment, context.work, context.watch)
        out = float((mixture.log_density(samples.double(), 0.0, _told(samples, number)) < rare).double().mean())
        known = [one for one in leading.known(lane.experiment, COUNT) if one.title == leading.TILTED]
        tilted = known[0] if known else None
        yield Measured(lane.title, lane.experiment.guidance_weight, *leading.moments(samples), out, tilted)


def _summary(found, model, label) -> str:
    """The moments of each picture's samples beside those of the densities that they might be of, and how many samples
    lie where hardly any true one does."""
    mean, spread = leading.moments(model.dataset.sample(leading.TRUE, 1, model.dataset.parts.index(label)))
    parts = [f"{model.title}, {label}: true samples have mean {_vector(mean)}, spread {spread:.2f}"]
    for one in found:
        said = f"{one.title}: mean {_vector(one.mean)}, spread {one.spread:.2f}, {one.outside:.1%} outside"
        if one.tilted is not None:
            said += f" (p(x)·p(c|x)^w: {_vector(one.tilted.mean)}, {one.tilted.spread:.2f})"
        parts.append(said)
    return f"{'; '.join(parts)}. Outside: where the density is as low as at {RARE:.0%} of true samples."


def _panels(found) -> list[dict]:
    """Spread and share outside, as lines over the weight."""
    known = [one for one in found if one.tilted is not None]
    weights = [one.weight for one in found]
    spreads = [
        {"name": "samples", "x": weights, "y": [one.spread for one in found]},
        {"name": leading.TILTED, "x": [one.weight for one in known], "y": [one.tilted.spread for one in known]},
    ]
    outside = [{"name": "samples", "x": weights, "y": [one.outside for one in found]}]
    return [{"title": "spread", "lines": spreads}, {"title": "share outside", "lines": outside}]


def _told(samples, label):
    return torch.full((len(samples),), label)


def _vector(mean) -> str:
    numbers = ", ".join(f"{value:.2f}" for value in mean.tolist())
    return f"({numbers})" if len(mean) > 1 else numbers


INSTRUMENT = Instrument(
    "led",
    "compare",
    "What guidance samples",
    "The same noise, led further and further: where does it end, and what is that a sample of?",
    Led,
    respond,
    script="lanes",
    body=comparisons.Lanes,
)
