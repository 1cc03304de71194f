"""The same line, two clocks: solutions of one noise as flow matching draws them, and as EDM does.

x̃ = x/(1 + σ) against t = σ/(1 + σ), and x against σ = t/(1 − t): the lines are the same, and so are Euler's steps. What
looks at more than one slope of a step, such as Heun's method, finds another end on each clock.
"""

from __future__ import annotations

import numpy as np

from app.instruments import starts
from app.instruments.base import Instrument, View, option
from edm import diagnostics, models, presets
from edm.plots.looks import look_of
from edm.plots.panels import apart, rounded
from edm.sampling.loop import sample
from edm.sampling.settings import Sampling
from edm.solvers import SOLVERS

FLOW = "flow"  # the columns of Table 1 whose coordinates they are
EDM = "edm"
CLOCKS = {
    name: {row: getattr(presets.load(f"designs/{name}").sampling, row) for row in ("schedule", "scaling")}
    for name in (FLOW, EDM)
}
EULER = "euler"
HEUN = "heun"
PICTURED, STEPPED, MOMENTS = 24, 4, 120  # solutions, those with steps, and levels between which lines are straight
REACH = 4.0  # σ up to which EDM's picture shows them
COMPARED = (EULER, HEUN)


def _lines() -> dict[str, str]:
    return {model.name: model.title for model in models.every() if model.shape == (1,)}


def _solvers() -> dict[str, str]:
    return {name: solver.title for name, solver in SOLVERS.items() if not solver.draws(Sampling(solver=name))}


class Clocks(View):
    """What the instrument shows."""

    data: str = option(
        "three_modes", "model", "Data in one dimension, whose denoiser is exact", choices=_lines, section="Data"
    )
    sigma: float = option(
        1.0,
        "σ",
        "The moment that is marked on both clocks",
        slider=(0.05, 12),
        log=True,
        ge=0.002,
        le=80,
        section="Moment",
    )
    solver: str = option(
        "heun", "solver", "Whose steps are drawn, on the same levels on both clocks", choices=_solvers, list=True,
        section="Steps",
    )  # fmt: skip
    steps: int = option(6, "N", "How many steps", slider=(2, 24), step=1, ge=1, le=200, section="Steps")
    seed: int = starts.seed_option("The same noise on both clocks")


def respond(settings: Clocks, context):
    model = models.load(settings.data)
    z, _ = starts.latents(model, PICTURED, PICTURED, settings.seed, "cpu")
    denoiser = context.denoiser(model, "cpu")
    designs = {name: _sampling(settings, settings.solver, name) for name in CLOCKS}
    high = designs["edm"].range[1]
    t = np.linspace(high / (1 + high), 0, MOMENTS + 1)
    with context.watch.turn():
        drawn = {name: diagnostics.paths(denoiser, z, design, t / (1 - t)) for name, design in designs.items()}
        asked = dict.fromkeys((settings.solver, *COMPARED))
        stepped = {
            solver: {name: [*sample(denoiser, z.double(), _sampling(settings, solver, name))] for name in CLOCKS}
            for solver in asked
        }
    yield _body(settings, drawn, stepped), True


def _sampling(settings, solver, clock) -> Sampling:
    return Sampling(solver=solver, steps=settings.steps, discretization="flow", seed=settings.seed, **CLOCKS[clock])


def _body(settings, drawn, stepped):
    sigma, own = settings.sigma, stepped[settings.solver]
    t = sigma / (1 + sigma)
    flow = {
        "title": "flow matching: x̃ = (1 − t)·y + t·n",
        "x": {"title": "t, with noise at the right", "range": [-0.02, 1.02]},
        "y": {"title": "x̃", "range": [-2.6, 2.6]},
        "lines": _drawn("flow", drawn["flow"], own["flow"]),
        "marks": [{"x": t, "text": f"t = {t:.3g}"}],
    }
    edm = {
        "beside": True,
        "title": "EDM: x = y + σ·n",
        "x": {"title": f"σ ≤ {REACH:g}", "range": [-0.02 * REACH, REACH]},
        "y": {"title": "x", "range": [-2 * REACH, 2 * REACH]},
        "lines": _drawn("edm", drawn["edm"], own["edm"]),
        "marks": [{"x": sigma, "text": f"σ = {sigma:.3g}"}] if sigma <= REACH else [],
    }
    return {
        "figure": {"panels": [flow, edm, _map(own["edm"], t, sigma)]},
        "summary": _summary(settings, drawn, stepped),
        "python": _python(settings),
    }


