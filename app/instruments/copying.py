"""Copy or create: samples of patchwise ideal denoisers beside a network's, and the training images nearest to them.

Beneath both stand the numbers: how many are copies at each side k, and which k the network is nearest to at each σ.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache

import torch

from app.figures import pack
from app.instruments import choosing
from app.instruments.base import Instrument, View, option
from app.instruments.groups import short, short_titles
from app.instruments.starts import seed_option
from app.messages import drawings
from edm import data, diagnostics, models, presets, runner
from edm.base.errors import Refused
from edm.data import sources
from edm.data.settings import data_learned
from edm.evaluation.copies import Known
from edm.experiments.experiment import Experiment
from edm.plots.looks import look_of
from edm.plots.panels import rounded
from edm.sampling.denoisers import on
from edm.sampling.loop import last, sample

SHOWN = 12  # pairs of a sample and its nearest training image
MEASURED = 48, 16  # noisy images of which denoisers are compared: small ones, and others
SMALL = 256  # numbers of a small image


def learned_from_few() -> dict[str, str]:
    """The networks whose training images are a set that can be looked through: name -> short title."""
    titles = short_titles()
    return {model.name: titles[model.name] for model in choosing.trained() if _knows_its_images(model)}


def _knows_its_images(model) -> bool:
    known = data_learned(model.header) if len(model.shape) == 3 else None
    if known is None:
        return False
    told = model.header.data is not None and model.header.data.size is not None
    return told or known.examples is not None or known.dataset in data.DATASETS


class Copying(View):
    """Whose samples, and how many."""

    model: str = option(
        "digits_edm",
        "model",
        "The network beside which patches are put; its training images are theirs",
        choices=learned_from_few,
        list=True,
        section="Network",
    )
    count: int = option(
        32, "samples", "How many are drawn of each, of which 12 are shown", slider=(12, 100), step=4, ge=2, le=400,
        section="Samples",
    )  # fmt: skip
    steps: int = option(
        18, "N", "Steps of the samples (EDM's sampler)", slider=(4, 40), step=1, ge=2, le=200, section="Samples"
    )
    seed: int = seed_option("The same noise for all", "Samples")
    patch: int = option(5, "k", "Side of the patches that are looked at", ge=3, le=2047, hidden=True)


@dataclass(frozen=True, eq=False)
class Found:
    """drawn: what is known of the samples of each side, and of the network (None)."""

    drawn: dict[int | None, dict] = field(default_factory=dict)
    locality: diagnostics.Locality | None = None


def respond(settings: Copying, context):
    model = models.load(settings.model)
    known = context.work.remember(("training images", model.identity), lambda: diagnostics.training_images(model))
    if known is None:
        raise Refused(
            f"the training images of {short(model)} are not on this machine, or too many; choose another network"
        )
    sides = diagnostics.patch_sides(model.shape)
    for found, ended in context.paced(_found(settings, model, known, sides, context)):
        yield _body(settings, model, sides, found[-1], context), ended


def _found(settings, model, known: Known, sides, context) -> Iterator[Found]:
    """Ever more: the side that is looked at first, the network, then all other sides."""
    place = context.place(model)
    experiment = _experiment(settings, model)
    z, labels = runner.start(experiment, place)
    network = context.denoiser(model, place)
    told = bool(model.classes)

    @lru_cache(maxsize=1)
    def patches(side):
        return context.watch(on(diagnostics.patchwise(known, side, told), place))

    def drawn(denoiser):
        return _drawn(last(sample(denoiser, z, experiment.sampling, labels)).x.cpu(), known)

    first = min(sides, key=lambda side: abs(side - settings.patch))
    order = [first, *(side for side in sides if side != first)]
    y, classes = _clean(model, known, context)
    stages = diagnostics.locality(network, patches, y, classes if told else None, sides=order, device=place)
    found = Found()
    for side in order:
        found = replace(found, drawn=found.drawn | {side: drawn(patches(side))})
        yield found
        found = replace(found, locality=next(stages))
        yield found
        if side == first:
            found = replace(found, drawn=found.drawn | {None: drawn(network)})
            yield found


def _experiment(settings, model) -> Experiment:
    sampling = presets.load("designs/edm").sampling.changed(steps=settings.steps, seed=settings.seed)
    return Experiment(model=model.name, count=settings.count, sampling=sampling)


def _clean(model, known, context):
    """Held-out images and their classes, of those classes of which there are training images."""
    draw = context.work.remember(("draw", model.identity), lambda: diagnostics.held_out(model))
    y, labels = draw(range(_measured(model)))
    if labels is None or known.labels is None:
        return y, labels
    there = torch.isin(labels, known.labels)
    return y[there], labels[there]


def _measured(model) -> int:
    return MEASURED[math.prod(model.shape) > SMALL]


def _drawn(x: torch.Tensor, known: Known) -> dict:
    near = diagnostics.nearest(x, known)
    few = near.index[:SHOWN]
    return {
        "count": len(few),
        "x": pack.uint8(x[:SHOWN].numpy()),
        "nearest": pack.uint8(sources.scaled(known.images[few]).numpy()),
        "names": [known.names[k] for k in few.tolist()],
        "copies": near.copies[:SHOWN].tolist(),
        "share": float(near.copies.float().mean()),
    }


def _body(settings, model, sides, found: Found, context):
    color = look_of(choosing.preconditioning_of(model)).color
    return {
        "figure": {"panels": [_near(found, color), _copied(sides, found, color)]},
        "summary": _summary(settings, model, sides, found),
        "python": _python(settings, model),
        "shape": list(model.shape),
        "title": short(model),
        "sides": list(sides),
        "network": found.drawn.get(None),
        "patches": [{"side": side, "drawn": found.drawn.get(side)} for side in sides],
    }


def _near(found: Found, color):
    """RMS difference over σ for each side, the nearest marked."""
    stage, lines = found.locality, []
    if stage is not None:
        lines = [
            {"name": f"k = {side}", "x": rounded(stage.sigmas), "y": rounded(values), "color": "mute"}
            for side, values in sorted(stage.rms.items())
        ]
        low = [stage.rms[side][k] for k, side in enumerate(stage.nearest)]
        lines.append({
            "name": "nearest k", "x": rounded(stage.sigmas), "y": rounded(low), "color": color, "mode": "markers+text",
            "size": 8, "text": [str(side) for side in stage.nearest], "place": "bottom center",
        })  # fmt: skip
    x = {"title": "σ", "log": True, "range": [diagnostics.LEVELS[0] / 1.2, diagnostics.LEVELS[-1] * 1.2]}
    return {"x": x, "y": {"title": "RMS, network − D<sub>k</sub>"}, "lines": lines}


def _copied(sides, found: Found, color):
    """Share of copies over k, and the network's."""
    known = sorted(side for side in found.drawn if side is not None)
    line = {"x": known, "y": [100 * found.drawn[side]["share"] for side in known]}
    panel = {
        "x": {"title": "side k of a patch, pixels", "range": [0, sides[-1] + 1]},
        "y": {"title": "copies, %", "range": [-4, 104]},
        "lines": [line | {"color": "data", "mode": "lines+markers", "size": 7}],
    }
    if None in found.drawn:
        panel["marks"] = [{"y": 100 * found.drawn[None]["share"], "text": "network", "color": color}]
    return panel


