"""Appendix D: what each step of a sampler gets wrong, for solvers and for ρ; what the whole sampler gets wrong."""

from __future__ import annotations

import math

import numpy as np

from app.figures import pack
from app.instruments import methods, starts, ways
from app.instruments.base import Instrument, View, option
from app.messages import drawings
from edm import diagnostics, models
from edm.plots.panels import rounded
from edm.sampling.loop import last, sample
from edm.sampling.path import path_of

RHOS = (1.0, 3.0, 5.0, 7.0, 10.0)
RHO_COLORS = dict(zip(RHOS, ("c1", "c2", "c3", "mute", "c4"), strict=True))
TOTAL_RHOS = tuple(float(rho) for rho in range(1, 11))
POINTS, IMAGES = 96, 8


class Truncation(View):
    """What the instrument shows."""

    data: str = starts.model_option("eight_gaussians")
    design: str = option(
        "edm",
        "sampler",
        "Time steps, schedule and scaling of a column of Table 1, or of the Sampler tab; without churn",
        choices=ways.offered,
        section="Sampler",
    )
    solver: str = option(
        "heun",
        "solver",
        "The solver that is drawn strong, compared over ρ, and painted",
        choices=methods.all_titles,
        list=True,
        section="Solver",
    )
    solvers: tuple[str, ...] = methods.solvers_option(
        ("euler", "heun", "ralston", "midpoint"),
        "Whose steps are compared with it; those that add noise without it",
        choices=methods.all_titles,
    )
    rho: float = option(
        7.0,
        "ρ",
        "How much EDM's time steps crowd towards low noise",
        slider=(1, 15),
        step=0.1,
        ge=0.1,
        le=100,
        section="Steps",
    )
    steps: int = option(18, "N", "Number of steps", slider=(2, 64), step=1, ge=2, le=500, section="Steps")
    seed: int = starts.seed_option("The random start of the trajectories")


def respond(settings: Truncation, context):
    model = models.load(settings.data)
    base = ways.sampling_of(settings.design, context.yours, settings.seed)
    base = base.changed(steps=settings.steps, S_churn=0.0, sigmas=None, rho=settings.rho, **_values(settings.solver))
    low, high = path_of(base, model.denoiser).sampling.range
    base = base.changed(sigma_min=low, sigma_max=high)
    runs = _runs(base, settings)
    key = "truncation", model.identity, base, tuple(_compared(settings))
    for items, ended in starts.kept(context, key, lambda: _items(model, runs, settings, context)):
        yield _body(model, base, settings, items), ended


def _values(name) -> dict:
    return methods.every()[name].quiet


def _compared(settings) -> list[str]:
    """The methods that are drawn, in their own order."""
    return [name for name in methods.every() if name in settings.solvers or name == settings.solver]


def _runs(base, settings) -> dict[tuple, object]:
    """("solver", name) and ("rho", ρ) -> the settings, the chosen ones first."""
    names = sorted(_compared(settings), key=lambda name: name != settings.solver)
    runs = {("solver", name): base.changed(**_values(name)) for name in names}
    edm_steps = base.changed(discretization="edm")
    for rho in sorted({settings.rho, *RHOS}, key=lambda rho: (rho != settings.rho, rho)):
        runs["rho", rho] = edm_steps.changed(rho=rho)
    return runs


def _items(model, runs, settings, context):
    """("local", run, LocalError), ("end", run, the solution at σ = 0) and ("total", ρ, error), as they come."""
    z, labels = starts.latents(model, POINTS, IMAGES, settings.seed, context.place(model))
    denoiser = starts.solved_once(context, model)
    ends: dict = {}
    for run, sampling in runs.items():
        for part in diagnostics.truncation_error(denoiser, z, sampling, labels):
            yield "local", run, part
        kind, _ = run
        if kind not in ends:
            *_, ends[kind] = diagnostics.solution(denoiser, z, path_of(sampling, denoiser).sigmas, labels)
            yield "end", run, ends[kind]
    for rho in sorted({settings.rho, *TOTAL_RHOS}):
        sampling = runs["rho", settings.rho].changed(rho=rho)
        yield "total", rho, diagnostics.rms_error(last(sample(denoiser, z, sampling, labels)).x, ends["rho"])


