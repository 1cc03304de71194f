"""Noise added and removed again and again at the same σ (Appendix E): rows of rounds, and their spread."""

from __future__ import annotations

import math

import numpy as np

from app.figures import pack
from app.instruments import starts
from edm import diagnostics, latents, models, seeds
from edm.base.transfers import sent
from edm.diagnostics.spreads import change, detailing, detailing_without, spreading, spreading_without
from edm.plots import panels
from edm.plots.looks import Look
from edm.plots.panels import Series
from edm.sampling.path import nearest

POINTS, IMAGES, TRAINED_IMAGES = 300, 32, 24  # that are measured
SHOWN_IMAGES = 2  # in a row


def images(x) -> str:
    """Images [B, …] for the page."""
    return pack.uint8(list(x.float().cpu().numpy()))


def respond(settings, context):
    """The bodies of the churn microscope's repetition."""
    model = models.load(settings.data)
    strengths = list(dict.fromkeys((1.0, settings.S_noise)))
    key = "churn cycles", model.identity, settings.sigma, settings.S_noise, settings.rounds, settings.seed

    def items():
        clean, labels = _clean(model)
        place = context.place(model)
        x = sent(_noisy(clean, model, settings), place)
        labels = None if labels is None else sent(labels, place)
        denoiser = context.denoiser(model, place)
        runs = [
            diagnostics.churn_cycles(
                denoiser, x, settings.sigma, settings.rounds, S_noise=strength, seed=settings.seed + 1, labels=labels
            )
            for strength in strengths
        ]
        for parts in zip(*runs, strict=True):
            yield from zip(strengths, (_measured(part, model, settings) for part in parts), strict=True)

    for done, ended in starts.kept(context, key, items):
        if done:
            yield (
                _rounds_body(settings, model, strengths, [(strength, _packed(part)) for strength, part in done]),
                ended,
            )


def _clean(model):
    count = POINTS if len(model.shape) == 1 else TRAINED_IMAGES if model.trained else IMAGES
    y, labels = diagnostics.held_out(model)(np.arange(count))
    return y, labels if model.classes else None


def _noisy(clean, model, settings):
    (sigma,) = nearest([settings.sigma], model.denoiser)
    return clean + sigma * latents(seeds(settings.seed, len(clean)), model.shape)


def _measured(part, model, settings) -> dict:
    """The numbers of a round, and of those that are shown the pictures too, as tensors where it is computed."""
    measure, without = (detailing, detailing_without) if len(model.shape) == 3 else (spreading, spreading_without)
    found = {"index": part.index, "sigma": part.sigma, "x": spreading(part.x), "denoised": measure(part.denoised)}
    found["without"] = without(part.denoised)
    if part.index in _shown(settings):
        x, denoised = part.x, part.denoised
        if len(model.shape) > 1:
            contrast = model.sigma_data / math.hypot(part.sigma, model.sigma_data)
            x, denoised = x[:SHOWN_IMAGES] * contrast, denoised[:SHOWN_IMAGES]
        found["picture"] = {"x": x, "denoised": denoised}
    return found


def _packed(part) -> dict:
    """What `_measured` has found, for the page."""
    found = {**part, "x": float(part["x"]), "denoised": float(part["denoised"])}
    if "picture" in part:
        points = part["picture"]["x"].ndim == 2
        found["picture"] = {
            name: pack.float32(x.numpy()) if points else images(x) for name, x in part["picture"].items()
        }
    return found


def _pictured(parts) -> list[dict]:
    """The rounds that are shown, as the page is sent them."""
    return [{k: v for k, v in part.items() if k != "without"} for part in parts if "picture" in part]


def _shown(settings) -> list[int]:
    """0, 1, 2, 4, 8, … and the last."""
    powers = [2**k for k in range(settings.rounds.bit_length()) if 2**k <= settings.rounds]
    return sorted({0, *powers[-7:], settings.rounds})


