"""What a data set says before training, as data for a figure: the losses over σ, and p_train beneath."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from edm.diagnostics import training_density
from edm.objective import Design
from edm.plots.panels import density_line, rounded

if TYPE_CHECKING:
    from edm.data.advised import Advice
    from edm.data.leave_one_out import Curve

NORMAL = 1.96  # standard errors of a band of 95 %
TOP = 1.25  # of the losses: above, nothing is to be seen
_IDEAL = {"color": "data", "width": 2.4}
_TWIN = {"color": "c3", "width": 2.4, "dash": "dash"}


def advised(advice: Advice, present: Design | None = None) -> list[dict]:
    """Two panels over one axis. present: a design whose p_train stands beside the one that is advised."""
    low, high = float(advice.sigmas[0]), float(advice.sigmas[-1])
    x = {"log": True, "range": [low, high]}
    named = "least possible" if advice.known else "exact denoiser"
    lines = [
        {"name": name, **style, **_line(advice.sigmas, curve)}
        for name, style, curve in ((named, _IDEAL, advice.ideal), ("leave-one-out", _TWIN, advice.leave_one_out))
        if curve is not None
    ]
    told = (advice.little_below, advice.unsaid_below, advice.copied_below, advice.little_above)  # in its sentences
    marks = [
        {"x": level, "text": f"{level:.2g}", "color": "mute"}
        for level in told
        if level is not None and low < level < math.inf
    ]
    losses = {"y": {"title": "λ(σ) · loss, EDM’s λ", "range": [0, TOP]}, "lines": lines, "marks": marks, "share": 2.2}
    fine = np.geomspace(low, high, 200)
    wanted = Design(P_mean=advice.P_mean, P_std=advice.P_std)
    drawn = [density_line({"name": "advised", "color": "ink", "width": 2.4}, fine, training_density(wanted, fine))]
    if present is not None:
        style = {"name": "as the form has it", "color": "mute", "width": 1.6, "dash": "dot"}
        drawn.append(density_line(style, fine, training_density(present, fine)))
    beneath = {"x": {**x, "title": "σ"}, "y": {"title": "p<sub>train</sub>", "hideTicks": True}, "lines": drawn}
    return [{"x": {**x, "hideTicks": True}, **losses}, beneath]


def _line(sigmas: np.ndarray, curve: Curve) -> dict:
    """A curve with its band, cut off not far above what is shown."""
    reach = NORMAL * np.nan_to_num(curve.stderr)
    values = {"y": curve.mean, "low": np.maximum(curve.mean - reach, 0), "high": curve.mean + reach}
    return {"x": rounded(sigmas), **{key: rounded(np.minimum(value, 2 * TOP)) for key, value in values.items()}}
