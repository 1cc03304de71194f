"""Training time as an axis: a run's checkpoints, with the loss and the samples of each."""

from __future__ import annotations

import time

import numpy as np

from app.figures import pack
from app.figures.flow import arrows
from app.instruments import choosing
from app.instruments.base import Instrument, View, option
from app.instruments.groups import Group, fine, group_lines, group_of
from app.instruments.starts import seed_option
from app.messages import drawings
from edm import diagnostics, models, presets, runner
from edm.embedded import in_plane
from edm.experiments.experiment import Experiment
from edm.plots.looks import look_of
from edm.plots.panels import rounded

SIGMAS = np.geomspace(0.002, 80, 16)
SECONDS, PRECISION = 20.0, 0.02


def runs() -> dict[str, list[models.Model]]:
    """The runs of which there are several checkpoints, from the first on: family -> models."""
    found: dict = {}
    for model in choosing.trained():
        found.setdefault(model.family, []).append(model)
    return {family: sorted(of, key=lambda m: m.header.images) for family, of in found.items() if len(of) > 1}


def families() -> dict[str, str]:
    """Family -> the title of its newest checkpoint."""
    return {family: of[-1].title for family, of in runs().items()}


class TrainingTime(View):
    """Whose checkpoints, and how they are sampled."""

    family: str = option(
        "digits_edm", "run", "A run of which there are several checkpoints", choices=families, list=True, section="Run"
    )
    steps: int = option(
        10, "N", "Steps of the samples (EDM's sampler)", slider=(2, 40), step=1, ge=1, le=1000, section="Samples"
    )
    seed: int = seed_option("The same latents for all checkpoints", "Samples")


def respond(settings: TrainingTime, context):
    chosen = runs()[settings.family]
    group = group_of(chosen, context)
    for found, ended in context.paced(_found(settings, group, context)):
        yield _body(settings, group, *found[-1]), ended


def _found(settings, group: Group, context):
    """(curves, {name: samples}): rough curves, then samples of the newest checkpoint, the oldest and those between as
    they emerge, with ever finer curves."""
    curves = group.losses(context, SIGMAS)
    latest, samples = next(curves), {}
    yield latest, samples
    for model in [group.models[-1], *group.models[:-1]]:
        for state in runner.states(experiment_of(model, settings), context.place(model), context.watch):
            x = in_plane(state.x, model.plane) if len(model.shape) == 1 else state.denoised
            samples = samples | {model.name: {"x": x, "done": False}}
            yield latest, samples
        samples = samples | {
            model.name: {"x": in_plane(state.x, model.plane), "done": True, "field": _flow(model, context)}
        }
        latest = next(curves)
        yield latest, samples
    end = time.monotonic() + SECONDS
    while time.monotonic() < end and not fine(latest, PRECISION):
        latest = next(curves)
        yield latest, samples


def experiment_of(model, settings) -> Experiment:
    """EDM's sampler from the latents of the seed."""
    sampling = presets.load("designs/edm").sampling.changed(steps=settings.steps, seed=settings.seed)
    return Experiment(model=model.name, sampling=sampling)


def _flow(model, context):
    if model.shape != (2,):
        return None
    return arrows(context.denoiser(model), model.sigma_data, context.place(model))


def objectives(group: Group, curves) -> list[float]:
    """E[λ(σ)·loss(σ)] over σ ~ p_train for each model, as it was trained: from the curve, by the trapezoid rule."""
    found = []
    for model in group.models:
        design = group.design(model)
        density = diagnostics.training_density(design, SIGMAS)
        weighed = diagnostics.loss_weight(design.weight, SIGMAS, model.sigma_data) * curves[model.name].mean
        found.append(float(np.trapezoid(density * weighed, np.log(SIGMAS)) / np.trapezoid(density, np.log(SIGMAS))))
    return found


def _body(settings, group, curves, samples):
    lines = group_lines(group, curves, SIGMAS)
    images, values = [model.header.images for model in group.models], objectives(group, curves)
    color = look_of(choosing.preconditioning_of(group.models[-1])).color
    loss = {
        "share": 1.3,
        "x": {"title": "σ", "log": True, "range": [SIGMAS[0], SIGMAS[-1]]},
        "y": {"title": "λ · loss, λ as in training"},
        "lines": lines,
    }
    progress = {
        "x": {"title": "images seen", "log": True},
        "y": {"title": "E[λ · loss] over p<sub>train</sub>"},
        "lines": [{"color": color, "mode": "lines+markers", "x": images, "y": rounded(values)}],
    }
    return {
        "figure": {"panels": [loss, progress]},
        "summary": _summary(group, images, values, curves),
        "python": _python(settings, group),
        "shape": list(pack.drawn_shape(group.models[0].shape)),
        "data": group.exact.name if group.exact else None,
        "color": color,
        "checkpoints": [
            _checkpoint(model, number, samples.get(model.name))
            for model, number in zip(group.models, images, strict=True)
        ],
    }


def _checkpoint(model, images, sample):
    packed = None
    if sample is not None:
        x = sample["x"].numpy()
        packed = {"count": len(x), "x": pack.float32(x) if x.ndim == 2 else pack.uint8(x), "done": sample["done"]}
        packed["field"] = sample.get("field")
    return {"name": model.name, "images": images, "sample": packed}


def _summary(group, images, values, curves):
    steps = ", ".join(f"{value:.3g} after {number:,}" for number, value in zip(images, values, strict=True))
    count = curves[group.models[0].name].count.min()
    return f"E[λ·loss] over p_train: {steps} images. Measured on {count} samples at each σ ({group.draw.words})."


def _python(settings, group):
    document = experiment_of(group.models[-1], settings).document()
    return (
        f"import edm\n\nfor name in {[model.name for model in group.models]}:\n"
        f"    experiment = edm.Experiment.parse({document!r} | {{'model': name}})\n"
        "    states = list(edm.runner.states(experiment))\n"
        "    part = edm.runner.part_of(experiment)\n"
        "    edm.render.picture(edm.models.of(experiment), states, part=part).save(f'{name}.png')\n"
    )


INSTRUMENT = Instrument(
    "training",
    "loss",
    "Training time",
    "What has the network learned after so many images, and what do its samples look like?",
    TrainingTime,
    respond,
    script="training_time",
    body=drawings.TrainingTime,
)
