"""p_train(σ) of Table 1: where σ falls in training, to draw from, and as curves.

The curves are NumPy float64; a density is in ln σ.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch

from edm import respacing, schedules, timesteps
from edm.base.choices import Alias, spelled
from edm.base.transfers import sent
from edm.preconditioning import VP

_MADE: Any = None  # stands for a curve that is made of quantiles
_DRAWS = 1 << 15  # quantiles from which curves are made that are not given
_SMOOTH = 0.05  # half width of the window for a density, in units of the spread of ln σ


@dataclass(frozen=True)
class NoiseDistribution:
    """p_train(σ) by its quantiles: sigma(u, design) maps uniform numbers in (0, 1) to noise levels, both float64.

    density(σ, design), in ln σ, and below(σ, design), the probability of a level less than σ: for pictures; where they
    are not given, they are made of evenly spaced quantiles. knobs: the fields of `Design` that it depends on; None: not
    said. formula, help, aliases: as of `edm.base.choices.Choice`.
    """

    name: str
    title: str
    sigma: Callable
    knobs: tuple[str, ...] | None = None
    density: Callable = _MADE
    below: Callable = _MADE
    formula: str = ""
    help: str = ""
    aliases: tuple[Alias, ...] = ()

    def __post_init__(self):
        if self.below is None:
            object.__setattr__(self, "below", self._below)
        if self.density is None:
            object.__setattr__(self, "density", self._density)

    def _levels(self, design) -> np.ndarray:
        u = (torch.arange(_DRAWS, dtype=torch.float64) + 0.5) / _DRAWS
        return np.sort(np.asarray(self.sigma(u, design), dtype=np.float64))

    def _below(self, sigmas, design):
        return np.searchsorted(self._levels(design), sigmas, side="left") / _DRAWS

    def _density(self, sigmas, design):
        levels = self._levels(design)
        spread = float(np.log(levels[levels > 0]).std()) if levels[-1] > 0 else 0.0
        width = max(_SMOOTH * spread, 1e-3)
        below, above = (np.searchsorted(levels, sigmas * math.exp(side), side="right") for side in (-width, width))
        return (above - below) / (2 * width * _DRAWS)


def _vp(u, design):
    """σ⁻¹(σ) ~ U(ε_t, 1)."""
    return schedules.vp().sigma(VP.EPSILON_T + u * (1 - VP.EPSILON_T))


def _ve(u, design):
    """ln σ ~ U(ln σ_min, ln σ_max)."""
    low, high = (math.log(sigma) for sigma in timesteps.DISCRETIZATIONS["ve"].range)
    return (low + u * (high - low)).exp()


def _one_of(levels, u, design):
    """σ = σ_t, t ~ U{0 … M − 1}, of the rising levels()."""
    falling = sent(torch.from_numpy(levels()[::-1].copy()), u.device)
    return falling[(u * len(falling)).long()]


def _edm(u, design):
    """ln σ ~ N(P_mean, P_std²)."""
    return (design.P_mean + design.P_std * torch.special.ndtri(u)).exp()


def _uniform_t(u, design):
    """t ~ U(0, 1), σ = t/(1 − t)."""
    return u / (1 - u)


def _uniform_t_density(sigmas, design):
    return sigmas / (1 + sigmas) ** 2


def _uniform_t_below(sigmas, design):
    with np.errstate(invalid="ignore"):
        return np.where(np.isinf(sigmas), 1.0, sigmas / (1 + sigmas))


def _vp_range():
    schedule = schedules.vp()
    return schedule, schedule.sigma(VP.EPSILON_T), schedule.sigma(1.0)


def _vp_density(sigmas, design):
    """dt/d ln σ = σ/σ̇ at t = σ⁻¹(σ), over the length of (ε_t, 1)."""
    schedule, low, high = _vp_range()
    inside = sigmas.clip(low, high)
    density = inside / schedule.sigma_dot(schedule.inverse(inside)) / (1 - VP.EPSILON_T)
    return np.where(inside == sigmas, density, 0.0)


def _vp_below(sigmas, design):
    schedule, low, high = _vp_range()
    return (schedule.inverse(sigmas.clip(low, high)) - VP.EPSILON_T) / (1 - VP.EPSILON_T)


def _ve_density(sigmas, design):
    low, high = timesteps.DISCRETIZATIONS["ve"].range
    return ((sigmas >= low) & (sigmas <= high)) / np.log(high / low)


def _ve_below(sigmas, design):
    low, high = timesteps.DISCRETIZATIONS["ve"].range
    return np.log(sigmas.clip(low, high) / low) / np.log(high / low)


def _edges(levels):
    """ln σ of the ends of each level's cell: halfway, in ln σ, to its neighbours."""
    known = np.log(levels())
    middle = (known[1:] + known[:-1]) / 2
    return np.concatenate([[2 * known[0] - middle[0]], middle, [2 * known[-1] - middle[-1]]])


