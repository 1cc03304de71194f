"""A classifier of noisy samples: where it pushes them, over the plane, and at each σ how well it tells classes."""

from __future__ import annotations

import numpy as np
import torch

from app.figures import pack
from app.instruments.base import Instrument, View, option
from app.messages import drawings
from edm import classifiers, models
from edm.base.errors import Refused
from edm.base.transfers import fetched
from edm.data import sources
from edm.data.settings import Data, data_learned
from edm.diagnostics import window_grid
from edm.diagnostics.calibration import Calibrated, calibration, samples
from edm.plots.panels import rounded
from edm.sampling.guidance.classified import gradient
from edm.sampling.noise import latents, seeds

LEVELS = np.geomspace(80, 0.02, 24)
WINDOW, CELLS, ARROWS = 2.6, 48, 14  # as of `app.instruments.oracle`
POINTS, IMAGES = 1024, 128  # samples by which it is judged
SHOWN = 300


def _guides() -> dict[str, str]:
    """All that tell classes: classifiers, and the exact denoisers of what has classes or parts."""
    exact = (model for model in models.every() if not model.trained and model.classes and model.name != "drawn")
    found = {model.name: f"{model.title.split(', ')[0]}, exact p(c|x; σ)" for model in exact}
    for name in (*classifiers.names(), *classifiers.of_runs()):
        found[name] = classifiers.load(name).title
    return found


class Guide(View):
    """What is looked at."""

    guide: str = option(
        "two_moons",
        "classifier",
        "A network that tells classes of noisy samples, or the exact p(c|x; σ)",
        choices=_guides,
        list=True,
        section="Classifier",
    )
    label: int = option(
        0, "class", "The class that it pushes to, by its number", slider=(0, 9), step=1, ge=0, le=100_000,
        section="Picture",
    )  # fmt: skip
    scale: str = option(
        "each",
        "scale",
        "Full colour: the strongest push at this σ, or at any",
        choices=lambda: {"each": "each σ its own", "all": "one for all σ"},
        section="Picture",
    )
    arrows: bool = option(True, "arrows of σ²∇ log p(c|x; σ)", "The push as arrows", section="Picture")


class _Told:
    """The classifier of that name: log_probability(x, σ), and what it is of."""

    def __init__(self, name: str):
        exact = models.load(name) if models.known(name) else None
        if exact is not None and not exact.trained:
            self.log_probability, self.data = exact.denoiser.log_class_probability, _data(name)
            self.class_names, self.title, self.exact = exact.class_names, exact.title, True
            self.code = f"edm.models.load({name!r}).denoiser.log_class_probability"
            return
        guide = classifiers.load(name)
        learned = data_learned(guide.header)
        if learned is None:
            raise Refused(f"the classifier {name} does not say which data it has learned, so that it cannot be judged")
        self.log_probability, self.data = guide.classifier, learned
        self.class_names, self.title, self.exact = guide.class_names, guide.title, False
        self.code = f"edm.classifiers.load({name!r}).classifier"


def _data(name) -> Data:
    return Data(dataset=name, labels=sources.labels(name))


def respond(settings: Guide, context):
    told = _Told(settings.guide)
    label = min(settings.label, len(told.class_names) - 1)
    for found, ended in context.paced(_found(told, label, context)):
        yield _body(settings, told, label, found[-1]), ended


def _found(told, label, context):
    """{"judged", "fields", "points"} with ever more in it, rough over all levels first."""
    y, _, _ = samples(told.data, SHOWN)
    plane, spread = tuple(y.shape[1:]) == (2,), float(y.flatten(1).std(0).square().mean().sqrt())
    points = {"y": pack.float32(y), "n": pack.float32(latents(seeds(0, len(y)), y.shape[1:]))} if plane else None
    found = {"judged": {}, "fields": {}, "points": points, "spread": spread}
    count = POINTS if y[0].numel() <= 2 else IMAGES
    for index in _coarse_first(len(LEVELS), 1 if plane else 2):
        context.watch.check()
        (one,) = calibration(told.log_probability, told.data, [LEVELS[index]], count)
        found = {**found, "judged": found["judged"] | {index: one}}
        if plane:
            field = _field(index, told.log_probability, label, spread)
            found["fields"] = found["fields"] | {index: field}
        yield found


def _coarse_first(count, each):
    """Every eighth index first: the slider works from the start."""
    return dict.fromkeys(k for stride in (8, 4, 2, 1) if stride >= each for k in [*range(0, count, stride), count - 1])


