"""How much trajectories bend, for each schedule and scaling; beside it, Figure 3's picture in one dimension."""

from __future__ import annotations

from itertools import chain

import numpy as np

from app.instruments import starts
from app.instruments.base import Instrument, View, option
from edm import diagnostics, models, presets
from edm.base.choices import formula_of, title_of, titles
from edm.base.errors import Refused
from edm.plots.looks import YOURS, look_of
from edm.plots.panels import apart, rounded
from edm.sampling.settings import Sampling
from edm.schedules import SCALINGS, SCHEDULES

QUANTITIES = {
    "turn": ("turn", "share by which the slope turns over a factor e of σ"),
    "acceleration": ("|x″|", "|d²x/dt²| in the schedule's own time"),
    "departure": ("Euler's miss", "miss of a short Euler step, per (Δ ln σ)², in x/s"),
}
LEVELS, POINTS, IMAGES = 49, 64, 8
PICTURED, REACH, NEAR = 24, 25.0, 1.0  # trajectories and σ of Figure 3
SPAN = 1e6  # of the vertical axis, at the most
DISCRETE_STEP = 0.1  # in ln σ, of trained models: spans several levels of one that has discrete ones


def columns() -> dict[tuple[str, str], str]:
    """(schedule, scaling) of the columns of Table 1 -> the last of them that has it."""
    samplings = {name: presets.load(f"designs/{name}").sampling for name in presets.titles()}
    return {(sampling.schedule, sampling.scaling): name for name, sampling in samplings.items()}


def lines() -> dict[str, str]:
    """What can be compared: name -> title."""
    titles = presets.titles()
    return {name: titles[name] for name in columns().values()} | {YOURS: "own"}


class Curvatures(View):
    """What the instrument shows."""

    data: str = starts.model_option("two_diracs")
    lines: tuple[str, ...] = option(
        ("vp", "ve", "edm"),
        "lines",
        "Schedule and scaling of Table 1's columns, and a combination of your own",
        choices=lines,
        colors=lambda name: look_of(name).color,
        section="Schedule and scaling",
    )
    schedule: str = option(
        "linear",
        "own σ(t)",
        "Schedule of your own combination",
        choices=lambda: titles(SCHEDULES),
        section="Own schedule",
    )
    scaling: str = option(
        "vp", "own s(t)", "Scaling of your own combination", choices=lambda: titles(SCALINGS), section="Own scaling"
    )
    quantity: str = option(
        "turn",
        "measure",
        "The turn has no unit; |x″| is the plain second derivative; Euler's miss compares all designs fairly",
        choices=lambda: {name: texts[0] for name, texts in QUANTITIES.items()},
        section="Curvature",
    )
    zoom: bool = option(False, "zoom on σ ≤ 1", "The pictures at the right: σ up to 25, or up to 1", section="Picture")
    seed: int = starts.seed_option("The random start of the trajectories")


def respond(settings: Curvatures, context):
    if not settings.lines:
        raise Refused("no line is chosen: choose one or more under Schedule and scaling")
    designs = {name: _design(name, settings) for name in settings.lines}
    pictures, stream = [], _curves(settings, designs, context)
    begun = next(stream)  # the first levels are there before the pictures, which come whole
    yield _body(settings, designs, pictures, begun[0]), False
    for pictures, _ in _pictures(settings, designs, context):
        yield _body(settings, designs, pictures, begun[0]), False
    for curves, ended in chain([begun], stream):
        yield _body(settings, designs, pictures, curves), ended


def _design(name, settings) -> Sampling:
    rows = {column: row for row, column in columns().items()}
    schedule, scaling = rows.get(name, (settings.schedule, settings.scaling))
    # with its own range, VP has its own β_d and β_min
    return Sampling(schedule=schedule, scaling=scaling, discretization="vp" if schedule == "vp" else "edm")


def _curves(settings, designs, context):
    """[(line, Curvature)] so far, all lines at the same σ, from noise to data."""
    model = models.load(settings.data)

    def measured():
        z, labels = starts.latents(model, POINTS, IMAGES, settings.seed, context.place(model))
        denoiser = starts.solved_once(context, model)
        levels = np.geomspace(*starts.within(model, 0.002, 80), LEVELS)[::-1]
        step = DISCRETE_STEP if model.trained else 0.01
        bends = [diagnostics.curvature(denoiser, z, design, levels, labels, step) for design in designs.values()]
        for parts in zip(*bends, strict=True):
            yield from zip(designs, parts, strict=True)

    key = "curvature", model.identity, tuple(designs.items()), settings.seed
    return starts.kept(context, key, measured)


