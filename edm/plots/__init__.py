"""Plotly figures for notebooks: what the page's instruments show, from the numbers of `edm.diagnostics`.

    import edm

    model = edm.models.load("eight_gaussians")
    sampling = edm.Sampling(steps=18)
    latents = edm.latents(edm.seeds(0, 100), model.shape)
    edm.plots.trajectories(edm.sample(model.denoiser, latents, sampling)).show()
    edm.plots.levels({"ρ = 7": sampling, "ρ = 3": sampling.changed(rho=3)}).show()

Every function returns a `plotly.graph_objects.Figure`, which can be changed as any other. Generators are read to their
end; of one without an end, `edm.diagnostics.losses`, hand over one of its items: `next(curves)`, or a later one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import torch

from edm.base.transfers import Home
from edm.diagnostics import (
    MEASURES,
    LossCurve,
    Point,
    RacePoint,
    Round,
    loss_weight,
    spread,
    training_density,
)
from edm.diagnostics.loss import FLOOR
from edm.files import render
from edm.plots import panels
from edm.plots.advised import advised
from edm.plots.looks import Look, counted, look_of
from edm.plots.panels import Series
from edm.sampling.path import path_of
from edm.sampling.settings import Sampling

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from edm.data.advised import Advice
    from edm.objective import Design
    from edm.sampling.denoisers import Denoise

LOSS = "E‖D − y‖² / d"
SIGMAS = np.geomspace(0.002, 80, 160)  # of p_train
MOST_STATES, MOST_IMAGES = 8, 6


def trajectories(states: Iterable) -> go.Figure:
    """The `State`s of `edm.sample`, all of them in their order: paths of points in one or two dimensions, from noise to
    data; of images D(x; σ) of some samples (rows) at some levels (columns). Raises ValueError for other samples."""
    states = list(states)
    if states and states[0].x.ndim == 4:
        return _sheet(states)
    return _figure([panels.trajectories(states)])


def levels(samplings: Sampling | Mapping[str, Sampling], denoiser: Denoise | None = None) -> go.Figure:
    """The noise levels of each step, on a log axis; with churn those that fresh noise raises them to as well.

    denoiser: whose range and levels count, as in `edm.path_of`."""
    found = {"σᵢ": samplings} if isinstance(samplings, Sampling) else samplings
    paths = {name: path_of(sampling, denoiser) for name, sampling in found.items()}
    return _figure([panels.levels(_series({name: [path] for name, path in paths.items()}))])


def loss_per_sigma(
    curves: Mapping[str, LossCurve],
    weight: str | None = None,
    sigma_data: float = 0.5,
    designs: Mapping[str, Design] | None = None,
) -> go.Figure:
    """Losses over σ with their 95 % bands: one of the dictionaries that `edm.diagnostics.losses` yields.

    weight: λ(σ) by its name in `edm.objective.WEIGHTS`, for data of standard deviation sigma_data; None: none.
    designs: name -> `edm.objective.Design`, whose p_train(σ) is drawn beneath.
    """
    lines = []
    looks = {one.name: one.look for one in _series({name: [] for name in curves if name != FLOOR})}
    for name, curve in curves.items():
        look = looks.get(name, Look("data", "solid"))
        style = {"name": name if name in looks else "least possible", "color": look.color, "dash": look.dash}
        factor = 1.0 if weight is None else loss_weight(weight, curve.sigmas, sigma_data)
        lines.append(panels.loss_line(style, curve, weight=factor))
    x = {"title": "noise level σ, in the data's units", "log": True}
    y = {"title": LOSS if weight is None else f"λ(σ)·{LOSS}", "log": True}
    if not designs:
        return _figure([{"x": x, "y": y, "lines": lines}])
    densities = []
    for k, (name, design) in enumerate(designs.items(), len(curves)):
        style = {"name": f"p<sub>train</sub>, {name}", "color": counted(k).color}
        densities.append(panels.density_line(style, SIGMAS, training_density(design, SIGMAS)))
    below = {"x": x, "y": {"title": "p<sub>train</sub>(σ)"}, "lines": densities}
    return _figure([{"share": 2.1, "x": {"log": True}, "y": y, "lines": lines}, below], shared_x=True)


def advice(found: Advice, design: Design | None = None) -> go.Figure:
    """What `edm.data.advice` says: losses over σ, and the p_train that it advises, beside that of a design."""
    return _figure(advised(found, design), shared_x=True)


def race(points: Iterable[RacePoint], measure: str = "error", count: int | None = None) -> go.Figure:
    """The points of `edm.diagnostics.race`: what each lane reaches with how many evaluations, with intervals if there
    are several seeds. measure: of `edm.diagnostics.MEASURES`, for the axis; count: of the samples, for it too."""
    lanes: dict[str, list[RacePoint]] = {}
    for point in points:
        lanes.setdefault(point.lane, []).append(point)
    every = [point for found in lanes.values() for point in found]
    limit = max((point.evaluations for point in every), default=1)
    axis = MEASURES[measure].axis_of(count) if measure in MEASURES else measure
    return _figure([panels.race(_series(lanes), axis, limit, any(len(point.values) > 1 for point in every))])


def order(
    points: Iterable[Point] | Mapping[str, Iterable[Point]], claims: Mapping[str, int] | None = None
) -> go.Figure:
    """The points of `edm.diagnostics.convergence`, of one sampler or of several by name, with the fitted orders.

    claims: the orders that the solvers have by theory, which are drawn as faint lines."""
    found = _several(points)
    most = max((point.steps for one in found.values() for point in one), default=1)
    return _figure([panels.order(_series(found, claims or {}), most)])


def churn(rounds: Iterable[Round] | Mapping[str, Iterable[Round]], sigma_data: float | None = None) -> go.Figure:
    """The rounds of `edm.diagnostics.churn_cycles`, of one strength of noise or of several by name: how the spread of x
    and of D(x; σ) changes. sigma_data: of the data, for what the spread of x should be."""
    found = Home()(_several(rounds))
    sigma = next((part.sigma for one in found.values() for part in one), 0.0)
    measured = {name: [(r.index, spread(r.x), spread(r.denoised)) for r in one] for name, one in found.items()}
    both = panels.churn(_series(measured), sigma, sigma_data)
    return _figure([{**panel, "y": {"title": "standard deviation, in the data's units"}} for panel in both], columns=2)


def _figure(shown: list[dict], columns: int = 1, shared_x: bool = False) -> go.Figure:
    from edm.plots.drawn import figure

    return figure(shown, columns, shared_x)


def _several(items) -> dict[str, list]:
    found = items if isinstance(items, Mapping) else {"": items}
    return {name: list(one) for name, one in found.items()}


def _sheet(states) -> go.Figure:
    """Rows of samples, their D at some of the levels from noise to data."""
    import plotly.graph_objects as go

    from edm.plots.drawn import dress

    chosen = np.unique(np.linspace(0, len(states) - 1, min(len(states), MOST_STATES)).round().astype(int))
    shown = torch.stack([states[i].denoised[:MOST_IMAGES] for i in chosen], 1)  # [samples, levels, C, H, W]
    tiles, scale = shown.flatten(0, 1).cpu(), render.scale_of(shown.shape)
    layout = render.sheet(len(tiles), shown.shape[-1] * scale, shown.shape[-2] * scale, len(chosen))
    made = go.Figure(go.Image(z=np.asarray(render.grid(tiles, scale, len(chosen))), hoverinfo="skip"))
    middle = [layout.place(k)[0] + layout.width / 2 for k in range(len(chosen))]
    ticks = {"tickvals": middle, "ticktext": [f"{states[i].sigma:.3g}" for i in chosen]}
    made.update_xaxes(title="D(x; σ) at noise level σ, in the data's units", ticks="", **ticks)
    made.update_yaxes(title="samples", showticklabels=False, ticks="")
    dress(made, width=layout.size[0] + 96, height=layout.size[1] + 92)
    return made


def _series(found: Mapping[str, list], claims: Mapping[str, int] | None = None) -> list[Series]:
    """Each with the look of the column of Table 1 that it is called after, or else one of its own."""
    columns = {name: look_of(name) for name in found}
    own = iter(range(len(found)))
    looks = {name: counted(next(own)) if look == Look() else look for name, look in columns.items()}
    return [Series(name, looks[name], items, (claims or {}).get(name)) for name, items in found.items()]
