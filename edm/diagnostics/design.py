"""The preconditioning and training rows of Table 1 as curves over σ, in closed form. Everything is NumPy float64.

    D(x; σ) = c_skip·x + c_out·F(c_in·x; c_noise)
    input of F:    c_in·(y + σn),                               variance c_in²·(σ² + σ_d²)
    target of F:   (y − c_skip·(y + σn))/c_out,                 variance ((1 − c_skip)²·σ_d² + c_skip²·σ²)/c_out²
    F's error counts by λ(σ)·c_out², and as often as p_train(σ) says.

Levels that a preconditioning is not for have NaN; those that a training distribution does not reach have 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from edm.base.errors import Refused
from edm.base.transfers import array
from edm.noises import NOISES
from edm.objective import WEIGHTS
from edm.preconditioning import PRECONDITIONINGS, build

if TYPE_CHECKING:
    from edm.base.types import Numbers
    from edm.objective import Design

_ROUNDING = 1e-9  # relative: an axis that was made to end at σ_max still has its last point


@dataclass(frozen=True)
class Preconditioned:
    """A column of Table 1 at each σ: arrays shaped like the sigmas, NaN where the column is not for that level.

    input_std, target_std: standard deviations of what the network is given and of what it should return, for data of
    mean 0 and standard deviation σ_d. iDDPM's c_noise is the nearest level's; its other coefficients are smooth.
    """

    sigmas: np.ndarray
    c_skip: np.ndarray
    c_out: np.ndarray
    c_in: np.ndarray
    c_noise: np.ndarray
    input_std: np.ndarray
    target_std: np.ndarray


def preconditioning(name: str, sigmas: Numbers, sigma_data: float) -> Preconditioned:
    """c_skip, c_out, c_in, c_noise of Table 1 and what they make of the network's task (Appendix B.6).

    name: of `edm.preconditioning.PRECONDITIONINGS`. sigmas: above 0. sigma_data: of the data; EDM's coefficients are
    made for it too. Raises ValueError for an unknown name or numbers that are not above 0.
    """
    sigmas = _levels(sigmas)
    _positive("sigma_data", sigma_data)
    _named("preconditioning", name, PRECONDITIONINGS)
    column = build(name, sigma_data)
    known = (sigmas >= column.sigma_min * (1 - _ROUNDING)) & (sigmas <= column.sigma_max * (1 + _ROUNDING))
    c_skip, c_out, c_in, c_noise = (
        np.where(known, c(torch.from_numpy(sigmas)).numpy(), np.nan)
        for c in (column.c_skip, column.c_out, column.c_in, column.c_noise)
    )
    input_std = c_in * np.hypot(sigmas, sigma_data)
    target_std = np.hypot((1 - c_skip) * sigma_data, c_skip * sigmas) / np.abs(c_out)
    return Preconditioned(sigmas, c_skip, c_out, c_in, c_noise, input_std, target_std)


def loss_weight(name: str, sigmas: Numbers, sigma_data: float) -> np.ndarray:
    """λ(σ) of `edm.objective.WEIGHTS`, shaped like sigmas: 1/σ² ("simple") or (σ² + σ_d²)/(σ·σ_d)² ("edm")."""
    _positive("sigma_data", sigma_data)
    weight = _named("weight", name, WEIGHTS)(torch.from_numpy(_levels(sigmas)), sigma_data)  # as in training
    return weight.numpy()


def effective_weight(preconditioning_name: str, weight_name: str, sigmas: Numbers, sigma_data: float) -> np.ndarray:
    """λ(σ)·c_out(σ)²: what a squared error of the network's own output counts (eq. 8)."""
    weight = loss_weight(weight_name, sigmas, sigma_data)
    return weight * preconditioning(preconditioning_name, sigmas, sigma_data).c_out ** 2


def initial_loss(name: str, sigmas: Numbers, sigma_data: float, second_moment: float | None = None) -> np.ndarray:
    """E‖D − y‖²/d of a network that returns 0, as a fresh one does: (1 − c_skip)²·E[y²] + c_skip²·σ².

    second_moment: E[y²] of a coordinate; None: σ_d², as of data of mean 0. The raw loss; λ is not in it.
    """
    c_skip = preconditioning(name, sigmas, sigma_data).c_skip
    moment = sigma_data**2 if second_moment is None else second_moment
    if not 0 <= moment < np.inf:
        raise Refused(f"second_moment = {moment:g}: a mean of squares is finite and at least 0")
    return (1 - c_skip) ** 2 * moment + (c_skip * _levels(sigmas)) ** 2


def training_density(design: Design, sigmas: Numbers) -> np.ndarray:
    """p_train(σ) of an `edm.objective.Design` as a density in ln σ, shaped like sigmas; it integrates to 1.

    0 outside the distribution's range. iDDPM's discrete levels, of probability 1/M each, are spread over the
    space up to halfway to their neighbours; a distribution that only says how to draw from it has a density that is
    smoothed a little. This is what is drawn, before a model with discrete levels rounds it.
    """
    return _named("noise", design.noise, NOISES).density(_levels(sigmas), design)


def training_share(design: Design, edges: np.ndarray) -> np.ndarray:
    """The share of training images whose σ falls into each [edges_i, edges_{i+1}): [E − 1], by the exact distribution.

    edges: [E], rising, from 0 to infinity, both allowed; with both the shares sum to 1.
    """
    edges = array(edges)
    if edges.ndim != 1 or len(edges) < 2 or not edges[0] >= 0 or not (edges[1:] > edges[:-1]).all():
        raise Refused(f"edges = {edges.tolist()!r:.80}: give at least two numbers of 0 or more, each above the last")
    return np.diff(_named("noise", design.noise, NOISES).below(edges, design))


def _named(what, name, table):
    if name not in table:
        raise Refused(f"{what} {name!r} is unknown; there are {', '.join(table)}")
    return table[name]


def _positive(name, value):
    if not 0 < value < np.inf:
        raise Refused(f"{name} = {value:g}: must be finite and above 0")


def _levels(sigmas) -> np.ndarray:
    sigmas = array(sigmas)
    if not (np.isfinite(sigmas) & (sigmas > 0)).all():
        odd = sigmas[~(np.isfinite(sigmas) & (sigmas > 0))].flat[0]
        raise Refused(f"sigmas contain {odd:g}; noise levels are finite and above 0")
    return sigmas
