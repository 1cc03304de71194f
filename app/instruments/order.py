"""Measured order of convergence: error against evaluations, with the slope written next to each line.

Of solvers with fresh noise it is the weak order: of the distribution, for Gaussian data.
"""

from __future__ import annotations

from dataclasses import replace

from app.instruments import choosing, starts
from app.instruments.base import Instrument, View, option
from app.instruments.methods import all_titles, every, solvers_option
from edm import diagnostics, models
from edm.base.errors import Refused
from edm.plots import panels
from edm.plots.looks import Look, look_of
from edm.plots.panels import Series
from edm.sampling.settings import Sampling
from edm.timesteps import DISCRETIZATIONS

STEPS = (3, 4, 6, 8, 11, 16, 23, 32, 45, 64, 91, 128, 181, 256)
POINTS, IMAGES = 16, 4


def grids() -> dict[str, str]:
    """Time steps: name -> the column that they are of, or their own title."""
    return {name: choosing.column_title(name, DISCRETIZATIONS) for name in DISCRETIZATIONS}


class Orders(View):
    """What the instrument shows."""

    data: str = starts.model_option("three_modes")
    solvers: tuple[str, ...] = solvers_option(
        ("euler", "heun", "ralston", "midpoint"),
        "Each by itself; those that add noise by their distribution, on Gaussian data of the same size",
        choices=all_titles,
    )
    grids: tuple[str, ...] = option(
        ("edm",),
        "time steps",
        "Time steps of Table 1's columns",
        choices=grids,
        section="Time steps",
    )
    rho: float = option(7.0, "ρ", "Of EDM's time steps", slider=(1, 15), step=0.1, ge=0.1, le=100, section="Time steps")
    most: int = option(
        256, "N ≤", "The most steps that are tried", slider=(16, 256), log=True, ge=8, le=512, section="Steps"
    )
    seed: int = starts.seed_option("The random start of the trajectories")


def respond(settings: Orders, context):
    if not settings.solvers or not settings.grids:
        raise Refused("there is nothing to measure: choose at least one solver and one kind of time steps")
    model = models.load(settings.data)
    chosen = [(solver, grid) for grid in settings.grids for solver in settings.solvers]
    lines = {line: _sampling(*line, settings) for line in chosen}
    yield _body({line: [] for line in lines}, settings), False  # the exact solution takes a while
    key = "order", model.identity, tuple(lines.items()), settings.most
    for items, ended in starts.kept(context, key, lambda: _points(model, lines, settings, context)):
        points = {line: [point for other, point in items if other == line] for line in lines}
        yield _body(points, settings), ended


def _sampling(solver, grid, settings):
    return Sampling(**every()[solver].values, discretization=grid, rho=settings.rho, seed=settings.seed)


def _points(model, lines, settings, context):
    """(line, Point), all lines with the same N before any with more."""
    z, labels = starts.latents(model, POINTS, IMAGES, settings.seed, context.place(model))
    denoiser = starts.solved_once(context, model)
    steps = [count for count in STEPS if count <= settings.most]
    size = _size(model)
    measured = [
        diagnostics.weak_convergence(sampling, steps, size, size)
        if sampling.stochastic
        else diagnostics.convergence(denoiser, z, sampling, steps, labels)
        for sampling in lines.values()
    ]
    for points in zip(*measured, strict=True):
        yield from zip(lines, points, strict=True)


def _size(model) -> float:
    """Standard deviation of the data: of the Gaussian, too, and its mean."""
    return float(model.sigma_data)


def _body(points, settings):
    several = len(settings.grids) > 1
    series = [
        Series(_name(line, several), _look(*line, several), found, every()[line[0]].order)
        for line, found in points.items()
    ]
    orders = {line: panels.order_of(found) for line, found in points.items()}
    figure = {"panels": [panels.order(series, settings.most)]}
    return {"figure": figure, "summary": _summary(orders, points, several), "python": _python(settings)}


def _look(solver, grid, several) -> Look:
    """The solver's colour, and the line and symbol of the time steps; the solver's own line where they are one kind."""
    look, method = look_of(grid), every()[solver]
    return replace(look, color=method.color, dash=look.dash if several else method.dash)


def _name(line, several):
    solver, grid = line
    return every()[solver].title + (f", {grids()[grid]}'s steps" if several else "")


def _summary(orders, points, several):
    known = {_name(line, several): order for line, order in orders.items() if order}
    if not known:
        most = max((point.steps for found in points.values() for point in found), default=0)
        if not most:
            return "First the exact solution, which all lines are compared with …"
        return f"No slope yet: up to N = {most}, fewer than three points lie above the floor."
    straight = [f"{name}: {o.order:.2f} ± {o.stderr:.1g}" for name, o in known.items() if o.asymptotic]
    bent = [
        f"{name}: {o.order:.2f} from N = {o.steps[0]} to {o.steps[1]}" for name, o in known.items() if not o.asymptotic
    ]
    weak = [name for name in known if _noisy(name, points, several)]
    said = "Measured orders, where the points are on a line: " + "; ".join(straight) + "." if straight else ""
    if bent:
        said += (
            f" Not yet asymptotic are the slopes of {'; '.join(bent)}: the line is straight over less than a factor of "
            f"{diagnostics.SPAN:g} in N, so more steps will change them."
        )
    if weak:
        said += (
            f" {', '.join(weak)}: weak orders, of mean and standard deviation on Gaussian data, worked out without "
            "samples; a path with fresh noise has no solution of its own."
        )
    if any(every()[solver].solver.counted for solver, _ in points):
        said += " Restart's rounds take as many steps with any N, so that their error stays."
    return said.strip()


def _noisy(name, points, several):
    return any(every()[line[0]].noisy for line in points if _name(line, several) == name)


def _python(settings):
    grid, solver = settings.grids[0], settings.solvers[0]
    sampling = _sampling(solver, grid, settings)
    steps = [count for count in STEPS if count <= settings.most]
    size = _size(models.load(settings.data))
    return (
        "import edm\n\n"
        f"model = edm.models.load({settings.data!r})\n"
        f"experiment = edm.Experiment(model=model.name, count={POINTS}, sampling=edm.Sampling(seed={settings.seed}))\n"
        "latents, labels = edm.runner.start(experiment)\n"
        f"for values in {[every()[name].values for name in settings.solvers]!r}:\n"
        f"    for grid in {list(settings.grids)!r}:\n"
        f"        sampling = edm.Sampling(**values, discretization=grid, rho={sampling.rho!r})\n"
        "        if sampling.stochastic:\n"
        f"            points = edm.diagnostics.weak_convergence(sampling, {steps!r}, {size!r}, {size!r})\n"
        "        else:\n"
        f"            points = edm.diagnostics.convergence(model.denoiser, latents, sampling, {steps!r}, labels)\n"
        "        points = list(points)\n"
        "        order = edm.diagnostics.fitted_order(points)\n"
        "        print(values, grid, order, order.asymptotic)\n"
    )


INSTRUMENT = Instrument(
    "order", "loss", "Order", "How fast does the error fall with the number of evaluations?", Orders, respond
)