def _pictures(settings, designs, context):
    """[(line, t [S], x [S, B])] so far, of data in one dimension."""
    model = models.load(_pictured(settings))

    def drawn():
        z, _ = starts.latents(model, PICTURED, PICTURED, settings.seed, context.place(model))
        denoiser = starts.solved_once(context, model)
        end = NEAR if settings.zoom else REACH
        levels = [*(end * np.linspace(1, 0.03, 72) ** 3), 0.0]  # even enough on every schedule's clock
        for name, design in designs.items():
            t, x = diagnostics.paths(denoiser, z, design, levels, start=REACH)
            yield name, t, x.squeeze(2)

    key = "paths", model.identity, tuple(designs.items()), settings.zoom, settings.seed
    return starts.kept(context, key, drawn)


def _pictured(settings) -> str:
    return settings.data if models.load(settings.data).shape == (1,) else "two_diracs"


def _body(settings, designs, pictures, curves):
    drawn = [_line(name, settings, [part for other, part in curves if other == name]) for name in designs]
    title, words = QUANTITIES[settings.quantity]
    y = {"title": words, "log": True, "range": _range(drawn)}
    main = {"title": title, "x": {"title": "σ", "log": True, "range": [0.0015, 110]}, "y": y, "lines": drawn}
    side = [_picture(name, designs[name], t, x, settings) for name, t, x in pictures]
    return {
        "figure": {"panels": [main, *side]},
        "summary": _summary(settings, drawn),
        "python": _python(settings, designs),
    }


def _line(name, settings, parts):
    values = [getattr(part, settings.quantity).numpy() for part in parts]
    low, middle, high = np.quantile(values, (0.1, 0.5, 0.9), axis=1) if parts else ([], [], [])
    known = {"x": rounded([part.sigma for part in parts]), "y": rounded(middle)}
    band = {"low": rounded(low), "high": rounded(high)}
    look = look_of(name)
    dash = "solid" if name == YOURS else look.dash
    return {"name": lines()[name], "color": look.color, "dash": dash, **known, **band}


def _range(lines) -> list[float]:
    """From the top over so many decades: on straight lines the turn is rounding, 1e-14."""
    top = max((high for line in lines for high in line["high"] if high), default=10)
    low = min((y for line in lines for y in line["y"] if y), default=0)
    return [max(low / 2, top / SPAN), 2 * top]


def _picture(name, design, t, x, settings):
    t, x = t.numpy(), x.numpy()
    times, places = (rounded(apart(rows)) for rows in (np.broadcast_to(t, x.T.shape), x.T))
    words = f"{lines()[name]}: σ(t) {_words(SCHEDULES, design.schedule)}, s(t) {_words(SCALINGS, design.scaling)}"
    line = {"name": None, "color": look_of(name).color, "x": times, "y": places, "width": 1.1, "opacity": 0.75}
    limit = f"σ ≤ {NEAR if settings.zoom else REACH:g}"
    return {"beside": True, "title": words, "x": {"title": f"t ({limit})"}, "y": {"title": "x"}, "lines": [line]}


def _words(registry, name):
    title = title_of(registry, name)
    return f"= {title}" if formula_of(registry, name) == title else f"of {title}"


def _summary(settings, lines):
    """Medians averaged over ln σ: the levels are even in it."""
    known = [([y for y in line["y"] if y is not None], line["name"]) for line in lines]
    means = [(float(np.mean(values)), name) for values, name in known if values]
    if not means:
        return ""
    (least, straightest), *others = sorted(means)
    what = {"turn": "turn", "acceleration": "|x″|", "departure": "miss of Euler's short step"}[settings.quantity]
    x = lines[0]["x"]
    text = f"From σ = {x[0]:.3g} to {x[-1]:.2g}, the median {what}, averaged over ln σ, "
    text += f"is {least:.2g} with {straightest}"
    more = [f"{mean:.2g} with {name}" + (f" ({mean / least:.1f} ×)" if least > 0 else "") for mean, name in others]
    return ", ".join([text, *more]) + f". Bands: 10 to 90 % of the trajectories; at the right, {_title(settings)}."


def _title(settings):
    return models.load(_pictured(settings)).title


def _python(settings, designs):
    documents = {name: design.document() for name, design in designs.items()}
    return (
        "import numpy as np\nimport edm\n\n"
        f"model = edm.models.load({settings.data!r})\n"
        f"experiment = edm.Experiment(model=model.name, count={POINTS}, sampling=edm.Sampling(seed={settings.seed}))\n"
        "latents, labels = edm.runner.start(experiment)\n"
        f"for name, settings in {documents!r}.items():\n"
        "    sampling = edm.Sampling.parse(settings)\n"
        f"    levels = np.geomspace(80, 0.002, {LEVELS})\n"
        "    for part in edm.diagnostics.curvature(model.denoiser, latents, sampling, levels, labels):\n"
        f"        print(name, part.sigma, part.{settings.quantity}.median().item())\n"
    )


INSTRUMENT = Instrument(
    "curvature",
    "loss",
    "Curvature",
    "How much do trajectories bend, with each schedule and scaling?",
    Curvatures,
    respond,
    script="beside",
)
