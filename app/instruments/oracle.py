"""Where a learned denoiser differs from the ideal one: over the plane, on images (Figure 1), and as a curve over σ."""

from __future__ import annotations

import time

import numpy as np
import torch

from app.figures import pack
from app.instruments import choosing
from app.instruments.base import Instrument, View, option
from app.instruments.groups import FIRST, draw_of, exact_of, fine, short, short_titles
from app.messages import drawings
from edm import diagnostics, models
from edm.base.transfers import fetched, sent
from edm.plots.looks import look_of
from edm.plots.panels import rounded
from edm.sampling.denoisers import ask, on
from edm.sampling.noise import latents, seeds

LEVELS = np.geomspace(80, 0.002, 24)
COLUMNS = np.geomspace(0.02, 50, 10)  # of Figure 1
WINDOW, CELLS, ARROWS = 2.6, 48, 14  # half width in units of √(σ² + σ_data²), and numbers each way
POINTS = 300  # noisy samples, for orientation
LIKELY = 0.01  # of the highest density: where noisy samples come, for the scale of colours; elsewhere they fade
SECONDS, PRECISION = 10.0, 0.03


class Oracle(View):
    """What is compared."""

    model: str = option(
        "spiral_mlp",
        "model",
        "The learned denoiser; the ideal one follows from its data",
        choices=short_titles,
        list=True,
        section="Learned denoiser",
    )
    scale: str = option(
        "each",
        "scale",
        "Full colour: the largest difference at this σ, or at any",
        choices=lambda: {"each": "each σ its own", "all": "one for all σ"},
        section="Picture",
    )
    arrows: bool = option(True, "arrows from D* to D<sub>θ</sub>", "The difference as arrows", section="Picture")
    image: int = option(
        0, "image", "Which image of the data", slider=(0, 50), step=1, ge=0, le=100_000, section="Picture"
    )


def respond(settings: Oracle, context):
    model = models.load(settings.model)
    exact = exact_of(model)
    for found, ended in context.paced(_found(settings, model, exact, context)):
        yield _body(model, exact, found[-1], context), ended


def _found(settings, model, exact, context):
    """{"images", "curves", "fields"} with ever more in it: a rough curve, then the pictures, then finer curves."""
    draw = draw_of(model, context)
    place = context.place(model)
    learned, ideal = context.denoiser(model, place), context.denoiser(exact, place) if exact else None
    curves = diagnostics.losses(
        {"learned": learned}, draw, LEVELS, exact=ideal, first=FIRST[len(model.shape)], device=place
    )
    images = _images(settings.image, draw, learned, ideal, model, place) if len(model.shape) == 3 else None
    found = {"images": images, "curves": next(curves), "fields": {}}
    yield found
    known = exact and on(exact.denoiser, place)
    for index in _coarse_first(len(LEVELS)) if ideal and model.shape == (2,) else ():
        found = {
            **found,
            "fields": found["fields"] | {index: _gaps(index, learned, ideal, known, model)},
        }
        yield found
    end = time.monotonic() + SECONDS
    while time.monotonic() < end and not fine({"": _gap(found["curves"])}, PRECISION):
        found = {**found, "curves": next(curves)}
        yield found


def _gap(curves):
    """The oracle gap, or without an ideal denoiser the loss."""
    return curves["learned"].gap or curves["learned"]


def _coarse_first(count):
    """All indices, every eighth first: the slider works from the start."""
    return dict.fromkeys(k for stride in (8, 4, 2, 1) for k in [*range(0, count, stride), count - 1])


def _gaps(index, learned, ideal, known, model) -> dict:
    """|D_θ − D*| over the window at one level, and as arrows on a coarser grid, in the data's units.

    ideal: D*, watched; known: the distribution itself, for how likely a place is."""
    sigma = float(LEVELS[index])
    size = np.hypot(sigma, model.sigma_data)
    place = known.means.device
    grid = sent(diagnostics.window_grid(WINDOW, WINDOW, CELLS, CELLS) * size, place)
    gap, density = diagnostics.gap_and_density(learned, known, grid, sigma)
    gap = gap.norm(dim=1)
    likely = (density - density.max()).exp() / LIKELY
    coarse = sent(diagnostics.window_grid(WINDOW, WINDOW, ARROWS, ARROWS) * size, place)
    arrows = diagnostics.gap_field(learned, ideal, coarse, sigma)
    most = torch.where(likely > 1, gap, 0).max()
    most, gap, likely, arrows = fetched([most, gap, likely.clamp(max=1).to(gap), arrows])
    return {
        "index": index,
        "most": float(most),
        "gap": pack.float32(gap),
        "likely": pack.float32(likely),
        "arrows": pack.float32(arrows),
    }


