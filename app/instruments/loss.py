"""Loss per σ (Figure 5a): any models between the least that is possible and a fresh network; p_train beneath."""

from __future__ import annotations

import math
import time
from itertools import pairwise

import numpy as np

from app.instruments import choosing
from app.instruments.base import Instrument, View, option
from app.instruments.groups import draw_of, fine, group_lines, group_of, short, short_titles, weights_of
from app.messages import drawings
from edm import diagnostics, models
from edm.base.choices import titles
from edm.base.errors import Refused
from edm.objective import WEIGHTS, Design
from edm.plots.looks import look_of
from edm.plots.panels import density_line, rounded

SIGMAS = np.geomspace(0.002, 80, 24)
DENSITY_SIGMAS = np.geomspace(0.002, 80, 160)
DECADES = (0.01, 0.1, 1.0, 10.0)  # edges
MOST = 8  # models at once
SECONDS, PRECISION = 60.0, 0.01


def weights() -> dict[str, str]:
    """What the loss may be multiplied by: name -> title."""
    return {"raw": "none", "own": "own", **titles(WEIGHTS)}


class Losses(View):
    """What is measured, and how it is weighed."""

    models: tuple[str, ...] = option(
        ("digits_vp", "digits_edm_005k", "digits_edm"),
        "models",
        "Trained models, and checkpoints of their runs (with the images they had seen)",
        choices=short_titles,
        section="Models",
    )
    weight: str = option(
        "edm",
        "λ(σ)",
        "What the loss is multiplied by: nothing, the weight each model was trained with, or one for all",
        choices=weights,
        list=False,
        section="Loss weight",
    )
    P_mean: float = option(
        -1.2,
        "P<sub>mean</sub>",
        "Mean of ln σ in training: drag the peak in the picture",
        slider=(-4, 3),
        step=0.05,
        ge=-20,
        le=20,
        section="Noise levels in training",
    )
    P_std: float = option(
        1.2,
        "P<sub>std</sub>",
        "Standard deviation of ln σ: drag a shoulder in the picture",
        slider=(0.2, 3),
        step=0.05,
        gt=0,
        le=10,
        section="Noise levels in training",
    )


def respond(settings: Losses, context):
    chosen = [models.load(name) for name in settings.models]
    if not 1 <= len(chosen) <= MOST:
        raise Refused(f"{len(chosen)} models are chosen: choose 1 to {MOST} under Models")
    alike: dict = {}
    for model in chosen:
        alike.setdefault((choosing.data_of(model), model.shape, draw_of(model, context).words), []).append(model)
    groups = [group_of(found, context) for found in alike.values()]
    for found, ended in context.paced(_measured(groups, context)):
        yield _body(settings, groups, found[-1]), ended


def _measured(groups, context):
    """The curves of all groups, with one more batch each time: until they are fine, or enough time was spent."""
    running = [group.losses(context, SIGMAS) for group in groups]
    latest = [next(curves) for curves in running]
    yield list(latest)
    end = time.monotonic() + SECONDS
    while time.monotonic() < end and not all(fine(curves, PRECISION) for curves in latest):
        for k, curves in enumerate(running):
            latest[k] = next(curves)
            yield list(latest)


def _body(settings, groups, found):
    lines = [line for k, group in enumerate(groups) for line in group_lines(group, found[k], SIGMAS, len(groups), k)]
    axis = {"log": True, "range": [SIGMAS[0], SIGMAS[-1]]}
    summaries = {weight: _summary(groups, found, weight) for weight in weights()}
    loss = {"share": 2.1, "x": {**axis, "hideTicks": True}, "y": {"log": True}, "lines": lines}
    training = {
        "x": {**axis, "title": "σ"},
        "y": {"title": "p<sub>train</sub>(σ)"},
        "lines": _densities(settings, groups),
    }
    return {
        "figure": {"sharedX": True, "panels": [loss, training]},
        "summary": summaries[settings.weight],
        "summaries": summaries,
        "python": _python(settings, groups),
    }