def _rounds_body(settings, model, strengths, done):
    rows = {strength: [part for other, part in done if other == strength] for strength in strengths}
    sigma = done[0][1]["sigma"]
    sigma_data = model.dataset.sigma_data if model.dataset else model.sigma_data
    colors = dict(zip(strengths, ("c3", "yours"), strict=False))
    series = [
        Series(
            f"S<sub>noise</sub> = {strength:g}",
            Look(colors[strength]),
            [(part["index"], part["x"], part["denoised"]) for part in parts],
        )
        for strength, parts in rows.items()
    ]
    shown = [
        {
            "title": f"S_noise = {strength:g}",
            "color": colors[strength],
            "rounds": _pictured(parts),
        }
        for strength, parts in rows.items()
    ]
    count = min(SHOWN_IMAGES, TRAINED_IMAGES) if len(model.shape) == 3 else POINTS
    stage = {"kind": "rounds", "shape": model.shape, "count": count, "rows": shown, "columns": _shown(settings)}
    if len(model.shape) == 1:
        stage["reach"] = 2.2 * math.hypot(sigma, sigma_data)
    return {
        "stage": stage,
        "figure": {"columns": 2, "panels": panels.churn(series, sigma, sigma_data, _of(model))},
        "summary": _rounds_summary(rows, math.hypot(sigma, sigma_data), _of(model)),
        "python": _rounds_python(settings, model, strengths),
    }


def _of(model) -> str:
    """What is measured of D(x; σ)."""
    return "detail" if len(model.shape) == 3 else "spread"


DEFINED = " Detail is the rms of what the means of 2 × 2 pixels leave."


def _rounds_summary(rows, expected, of):
    """What the rounds do to D(x; σ), of which noise is no part, and what S_noise does about it; then to x."""
    known = {strength: parts for strength, parts in rows.items() if parts}
    (_, plain), *others = known.items()
    start, end = plain[0], plain[-1]
    if end is start:
        return f"At the start, at σ = {start['sigma']:.3g}, the {of} of D(x; σ) is {start['denoised']:.3g}."
    said = [
        f"to {parts[-1]['denoised']:.3g} with S_noise = {strength:g} ({_verdict(_change(parts[0], parts[-1]), of)})"
        for strength, parts in known.items()
    ]
    text = f"In {end['index']} rounds at σ = {start['sigma']:.3g}, the {of} of D(x; σ) goes from "
    text += f"{start['denoised']:.3g} {', and '.join(said)}."
    for strength, parts in others:
        text += f" {_restored(strength, _change(plain[len(parts) - 1], parts[-1]))}"
    ends = " and ".join(f"{parts[-1]['x']:.3g} with {strength:g}" for strength, parts in known.items())
    text += f" The spread of x goes from {start['x']:.3g} to {ends}; data with that noise have {expected:.3g}."
    text += DEFINED if of == "detail" else ""
    return f"{text} Intervals: 95 %, over {len(start['without'])} samples with noise of their own."


def _change(before, after):
    return change(before["denoised"], after["denoised"], before["without"], after["without"])


def _percents(found) -> str:
    middle, low, high = (f"{100 * (factor - 1):+.2g}".replace("-", "−") for factor in found)
    return f"{middle} %, {low} … {high} %"


def _verdict(found, of) -> str:
    if not found.significant:
        return f"{_percents(found)}: no change beyond chance"
    grows = {"detail": "contrast grows", "spread": "it grows"}
    return f"{_percents(found)}: {grows[of] if found.factor > 1 else f'{of} is lost'}"


def _restored(strength, found) -> str:
    """What another strength of noise makes of the same rounds."""
    if not found.significant:
        return f"What S_noise = {strength:g} changes is not beyond chance ({_percents(found)})."
    return f"S_noise = {strength:g} makes it {'larger' if found.factor > 1 else 'smaller'} ({_percents(found)})."


def _rounds_python(settings, model, strengths):
    count = len(_clean(model)[0])
    return (
        "import numpy as np\nimport edm\n\n"
        f"model = edm.models.load({settings.data!r})\n"
        f"y, labels = edm.diagnostics.held_out(model)(np.arange({count}))\n"
        f"x = y + {settings.sigma} * edm.latents(edm.seeds({settings.seed}, {count}), model.shape)\n"
        f"for S_noise in {strengths!r}:\n"
        f"    rounds = edm.diagnostics.churn_cycles(model.denoiser, x, {settings.sigma}, {settings.rounds},\n"
        f"        S_noise=S_noise, seed={settings.seed + 1}, labels={'labels' if model.classes else 'None'})\n"
        "    for part in rounds:\n"
        "        print(S_noise, part.index, *map(edm.diagnostics.spread, (part.x, part.denoised)))\n"
    )