@torch.no_grad()
def _images(number, draw, learned, ideal, model, place) -> dict:
    """Figure 1 for one image: the noisy image at the data's contrast, D* and D_θ, each [10, C, H, W]."""
    y, labels = draw([number])
    count = len(COLUMNS)
    sigma = torch.as_tensor(COLUMNS).to(y).view(-1, *[1] * len(model.shape))
    x = y + sigma * latents(seeds(number, 1), model.shape)
    told = sent(labels.repeat(count), place) if labels is not None and model.classes else None
    rows = {"noisy image": x * model.sigma_data / (sigma**2 + model.sigma_data**2).sqrt()}
    x, sigma = sent(x, place), sent(sigma.flatten(), place)
    if ideal is not None:
        rows["ideal D"] = ask(ideal, x, sigma, told)
    rows["learned D"] = ask(learned, x, sigma, told)
    shown = zip(rows, fetched(rows.values()), strict=True)
    return {
        "shape": list(model.shape),
        "sigmas": rounded(COLUMNS),
        "rows": [{"title": title, "images": pack.uint8(images.numpy())} for title, images in shown],
    }


def _body(model, exact, found, context):
    color = look_of(choosing.preconditioning_of(model)).color
    return {
        "figure": {"panels": [_panel(found["curves"], color, exact is not None)]},
        "summary": _summary(model, exact, found["curves"], draw_of(model, context)),
        "python": _python(model, exact),
        "levels": rounded(LEVELS),
        "sigmaData": model.sigma_data,
        "color": color,
        "images": found["images"],
        "plane": _plane(found["fields"], model, context) if found["fields"] else None,
    }


def _panel(curves, color, known):
    """The gap over the least possible loss; the loss, where the ideal denoiser is not known."""
    learned = curves["learned"]
    if known:
        lines = [
            _line("least possible loss", "data", curves["floor"]),
            _line("E‖D<sub>θ</sub> − D*‖² / d", color, learned.gap),
        ]
    else:
        lines = [_line("loss", color, learned)]
    means = [value for line in lines for value in line["y"]]
    least = min(lines[-1]["y"])  # the loss of a data set's ideal denoiser falls below every axis
    return {
        "x": {"title": "σ", "log": True, "range": [LEVELS[-1], LEVELS[0]]},
        "y": {"title": "mean square of a coordinate", "log": True, "range": [least / 4, max(means) * 2]},
        "lines": lines,
    }


def _line(name, color, curve):
    """From low to high σ, with a band that a log axis can show."""
    order = np.argsort(LEVELS)
    values = {"y": curve.mean, "low": np.maximum(curve.low, curve.mean / 50), "high": curve.high}
    line = {"name": name, "color": color, "dash": "solid", "x": rounded(LEVELS[order])}
    return line | {key: rounded(value[order]) for key, value in values.items()}


def _plane(fields, model, context):
    grid = {"cells": CELLS, "arrows": ARROWS, "window": WINDOW}
    return {**grid, "fields": [fields[index] for index in sorted(fields)], **_points(model, context)}


def _points(model, context):
    def make():
        y = draw_of(model, context)(range(POINTS))[0]
        return {"y": pack.float32(y), "n": pack.float32(latents(seeds(0, POINTS), model.shape))}

    return context.work.remember(("oracle points", model.identity), make)


def _summary(model, exact, curves, draw):
    measured = f"Measured on {curves['learned'].count.min()} samples at each σ ({draw.words})."
    if not exact:
        return f"{short(model)}: the ideal denoiser of these data is not known, so its row is missing. {measured}"
    gap, floor = curves["learned"].gap.mean, curves["floor"].mean
    worst = int(np.nanargmax(gap))
    said = (
        f"{short(model)} is furthest from the ideal denoiser at σ = {LEVELS[worst]:.2g}: E‖D_θ − D*‖²/d = "
        f"{gap[worst]:.2g}, where the least possible loss is {floor[worst]:.2g}."
    )
    if len(model.shape) == 3:
        return f"{said} At low σ, D* returns an image of the data set. {measured}"
    share = gap / floor  # of images the least possible loss falls to 0
    most = int(np.nanargmax(share))
    said += f" Relative to that loss, the gap is largest at σ = {LEVELS[most]:.2g}: {gap[most]:.2g}, a share of "
    return f"{said}{_percent(share[most])}. {measured}"


def _percent(share) -> str:
    return f"{float(f'{100 * share:.2g}'):g} %"


def _python(model, exact):
    lines = [
        "from itertools import islice",
        "import numpy as np",
        "import edm",
        "",
        f"model = edm.models.load({model.name!r})",
        "curves = edm.diagnostics.losses(",
        '    {"learned": model.denoiser},',
        "    edm.diagnostics.held_out(model),",
        "    np.geomspace(80, 0.002, 24),",
    ]
    if exact:
        lines.append(f"    exact={choosing.exact_code(model)}.denoiser,")
    shown = "learned.gap.mean, learned.gap.stderr" if exact else "learned.mean, learned.stderr"
    lines += [")", 'learned = list(islice(curves, 50))[-1]["learned"]', f"print({shown})"]
    if exact and model.shape == (2,):
        lines += [
            "",
            "x = edm.diagnostics.window_grid(2, 2, 48, 48)",
            f"ideal = {choosing.exact_code(model)}.denoiser",
            "print(edm.diagnostics.gap_field(model.denoiser, ideal, x, 0.3).norm(dim=1))",
        ]
    return "\n".join(lines) + "\n"


INSTRUMENT = Instrument(
    "oracle",
    "loss",
    "Oracle gap",
    "Where does a trained denoiser differ from the one that its data define?",
    Oracle,
    respond,
    script="oracle",
    body=drawings.Oracle,
)