def _summary(settings, model, sides, found: Found):
    known = sorted(side for side in found.drawn if side is not None)
    shares = ", ".join(_percent(found.drawn[side]["share"]) for side in known)
    said = f"Copies among {settings.count} samples: {shares} % at k = {', '.join(map(str, known))}"
    if None in found.drawn:
        said += f"; {short(model)} {_percent(found.drawn[None]['share'])} %"
    said += "." if len(known) == len(sides) else f"; {len(known)} of {len(sides)} sides so far."
    stage = found.locality
    if stage is None or len(stage.rms) < 2:
        return said
    widest = max(stage.rms)
    gaps = [values[widest] - min(values.values()) for values in _by_level(stage)]
    at = max(range(len(gaps)), key=gaps.__getitem__)
    low, far = stage.rms[stage.nearest[at]][at], stage.rms[widest][at]
    return (
        f"{said} At σ = {stage.sigmas[at]:g} the network is nearest to k = {stage.nearest[at]}, {low:.3f} away in RMS; "
        f"from k = {widest}{', the ideal denoiser,' if widest == sides[-1] else ''} {far:.3f}."
    )


def _by_level(stage):
    return [{side: values[k] for side, values in stage.rms.items()} for k in range(len(stage.sigmas))]


def _percent(share) -> str:
    return f"{100 * share:.0f}"


def _python(settings, model):
    return f"""\
from functools import partial

import edm
from edm import diagnostics

model = edm.models.load({model.name!r})
known = diagnostics.training_images(model)
patches = partial(diagnostics.patchwise, known{"" if model.classes else ", conditional=False"})
experiment = edm.Experiment.parse({_experiment(settings, model).document()!r})
latents, labels = edm.runner.start(experiment)
for k in diagnostics.patch_sides(model.shape):
    x = edm.last(edm.sample(patches(k), latents, experiment.sampling, labels)).x
    print(k, diagnostics.nearest(x, known).copies.float().mean())
y, classes = diagnostics.held_out(model)(range({_measured(model)}))
*_, found = diagnostics.locality(model.denoiser, patches, y, classes{"" if model.classes else " and None"})
print(found.sigmas, found.nearest)
"""


INSTRUMENT = Instrument(
    "patches",
    "loss",
    "Copy or create",
    "Does a network copy its training images, or make new ones? Beside it, ideal denoisers that see k×k pixels only.",
    Copying,
    respond,
    script="patches",
    body=drawings.Copies,
)