def _one_of_density(levels, sigmas, design):
    """1/M over each level's cell."""
    edges, number = _edges(levels), len(levels())
    cell = np.searchsorted(edges, np.log(sigmas), side="right") - 1
    inside = (cell >= 0) & (cell < number)
    return inside / (number * np.diff(edges)[cell.clip(0, number - 1)])


def _iddpm_below(sigmas, design):
    return np.searchsorted(_iddpm(), sigmas, side="left") / timesteps.IDDPM_LEVELS


def _adm_below(sigmas, design):
    """Of that density."""
    edges = _edges(_adm)
    with np.errstate(divide="ignore"):  # ln 0 = −∞
        return np.interp(np.log(sigmas), edges, np.linspace(0, 1, len(edges)))


def _edm_normal(sigmas, design):
    with np.errstate(divide="ignore"):  # ln 0 = −∞
        return (np.log(sigmas) - design.P_mean) / design.P_std


def _edm_density(sigmas, design):
    return np.exp(-0.5 * _edm_normal(sigmas, design) ** 2) / (design.P_std * np.sqrt(2 * np.pi))


def _edm_below(sigmas, design):
    return torch.special.ndtr(torch.from_numpy(_edm_normal(sigmas, design))).numpy()


def _iddpm():
    return timesteps.iddpm_u()[-2::-1]


def _adm():
    return respacing.table(cosine=False)


NOISES = {
    noise.name: noise
    for noise in (
        NoiseDistribution("vp", "VP", _vp, (), _vp_density, _vp_below, "σ⁻¹(σ) ~ U(ε_t, 1)"),
        NoiseDistribution(
            "ve",
            "VE",
            _ve,
            (),
            _ve_density,
            _ve_below,
            "ln σ ~ U(ln σ_min, ln σ_max)",
            aliases=spelled("log_uniform"),
        ),
        NoiseDistribution(
            "iddpm",
            "iDDPM",
            partial(_one_of, _iddpm),
            (),
            partial(_one_of_density, _iddpm),
            _iddpm_below,
            "σ = u_j, j ~ U{0 … M − 1}",
        ),
        NoiseDistribution(
            "adm_linear",
            "ADM linear",
            partial(_one_of, _adm),
            (),
            partial(_one_of_density, _adm),
            _adm_below,
            "σ = σ_t, t ~ U{0 … M − 1}",
            "evenly one of the levels of ADM's linear schedule",
        ),
        NoiseDistribution(
            "edm",
            "EDM",
            _edm,
            ("P_mean", "P_std"),
            _edm_density,
            _edm_below,
            "ln σ ~ N(P_mean, P_std²)",
            "in flow matching's t = σ/(1 + σ) it is called logit-normal",
            (
                Alias("log_normal", "log-normal σ", help="the paper's; P_mean and P_std are left open"),
                Alias(
                    "logit_normal",
                    "logit-normal t (SD3)",
                    usual={"P_mean": 0.0, "P_std": 1.0},
                    help="arXiv 2403.03206, m = 0 and s = 1",
                ),
                *spelled("lognormal", "karras"),
                Alias("logitnormal", usual={"P_mean": 0.0, "P_std": 1.0}),
            ),
        ),
        NoiseDistribution(
            "uniform_t",
            "uniform t",
            _uniform_t,
            (),
            _uniform_t_density,
            _uniform_t_below,
            "σ/(1 + σ) ~ U(0, 1)",
            "even in flow matching's time",
            (schedules.RECTIFIED, *spelled("flow", "flow_matching", "rf", "logistic")),
        ),
    )
}