def _densities(settings, groups):
    """p_train of the knobs, with its share of every decade as text; then those of the models."""
    own = Design(P_mean=settings.P_mean, P_std=settings.P_std)
    share = diagnostics.training_share(own, [0, *DECADES, math.inf])
    density = diagnostics.training_density(own, DENSITY_SIGMAS)
    places = [math.sqrt(low * high) for low, high in pairwise([DENSITY_SIGMAS[0], *DECADES, DENSITY_SIGMAS[-1]])]
    lines = [
        density_line({"color": "ink", "width": 2.4}, DENSITY_SIGMAS, density),
        {
            "mode": "text",
            "color": "ink",
            "x": rounded(places),
            "y": [0.0] * 5,
            "text": [f"{100 * s:.0f} %" for s in share],
        },
    ]
    seen = {}
    for k, group in enumerate(groups):
        for model in group.models:
            design = group.design(model)
            density = rounded(diagnostics.training_density(design, DENSITY_SIGMAS))
            color = f"c{1 + k % 4}" if len(groups) > 1 else look_of(choosing.preconditioning_of(model)).color
            seen.setdefault(tuple(density), (density, color, short(model)))
    for values, color, title in seen.values():
        lines.append(
            {"color": color, "width": 1.2, "x": rounded(DENSITY_SIGMAS), "y": values, "text": None, "of": title}
        )
    return lines


def _summary(groups, found, weight):
    """The losses in the middle as they are drawn: multiplied by that choice of λ."""
    at = len(SIGMAS) * 11 // 20
    parts, counts = [], {}
    for group, curves in zip(groups, found, strict=True):
        parts.append(", ".join(_read(group, curves, model, weight, at) for model in group.models))
        if not group.exact:
            parts[-1] += " (ideal denoiser unknown)"
        count = int(curves[group.models[0].name].count.min())
        counts[group.draw.words] = min(count, counts.get(group.draw.words, count))
    measured = " and ".join(f"{count} samples ({words})" for words, count in counts.items())
    named = {"raw": "Raw loss", "own": "Loss times the λ of each model's own training"}
    what = named.get(weight, f"Loss times λ ({weights()[weight]})")
    return f"{what} at σ = {SIGMAS[at]:.2g}: {'; '.join(parts)}. From {measured}."


def _read(group, curves, model, weight, at):
    """One model's number, with the least possible where that is another one than of the model before."""
    factor = weights_of(group, SIGMAS, model)[weight][at]
    if factor is None:
        return f"{short(model)} none (its λ is infinite there)"
    text = f"{short(model)} {factor * curves[model.name].mean[at]:.2g}"
    if group.exact and (weight == "own" or model is group.models[-1]):
        text += f" (least possible {factor * curves['floor'].mean[at]:.2g})"
    return text


def _python(settings, groups):
    lines = [
        "from itertools import islice",
        "import numpy as np",
        "import edm",
        "",
        "sigmas = np.geomspace(0.002, 80, 24)",
    ]
    for group in groups:
        lines += [
            f"chosen = [edm.models.load(name) for name in {[m.name for m in group.models]}]",
            "curves = edm.diagnostics.losses(",
            "    {model.name: model.denoiser for model in chosen},",
            "    edm.diagnostics.held_out(chosen[0]),",
            "    sigmas,",
        ]
        if group.exact:
            lines.append(f"    exact={choosing.exact_code(group.models[0])}.denoiser,")
        lines += [
            ")",
            "for name, curve in list(islice(curves, 50))[-1].items():  # more batches: finer curves",
            "    print(name, curve.mean, curve.stderr)",
        ]
    design = f"P_mean={settings.P_mean}, P_std={settings.P_std}"
    lines += [
        f"design = edm.objective.Design({design})",
        "print(edm.diagnostics.training_share(design, [0, 0.01, 0.1, 1, 10, np.inf]))",
    ]
    return "\n".join(lines) + "\n"


INSTRUMENT = Instrument(
    "loss",
    "loss",
    "Loss per σ",
    "What has been learned at each noise level, what could be, and where does training look?",
    Losses,
    respond,
    streams=True,
    script="loss",
    body=drawings.Loss,
)