def _body(model, base, settings, items):
    parts: dict = {}
    for kind, run, part in items:
        if kind == "local":
            parts.setdefault(run, []).append(part)
    totals = [(rho, error) for kind, rho, error in items if kind == "total"]
    x = {"title": "σ where the step begins", "log": True}
    y = {"title": "local error, rms of x/s", "log": True}
    of_solver = {**y, "title": f"local error of {methods.all_titles()[settings.solver]}"}
    solvers = [_line(name, parts.get(("solver", name), []), settings) for name in _compared(settings)]
    rhos = [_rho_line(rho, parts.get(("rho", rho), []), settings) for rho in sorted({settings.rho, *RHOS})]
    grid = (
        f"ρ = {settings.rho:g}" if base.discretization == "edm" else f"{ways.offered()[settings.design]}'s time steps"
    )
    panels = [
        {"title": grid, "x": x, "y": y, "lines": solvers},
        {"title": "ρ =", "x": x, "y": of_solver, "lines": rhos},
        _total_panel(totals, settings),
    ]
    body = {"figure": {"panels": panels}, "summary": _summary(parts, totals, settings)}
    if model.shape == (2,) and ("solver", settings.solver) in parts:
        ends = [end for kind, _, end in items if kind == "end"]
        body["painted"] = _painted(model, parts["solver", settings.solver], ends)
    return {**body, "python": _python(base, settings)}


def _rms(parts):
    return rounded([float(part.error.square().mean().sqrt()) or math.nan for part in parts])


def _line(name, parts, settings):
    method = methods.every()[name]
    strong = {"width": 3} if name == settings.solver else {"width": 1.5}
    look = {"name": method.title, "color": method.color, **strong}
    look |= {} if method.dash == "solid" else {"dash": method.dash}
    return {**look, "x": rounded([p.sigma for p in parts]), "y": _rms(parts)}


def _rho_line(rho, parts, settings):
    strong = {"width": 3, "color": "ink"} if rho == settings.rho else {"width": 1.3, "color": RHO_COLORS[rho]}
    return {"name": f"{rho:g}", "x": rounded([p.sigma for p in parts]), "y": _rms(parts), **strong}


def _total_panel(totals, settings):
    line = {"name": None, "color": "edm", "mode": "lines+markers", "size": 5}
    line |= {"x": rounded([rho for rho, _ in totals]), "y": rounded([error for _, error in totals])}
    title, marks = "the whole sample's error", []
    if len(totals) >= len(TOTAL_RHOS):
        best = min(totals, key=lambda pair: pair[1])
        marks = [{"x": best[0], "color": "data"}]
        title += f": least at ρ = {best[0]:g}"
    x = {"title": "ρ", "range": [0.5, max(10.5, settings.rho + 0.5)]}
    y = {"title": "rms error at σ = 0", "log": True} | ({} if totals else {"range": [1e-3, 1]})
    return {"title": title, "x": x, "y": y, "lines": [line], "marks": marks}


def _painted(model, parts, ends):
    """Trajectories with the local error of each of their steps; they end at σ = 0 once that is known."""
    states = [part.x for part in parts] + ends[:1]
    return {
        "x": pack.float32(np.stack([state.numpy() for state in states])),
        "sigma": [part.sigma for part in parts] + [0.0] * len(ends[:1]),
        "error": pack.float32(np.stack([part.error.numpy() for part in parts])),
        "count": len(parts[0].x),
        "data": starts.data(model),
        "sigmaData": model.sigma_data,
    }


def _summary(parts, totals, settings):
    chosen = parts.get(("solver", settings.solver), [])
    if not chosen:
        return ""
    errors = _rms(chosen)
    at = max(range(len(errors)), key=lambda i: errors[i] or 0)
    text = f"{methods.all_titles()[settings.solver]} with N = {settings.steps} errs most in its step"
    text += f" from σ = {chosen[at].sigma:.3g} to {chosen[at].sigma_next:.3g}: {errors[at] or 0:.2g} (rms of x/s)."
    noisy = [methods.all_titles()[name] for name in _compared(settings) if methods.every()[name].noisy]
    if noisy:
        text += f" A step with fresh noise has no solution to meet, so {', '.join(noisy)} stand here without it."
    if len(totals) >= len(TOTAL_RHOS):
        (rho, least), own = min(totals, key=lambda pair: pair[1]), dict(totals)[settings.rho]
        text += f" The error of the whole sample is least with ρ = {rho:g}: {least:.2g}"
        text += "." if rho == settings.rho else f"; with ρ = {settings.rho:g} it is {own:.2g}."
    return text


def _python(base, settings):
    return (
        "import edm\n\n"
        f"model = edm.models.load({settings.data!r})\n"
        f"sampling = edm.Sampling.parse({base.document()!r})\n"
        f"experiment = edm.Experiment(model=model.name, count={POINTS}, sampling=sampling)\n"
        "latents, labels = edm.runner.start(experiment)\n"
        "for part in edm.diagnostics.truncation_error(model.denoiser, latents, sampling, labels):\n"
        "    print(part.sigma, part.error.square().mean().sqrt().item())\n"
        f"for rho in range(1, 11):\n"
        '    changed = sampling.changed(discretization="edm", rho=rho)\n'
        "    print(rho, edm.diagnostics.sampling_error(model.denoiser, latents, changed, labels))\n"
    )


INSTRUMENT = Instrument(
    "truncation",
    "loss",
    "Truncation",
    "At which noise level does each step err, and what does ρ change?",
    Truncation,
    respond,
    script="truncation",
    body=drawings.Truncation,
)
