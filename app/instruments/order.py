"""Measured order of convergence: error against evaluations, with the slope written next to each line."""

from __future__ import annotations

from app.instruments import choosing, starts
from app.instruments.base import Instrument, View, option, rounded
from app.instruments.truncation import VARIANTS, titles, variants
from edm import diagnostics, models, timesteps
from edm.base.errors import Refused
from edm.sampling.settings import Sampling
from edm.solvers import SOLVERS

STEPS = (3, 4, 6, 8, 11, 16, 23, 32, 45, 64, 91, 128, 181, 256)
POINTS, IMAGES = 16, 4
SYMBOLS = {"edm": "circle", "ve": "diamond", "vp": "square", "iddpm": "cross"}


class Orders(View):
    """What the instrument shows."""

    data: str = option(
        "three_modes",
        "model",
        "Exact denoisers of toy data and digits, and trained models",
        choices=starts.exact_and_trained,
        list=True,
        section="Data",
    )
    solvers: tuple[str, ...] = option(
        ("euler", "heun", "ralston", "midpoint"),
        "solvers",
        "Euler, and the second-order family: Heun, Ralston (⅔), midpoint (½)",
        choices=titles,
        colors=[color for *_, color in VARIANTS.values()],
        section="Solvers",
    )
    grids: tuple[str, ...] = option(
        ("edm",),
        "time steps",
        "Time steps of Table 1's columns",
        choices=lambda: choosing.titled(timesteps.DISCRETIZATIONS, choosing.COLUMNS),
        section="Time steps",
    )
    rho: float = option(7.0, "ρ", "Of EDM's time steps", slider=(1, 15), step=0.1, ge=0.1, le=100, section="Time steps")
    most: int = option(
        256, "N ≤", "The most steps that are tried", slider=(16, 256), log=True, ge=8, le=512, section="Steps"
    )
    seed: int = option(
        0, "seed", "The random start of the trajectories", slider=(0, 50), step=1, ge=0, le=2**32 - 1, section="Latents"
    )


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
    _, name, alpha, _ = variants()[solver]
    return Sampling(solver=name, alpha=alpha, discretization=grid, rho=settings.rho, seed=settings.seed)


def _points(model, lines, settings, context):
    """(line, Point), all lines with the same N before any with more."""
    z, labels = starts.latents(model, POINTS, IMAGES, settings.seed, context.work.device)
    denoiser = diagnostics.Shared(context.denoiser(model))
    steps = [count for count in STEPS if count <= settings.most]
    measured = [diagnostics.convergence(denoiser, z, sampling, steps, labels) for sampling in lines.values()]
    for points in zip(*measured, strict=True):
        yield from zip(lines, points, strict=True)


def _body(points, settings):
    orders = {line: _order(found) for line, found in points.items()}
    several = len(settings.grids) > 1
    shown = [_line(line, found, several) for line, found in points.items()]
    labels = [_label(line, found, orders[line]) for line, found in points.items() if orders[line]]
    known = any(points.values())
    panel = {
        "x": {"title": "evaluations of the denoiser (NFE)", "log": True, "range": [2, 8 * settings.most]},
        "y": {"title": "rms error of x/s at σ<sub>min</sub>", "log": True} | ({} if known else {"range": [1e-6, 1]}),
        "lines": [*_references(points), *shown, *labels],
        "marks": _floor(points),
    }
    body = {"figure": {"panels": [panel]}, "summary": _summary(orders, points, several)}
    return {**body, "python": _python(settings)}


def _order(points):
    try:
        return diagnostics.fitted_order(points)
    except Refused:  # too few points yet, or all of them at the floor
        return None


def _name(line, several):
    solver, grid = line
    return variants()[solver][0] + (f", {choosing.column_title(grid)}'s steps" if several else "")


def _line(line, points, several):
    solver, grid = line
    look = {
        "color": variants()[solver][3],
        "dash": choosing.dash_of(grid),
        "symbol": SYMBOLS.get(grid, "circle"),
        "mode": "lines+markers",
        "size": 5,
    }
    x, y = [point.evaluations for point in points], rounded([point.error for point in points])
    return {"name": _name(line, several), "x": x, "y": y, **look}


def _label(line, points, order):
    """The order, right of the last point that it is fitted to."""
    last = max((point for point in points if point.steps <= order.steps[1]), key=lambda point: point.steps)
    text = f"  order {order.order:.2f} ± {order.stderr:.1g}"
    place = {"x": [last.evaluations], "y": rounded([last.error]), "text": [text], "place": "middle right"}
    return {"name": None, "color": variants()[line[0]][3], "mode": "text", **place}


def _references(points):
    """Faint lines of order 1 and 2 through the middle of the first measured line of that order."""
    shown = {}
    for (solver, _), found in points.items():
        if len(found) >= 3:
            shown.setdefault(SOLVERS[variants()[solver][1]].order, found)
    most = max((point.evaluations for found in points.values() for point in found), default=1)
    lines = []
    for order, found in shown.items():
        end = found[-1]
        x = [found[0].evaluations, most]
        y = [1.7 * end.error * (end.evaluations / value) ** order for value in x]
        faint = {"color": "mute", "dash": "dot", "width": 1.2, "opacity": 0.7}
        lines.append({"name": f"slope −{order}", "x": x, "y": rounded(y), **faint})
    return lines


def _floor(points):
    floors = [point.floor for found in points.values() for point in found]
    if not floors or min(point.error for found in points.values() for point in found) > 300 * max(floors):
        return []
    return [{"y": max(floors), "text": f"the exact solution is known to {max(floors):.0e}"}]


def _summary(orders, points, several):
    known = [
        f"{_name(line, several)}: {order.order:.2f} ± {order.stderr:.1g}" for line, order in orders.items() if order
    ]
    if not known:
        most = max((point.steps for found in points.values() for point in found), default=0)
        if not most:
            return "First the exact solution, which all lines are compared with …"
        return f"No slope yet: up to N = {most}, fewer than three points lie above the floor."
    return "Measured orders, where the points are on a line: " + "; ".join(known) + "."


def _python(settings):
    grid, solver = settings.grids[0], settings.solvers[0]
    sampling = _sampling(solver, grid, settings)
    steps = [count for count in STEPS if count <= settings.most]
    return (
        "import edm\n\n"
        f"model = edm.models.load({settings.data!r})\n"
        f"experiment = edm.Experiment(model=model.name, count={POINTS}, sampling=edm.Sampling(seed={settings.seed}))\n"
        "latents, labels = edm.runner.start(experiment)\n"
        f"for solver, alpha in {[variants()[name][1:3] for name in settings.solvers]!r}:\n"
        f"    for grid in {list(settings.grids)!r}:\n"
        f"        sampling = edm.Sampling(solver=solver, alpha=alpha, discretization=grid, rho={sampling.rho!r})\n"
        f"        points = list(edm.diagnostics.convergence(model.denoiser, latents, sampling, {steps!r}, labels))\n"
        "        print(solver, alpha, grid, edm.diagnostics.fitted_order(points))\n"
    )


INSTRUMENT = Instrument(
    "order", "Order", "How fast does the error fall with the number of evaluations?", Orders, respond
)