def _drawn(name, solutions, states) -> list[dict]:
    """All solutions, and the steps of some."""
    t, x = (values.numpy() for values in solutions)
    rows = x.squeeze(2).T
    times, places = (rounded(apart(part)) for part in (np.broadcast_to(t, rows.shape), rows))
    order = states[0].x[:, 0].argsort()  # from the lowest noise to the highest
    some = order[np.linspace(0, len(order) - 1, 2 * STEPPED + 1).round()[1::2]]
    known = np.stack([state.x[some, 0].numpy() for state in states], 1)
    when = np.broadcast_to([state.t for state in states], known.shape)
    at, steps = (rounded(apart(part)) for part in (when, known))
    lines = {"color": look_of(name).color, "x": times, "y": places, "width": 1.1, "opacity": 0.75}
    return [
        {"name": None, **lines},
        {"name": None, "color": "ink", "x": at, "y": steps, "width": 1.3, "mode": "lines+markers", "size": 5},
    ]


def _map(states, t, sigma) -> dict:
    """One clock against the other."""
    even = np.linspace(0.002, 0.988, 200)
    levels = np.array([state.sigma for state in states if state.sigma > 0])
    lines = [
        {"name": None, "color": "mute", "x": rounded(even), "y": rounded(even / (1 - even))},
        {"name": None, "color": "ink", "mode": "markers", "size": 6,
         "x": rounded(levels / (1 + levels)), "y": rounded(levels)},
        {"name": None, "color": "noise", "mode": "markers", "size": 9, "x": [t], "y": [sigma]},
    ]  # fmt: skip
    y = {"title": "σ", "log": True, "range": [0.002, 100]}
    return {"beside": True, "title": "the map σ = t/(1 − t)", "x": {"title": "t"}, "y": y, "lines": lines}


def _summary(settings, drawn, stepped):
    exact = drawn["edm"][1][-1]
    ends = {solver: {name: run[-1].x for name, run in clocks.items()} for solver, clocks in stepped.items()}
    said = [_compared(solver, found, exact) for solver, found in ends.items()]
    sigma, levels = settings.sigma, "level" if settings.steps == 1 else "levels"
    return (
        f"At σ = {sigma:.3g} flow's clock shows t = σ/(1 + σ) = {sigma / (1 + sigma):.3g}, and x̃ = x/{1 + sigma:.3g}: "
        f"the lines are the same. On the same {settings.steps} {levels}, {'; '.join(said)}."
    )


def _compared(solver, ends, exact) -> str:
    """What the ends of a solver's runs differ by, and which is nearer to the solution."""
    title, apart_by = SOLVERS[solver].title, float((ends["flow"] - ends["edm"]).abs().max())
    flow, edm = (diagnostics.rms_error(ends[name], exact) for name in (FLOW, EDM))
    if apart_by < 1e-9:
        return f"{title}'s samples are the same on both clocks, to {apart_by:.0e} (RMS error {flow:.2g})"
    return f"{title}'s have an RMS error of {flow:.2g} on flow's clock and {edm:.2g} on EDM's"


def _python(settings):
    return (
        "import edm\n\n"
        f"model = edm.models.load({settings.data!r})\n"
        f"latents = edm.latents(edm.seeds({settings.seed}, {PICTURED}), model.shape).double()\n"
        f"for clock, rows in {CLOCKS!r}.items():\n"
        f"    steps = {{'solver': {settings.solver!r}, 'steps': {settings.steps}, 'discretization': 'flow'}}\n"
        "    sampling = edm.Sampling(**steps, **rows)\n"
        "    for state in edm.sample(model.denoiser, latents, sampling):\n"
        "        print(clock, state.t, (state.x / state.scale).flatten().tolist())\n"
    )


INSTRUMENT = Instrument(
    "clocks",
    "loss",
    "Two clocks",
    "Flow matching and EDM draw the same solutions: what does the other clock change?",
    Clocks,
    respond,
    script="beside",
)