def _field(index, log_probability, label, spread) -> dict:
    """|σ²·∇ log p(c | x; σ)| over the window at one level, and the push as arrows, in the data's units."""
    sigma = float(LEVELS[index])
    size = np.hypot(sigma, spread)

    def push(cells):
        grid = window_grid(WINDOW, WINDOW, cells, cells) * size
        labels = torch.full((len(grid),), label)
        return gradient(log_probability, grid, sigma, labels) * sigma**2

    pushed, arrows = push(CELLS).norm(dim=1), push(ARROWS)
    far = window_grid(WINDOW, WINDOW, CELLS, CELLS).norm(dim=1)
    likely = (1.6 - far).clamp(0, 1)
    pushed, likely, arrows = fetched([pushed, likely, arrows])
    most = float(torch.where(likely > 0.5, pushed, 0).max()) or 1.0
    packed = {"gap": pushed, "likely": likely, "arrows": arrows}
    return {"index": index, "most": most, **{name: pack.float32(values) for name, values in packed.items()}}


def _body(settings, told, label, found) -> dict:
    judged = [found["judged"][k] for k in sorted(found["judged"], reverse=True)]  # from low to high σ
    plane = None
    if found["fields"]:
        grid = {"cells": CELLS, "arrows": ARROWS, "window": WINDOW, "title": "|σ²∇ log p(c|x; σ)|"}
        plane = {**grid, "fields": [found["fields"][k] for k in sorted(found["fields"])], **found["points"]}
    return {
        "figure": {"panels": _panels(judged, len(told.class_names))},
        "summary": _summary(told, label, judged),
        "python": _python(told, settings),
        "levels": rounded(LEVELS),
        "sigmaData": found["spread"],
        "color": "noise",
        "images": None,
        "plane": plane,
    }


def _panels(judged, classes) -> list[dict]:
    x = {"title": "σ", "log": True, "range": [LEVELS[-1], LEVELS[0]]}
    sigmas = rounded(np.array([one.sigma for one in judged]))

    def line(name, color, dash, values):
        return {"name": name, "color": color, "dash": dash, "x": sigmas, "y": [round(float(v), 5) for v in values]}

    def lines(name):
        known = [getattr(one, f"exact_{name}") for one in judged]
        exact = [] if None in known else [line("exact p(c|x; σ)", "data", "dot", known)]
        return [line("classifier", "noise", "solid", [getattr(one, name) for one in judged]), *exact]

    chance = {"name": "chance", "color": "mute", "dash": "dash", "x": sigmas, "y": [1 / classes] * len(judged)}
    return [
        {
            "title": "accuracy", "x": x, "y": {"title": "share told right", "range": [0, 1.02]},
            "lines": [*lines("accuracy"), chance],
        },
        {"title": "−log p(c|x; σ)", "x": x, "y": {"title": "nats"}, "lines": lines("nll")},
    ]  # fmt: skip


def _summary(told, label, judged: list[Calibrated]) -> str:
    low, high = judged[0], judged[-1]
    middle = min(judged, key=lambda one: abs(np.log(one.sigma)))
    said = [f"σ = {one.sigma:.2g}: {one.accuracy:.0%} right, {one.nll:.2g} nats" for one in (low, middle, high)]
    text = f"{told.title}, {len(told.class_names)} classes: at {'; at '.join(said)}"
    gaps = [one for one in judged if one.gap is not None]
    if gaps and not told.exact:
        worst = max(gaps, key=lambda one: one.gap or 0.0)
        text += f". It is furthest from the exact p(c|x; σ) at σ = {worst.sigma:.2g}: {worst.gap:.2g} nats"
    elif told.exact:
        text += ": no classifier can do better but by chance"
    off = max(judged, key=lambda one: one.error)
    text += f". Its probabilities are off by {off.error:.2g} at most, at σ = {off.sigma:.2g}"
    return f"{text}. The push shown is to {told.class_names[label]}."


def _python(told, settings) -> str:
    data = ", ".join(
        f"{name}={value!r}"
        for name, value in told.data.document(complete=True).items()
        if name in ("dataset", "labels")
    )
    return (
        "import edm\nfrom edm.data.settings import Data\nfrom edm.diagnostics.calibration import calibration\n\n"
        f"log_probability = {told.code}\n"
        f"for one in calibration(log_probability, Data({data}), [5.0, 1.0, 0.2, 0.05]):\n"
        "    print(one)\n"
    )


INSTRUMENT = Instrument(
    "guide",
    "loss",
    "Guide",
    "Where does a classifier of noisy samples push, and how well does it tell classes at each σ?",
    Guide,
    respond,
    script="oracle",
    body=drawings.Oracle,
)
