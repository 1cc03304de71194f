"""Figures as data, for the page and for notebooks: what is drawn, and not yet with what.

A figure is {panels, columns, sharedX}; a panel {title, x, y, lines, marks, share} with axes {title, log, range}, lines
{name, color, dash, mode, x, y, low, high, …} and marks {x or y, text}. Colours are names of `edm.plots.looks.PALETTE`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from edm.base.errors import Refused
from edm.base.transfers import fetched
from edm.diagnostics import LossCurve, Order, Point, RacePoint, fitted_order
from edm.files.render import unscaled
from edm.plots.looks import Look
from edm.sampling.path import Path

if TYPE_CHECKING:
    from edm.base.types import Numbers

MARKED = {"mode": "lines+markers", "size": 5}
MEMBERS = 3  # points that a line needs to show a slope


@dataclass(frozen=True)
class Series:
    """A line of a figure: its name and look, and what was measured. order: of a solver, the one that it claims."""

    name: str
    look: Look
    items: Sequence
    order: int | None = None


def rounded(values: Iterable[float] | Numbers) -> list[float | None]:
    """Numbers for JSON: four digits more than a screen can show; what is not finite becomes a gap."""
    return [float(f"{value:.7g}") if abs(value) < float("inf") else None for value in map(float, values)]


def apart(rows: np.ndarray) -> np.ndarray:
    """Lines [B, S] as one line [B·(S + 1)] with a gap after each."""
    return np.hstack([rows, np.full((len(rows), 1), np.nan)]).ravel()


def trajectories(states: Sequence) -> dict:
    """The paths of points from noise to data: in one dimension x against t, as in Figure 3; in two, x/s in the plane.

    Raises ValueError for samples of another shape."""
    shape = tuple(states[0].x.shape[1:])
    style = {"color": "noise", "width": 1.1, "opacity": 0.6}
    if shape == (1,):
        t = np.array([state.t for state in states])
        x = np.stack([x.numpy() for x in fetched(state.x for state in states)])[:, :, 0].T
        lines = [{"name": None, "x": rounded(apart(np.broadcast_to(t, x.shape))), "y": rounded(apart(x)), **style}]
        return {"x": {"title": "time t, with noise at the right"}, "y": {"title": "state x(t)"}, "lines": lines}
    if shape != (2,):
        raise Refused(f"samples of shape {list(shape)} have no paths to draw; points in one or two dimensions have")
    places = unscaled(states)
    across, up = (rounded(apart(places[:, :, k].T)) for k in (0, 1))
    ends = {"name": "samples", "color": "data", "mode": "markers", "size": 4}
    lines = [
        {"name": "paths", "x": across, "y": up, **style},
        {**ends, "x": rounded(places[-1, :, 0]), "y": rounded(places[-1, :, 1])},
    ]
    reach = 1.3 * max(1.0, float(np.abs(places[-1][np.isfinite(places[-1])]).max(initial=0)))
    axis = {"range": [-reach, reach]}
    x = {"title": "x₁/s, in the data's units", **axis}
    return {"x": x, "y": {"title": "x₂/s, in the data's units", **axis, "equal": True}, "lines": lines}


def levels(series: Sequence[Series]) -> dict:
    """The noise levels of one `Path` each: σ_i against i, and with churn the levels σ̂_i that noise raises them to."""
    lines = []
    for one in series:
        (path,) = one.items
        style = {"color": one.look.color, "dash": one.look.dash, "symbol": one.look.symbol, **MARKED}
        lines.append({"name": one.name, "x": list(range(path.steps)), "y": rounded(path.sigmas[:-1]), **style})
        if path.stochastic:
            lines.append({"name": f"{one.name}, with fresh noise", **_raised(path), "color": "noise"})
    x = {"title": "step i"}
    return {"x": x, "y": {"title": "noise level σᵢ, in the data's units", "log": True}, "lines": lines}


def _raised(path: Path) -> dict:
    known = [i for i, gamma in enumerate(path.gammas) if gamma]
    hats = [float(path.schedule.sigma(path.hats[i])) for i in known]
    return {"x": known, "y": rounded(hats), "mode": "markers", "symbol": "triangle-up", "size": 6}


def loss_line(style: dict, curve: LossCurve, known: Any = True, weight: Any = 1.0) -> dict:
    """A curve of losses with its band. known: where the model is for that level. weight: λ, which multiplies it."""
    values = {"y": curve.mean, "low": curve.low, "high": curve.high}
    shown = {key: rounded(np.where(known, weight * value, np.nan)) for key, value in values.items()}
    return {**style, "x": rounded(curve.sigmas), **shown}


def density_line(style: dict, sigmas: Numbers, density: Numbers) -> dict:
    """p_train(σ) over σ."""
    return {**style, "x": rounded(sigmas), "y": rounded(density)}


def race(series: Sequence[Series], axis: str, limit: int, intervals: bool = False, floor: float | None = None) -> dict:
    """A number that is better where it is less against evaluations. items: `RacePoint`s. axis: what the number is.

    floor: what as many true samples read."""
    lines = []
    for one in series:
        points: list[RacePoint] = [point for point in one.items if math.isfinite(point.value)]
        line = {"name": one.name, "color": one.look.color, "dash": one.look.dash, **MARKED}
        line |= {"x": [p.evaluations for p in points], "y": rounded(p.value for p in points)}
        if intervals:
            least = 1e-3 * min((p.value for p in points), default=1.0)
            line |= {"low": rounded(max(p.low, least) for p in points), "high": rounded(p.high for p in points)}
        lines.append(line)
    x = {"title": "NFE, evaluations of the denoiser for each sample", "log": True, "range": [0.9, limit * 1.1]}
    marks = [{"y": floor, "text": "as many true samples"}] if floor else []
    return {"x": x, "y": {"title": axis, "log": True}, "lines": lines, "marks": marks}


def order(series: Sequence[Series], most: int) -> dict:
    """Errors against evaluations, the fitted order beside each line. items: `Point`s. most: N of the last to come."""
    shown, labels = [_convergence(one) for one in series], [_label(one) for one in series]
    known = any(one.items for one in series)
    y = {"title": "rms error of x/s at σ<sub>min</sub>", "log": True}
    return {
        "x": {"title": "evaluations of the denoiser (NFE)", "log": True, "range": [2, 8 * most]},
        "y": y if known else {**y, "range": [1e-6, 1]},
        "lines": [*_slopes(series), *shown, *filter(None, labels)],
        "marks": _known_to([point for one in series for point in one.items]),
    }


def order_of(points: Sequence[Point]) -> Order | None:
    """The fitted order; None where too few points lie above the floor."""
    try:
        return fitted_order(points)
    except Refused:
        return None


def _convergence(one):
    look = {"color": one.look.color, "dash": one.look.dash, "symbol": one.look.symbol, **MARKED}
    x, y = [point.evaluations for point in one.items], rounded(point.error for point in one.items)
    return {"name": one.name, "x": x, "y": y, **look}


def _label(one):
    """The order, right of the last point that it is fitted to."""
    fitted = order_of(one.items)
    if fitted is None:
        return None
    last = max((point for point in one.items if point.steps <= fitted.steps[1]), key=lambda point: point.steps)
    measured = f"{fitted.order:.2f} ± {fitted.stderr:.1g}"
    text = f"  order {measured}" if fitted.asymptotic else f"  slope {fitted.order:.2f}, not yet asymptotic"
    place = {"x": [last.evaluations], "y": rounded([last.error]), "text": [text], "place": "middle right"}
    return {"name": None, "color": one.look.color, "mode": "text", **place}


def _slopes(series):
    """Faint lines of the orders that are claimed, each through the end of the first measured line of that order."""
    first: dict = {}
    for one in series:
        if one.order is not None and len(one.items) >= MEMBERS:
            first.setdefault(one.order, one.items)
    most = max((point.evaluations for one in series for point in one.items), default=1)
    lines = []
    for claimed, points in first.items():
        end = points[-1]
        x = [points[0].evaluations, most]
        y = [1.7 * end.error * (end.evaluations / value) ** claimed for value in x]
        faint = {"color": "mute", "dash": "dot", "width": 1.2, "opacity": 0.7}
        lines.append({"name": f"slope −{claimed}", "x": x, "y": rounded(y), **faint})
    return lines


def _known_to(points):
    """A mark at the floor, where errors come near it."""
    floor = max((point.floor for point in points), default=0.0)
    if not points or min(point.error for point in points) > 300 * floor:
        return []
    return [{"y": floor, "text": f"the exact solution is known to {floor:.0e}"}]


def churn(series: Sequence[Series], sigma: float, sigma_data: float | None, of: str = "spread") -> list[dict]:
    """Two panels: the spread of x, and that of D(x; σ) or another number, over rounds of noise added and removed.

    items: (round, spread of x, number of D). sigma_data: of the data; None: not known. of: what that number is."""
    known = "" if sigma_data is None else ", dotted: √(σ² + σ<sub>data</sub>²)"
    panels = []
    for column, title in ((1, f"spread of x{known}"), (2, f"{of} of D(x; σ)")):
        lines = [
            {
                "name": one.name,
                "color": one.look.color,
                "x": [item[0] for item in one.items],
                "y": rounded(item[column] for item in one.items),
            }
            for one in series
        ]
        marks = [{"y": math.hypot(sigma, sigma_data)}] if column == 1 and sigma_data is not None else []
        panels.append({"title": title, "x": {"title": "rounds"}, "y": {}, "lines": lines, "marks": marks})
    return panels
