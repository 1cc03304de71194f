"""The churn microscope: one step of Algorithm 2 in slow motion, and noise added and removed again and again."""

from __future__ import annotations

import math

from app.figures import pack
from app.instruments import cycles, starts
from app.instruments.base import Instrument, View, option
from app.messages import drawings
from edm import diagnostics, models
from edm.plots.panels import rounded
from edm.sampling.noise import seeds
from edm.sampling.settings import Sampling

KINDS = {"step": "one step", "rounds": "again and again"}
TITLES = {"start": "start", "noise": "noise", "denoised": "denoised", "euler": "Euler", "corrected": "corrected"}
PLAYED, IMAGES = 60, 6  # samples of one step


class Churn(View):
    """What the microscope shows."""

    what: str = option(
        "step",
        "what",
        "One step of Algorithm 2 in its parts, or noise added and removed many times at the same σ",
        choices=lambda: KINDS,
        section="What",
    )
    data: str = starts.model_option("eight_gaussians", line=False)
    steps: int = option(
        18, "N", "Number of steps", slider=(2, 64), step=1, ge=2, le=1000, section="Step", when={"what": ["step"]}
    )
    index: int = option(
        10,
        "step i",
        "Which step, counted from 0; the last one if there are fewer",
        slider=(0, 17),
        step=1,
        ge=0,
        le=999,
        section="Step",
        when={"what": ["step"]},
    )
    S_churn: float = option(
        10.0,
        "S<sub>churn</sub>",
        "Amount of fresh noise: γ = S_churn/N, at most √2 − 1",
        slider=(0, 50),
        step=0.5,
        ge=0,
        le=1e6,
        section="Noise",
        when={"what": ["step"]},
    )
    sigma: float = option(
        0.3,
        "σ",
        "The noise level that is left and returned to",
        slider=(0.01, 20),
        log=True,
        ge=0.001,
        le=1000,
        section="Noise",
        when={"what": ["rounds"]},
    )
    S_noise: float = option(
        1.05,
        "S<sub>noise</sub>",
        "Strength of the fresh noise",
        slider=(0.9, 1.1),
        step=0.001,
        ge=0,
        le=10,
        section="Noise",
    )
    rounds: int = option(
        32,
        "rounds",
        "How often noise is added and removed",
        slider=(1, 128),
        log=True,
        ge=1,
        le=1024,
        section="Repetition",
        when={"what": ["rounds"]},
    )
    seed: int = starts.seed_option("The random start and the noise")


def respond(settings: Churn, context):
    asked = settings.index
    settings = settings.changed(index=min(asked, settings.steps - 1))
    for body, ended in _respond(settings, context):
        if asked > settings.index and settings.what == "step":
            body = {**body, "summary": f"There is no step {asked}, so this is the last. {body['summary']}"}
        yield body, ended


def _respond(settings, context):
    yield from (_step if settings.what == "step" else cycles.respond)(settings, context)


def _step(settings, context):
    model = models.load(settings.data)
    sampling = Sampling(steps=settings.steps, S_churn=settings.S_churn, S_noise=settings.S_noise, seed=settings.seed)

    def moments():
        z, labels = starts.latents(model, PLAYED, IMAGES, settings.seed, context.place(model))
        own = seeds(settings.seed, len(z))
        return diagnostics.slow_motion(context.denoiser(model), z, sampling, settings.index, labels, seeds=own)

    key = "slow motion", model.identity, sampling, settings.index
    for shown, ended in starts.kept(context, key, moments):
        if shown:
            yield _step_body(settings, model, sampling, shown), ended


def _step_body(settings, model, sampling, moments):
    points = len(model.shape) == 1
    packed = [{"name": m.name, "title": TITLES[m.name], "sigma": m.sigma, "note": _note(m, moments)} for m in moments]
    for moment, sent in zip(moments, packed, strict=True):
        x = moment.x / moment.scale
        if points:
            sent["x"], sent["denoised"] = pack.float32(x.numpy()), pack.float32(moment.denoised.numpy())
        else:
            contrast = model.sigma_data / math.hypot(moment.sigma, model.sigma_data)
            sent["x"], sent["denoised"] = cycles.images(x * contrast), cycles.images(moment.denoised)
    stage = {"kind": "step", "shape": model.shape, "count": len(moments[0].x), "moments": packed}
    if points:
        stage |= {"data": starts.data(model), "sigmaData": model.sigma_data}
    return {
        "stage": stage,
        "figure": {"panels": [_moments_panel(moments)] if points else []},
        "summary": _step_summary(moments, settings),
        "python": _step_python(settings, sampling),
    }


def _note(moment, moments):
    """What happened, in the paper's symbols."""
    hat = "x̂" if any(m.name == "noise" for m in moments) else "x"
    return {
        "start": f"xᵢ at σᵢ = {moment.sigma:.3g}",
        "noise": f"fresh noise: x̂ at σ̂ = {moment.sigma:.3g}",
        "denoised": f"D({hat}; σ): the slope points away from it",
        "euler": f"along the first slope, to σ = {moment.sigma:.3g}",
        "corrected": f"along the mean of both slopes, to σ = {moment.sigma:.3g}",
    }[moment.name]


def _moments_panel(moments):
    """Not drawn: the numbers behind the picture, for the table that one can download."""
    places = [(moment.x / moment.scale).double().numpy() for moment in moments]
    lines = [
        {"name": TITLES[moment.name], "x": rounded(x[:, 0]), "y": rounded(x[:, 1])}
        for moment, x in zip(moments, places, strict=True)
    ]
    return {"title": "positions x/s", "lines": lines}


def _step_summary(moments, settings):
    by_name = {moment.name: moment for moment in moments}
    start, end = moments[0], moments[-1]
    if "euler" not in by_name:
        return f"Step {settings.index} of {settings.steps}, from σ = {start.sigma:.3g}."
    text = f"Step {settings.index} of {settings.steps}: σ = {start.sigma:.3g}"
    text += f" is raised to {by_name['noise'].sigma:.3g} by noise" if "noise" in by_name else ", without noise"
    text += f", then {'taken' if 'noise' in by_name else 'goes'} down to {end.sigma:.3g}."
    before, euler = by_name.get("noise", start), by_name["euler"]
    text += f" Euler moves x by {_distance(euler, before):.2g} (rms)"
    return text + (f"; the correction, by {_distance(end, euler):.2g} more." if end is not euler else ".")


def _distance(a, b):
    return diagnostics.rms_error(a.x / a.scale, b.x / b.scale)


def _step_python(settings, sampling):
    return (
        "import edm\n\n"
        f"model = edm.models.load({settings.data!r})\n"
        f"sampling = edm.Sampling.parse({sampling.document()!r})\n"
        "experiment = edm.Experiment(model=model.name, sampling=sampling)\n"
        "latents, labels = edm.runner.start(experiment)\n"
        "seeds = edm.seeds(sampling.seed, len(latents))\n"
        f"arguments = model.denoiser, latents, sampling, {settings.index}, labels\n"
        "for moment in edm.diagnostics.slow_motion(*arguments, seeds=seeds):\n"
        "    print(moment.name, moment.sigma, moment.x[0])\n"
    )


INSTRUMENT = Instrument(
    "churn",
    "loss",
    "Churn",
    "What happens to x when noise is added and taken away?",
    Churn,
    respond,
    script="churn",
    body=drawings.Churn,
)
