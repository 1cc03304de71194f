"""The training rows of Table 1, as settings fill them in: as text, as curves over σ, and how far two are apart."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch

from edm.base.choices import formula_of
from edm.diagnostics.design import loss_weight, training_density
from edm.diagnostics.names import Name
from edm.diagnostics.walk import ROWS
from edm.noises import NOISES
from edm.objective import WEIGHTS, Design, Learned
from edm.preconditioning import PRECONDITIONINGS, build
from edm.sampling.settings import Sampling

SIGMA_DATA = 0.5
SIGMAS = np.geomspace(0.002, 80, 200)
STEPS = ROWS[1].title


@dataclass(frozen=True)
class Setting:
    """A name with all rows filled in. title: of the name. owner: row -> the `Name` that filled it; None: the base."""

    title: str
    sampling: Sampling
    design: Design
    owner: dict[str, Name | None]

    @property
    def sigma_data(self) -> float:
        """Of the data."""
        return self.design.sigma_data or SIGMA_DATA

    def at(self, sampling: Sampling) -> Sampling:
        """How it samples with these settings, at their N: with the levels as published, where they are."""
        owner = self.owner[STEPS]
        if owner is None or owner.levels is None:
            return sampling
        return sampling.changed(sigmas=tuple(owner.levels(sampling).tolist()))

    def own(self, row: str, what: str) -> Callable | None:
        """What the owner of that row was published as."""
        owner = self.owner[row]
        return None if owner is None else getattr(owner, what)


class TrainingRow(NamedTuple):
    """A training row: its fields, its text, and the largest difference of two settings in it, and of what.

    curves(setting): what it is over `SIGMAS`, by name.
    """

    title: str
    fields: tuple[str, ...]
    text: Callable[[Setting], str]
    difference: Callable[[Setting, Setting], float]
    of: str
    curves: Callable[[Setting], dict[str, np.ndarray]]


_PRECONDITIONING, _NOISE, _WEIGHT = "preconditioning", "p_train(σ)", "weight λ(σ)"


def apart(a: np.ndarray, b: np.ndarray) -> float:
    """The largest relative difference where both are known, 0 where both are 0."""
    size = np.maximum(abs(a), abs(b))
    return float(np.nanmax(abs(a - b) / np.where(size > 0, size, 1.0)))


def _coefficients(setting) -> list[np.ndarray]:
    made = setting.own(_PRECONDITIONING, "preconditioning")
    name, sigmas = setting.design.preconditioning, torch.from_numpy(SIGMAS)
    p = made(setting.sigma_data) if made else build(name, setting.sigma_data)
    known = (p.sigma_min <= SIGMAS) & (p.sigma_max >= SIGMAS)
    found = p.c_skip(sigmas), p.c_out(sigmas).abs(), p.c_in(sigmas), p.round_sigma(sigmas)
    return [np.where(known, values.numpy(), np.nan) for values in found]


def _of_preconditioning(a, b):
    return max(apart(*pair) for pair in zip(_coefficients(a), _coefficients(b), strict=True))


def _density(setting):
    density = setting.own(_NOISE, "density")
    return density(SIGMAS, setting.design) if density else training_density(setting.design, SIGMAS)


def _of_noise(a, b):
    first, second = _density(a), _density(b)
    return float(abs(first - second).max() / max(first.max(), second.max()))


def _lambda(setting):
    weight = setting.own(_WEIGHT, "weight")
    if weight:
        return weight(torch.from_numpy(SIGMAS), setting.sigma_data).numpy()
    return loss_weight(setting.design.weight, SIGMAS, setting.sigma_data)


def _of_weight(a, b):
    learned = [isinstance(WEIGHTS[setting.design.weight], Learned) for setting in (a, b)]
    if learned[0] != learned[1]:
        return math.inf  # e^u(σ) is not known before the training
    ratio = _lambda(a) / _lambda(b)
    return apart(ratio, np.full_like(ratio, ratio[len(ratio) // 2]))


def _no_curves(setting):
    return {}


def _wrapping(setting):
    c_skip, c_out, c_in, _ = _coefficients(setting)
    return {"c_skip": c_skip, "|c_out|": c_out, "c_in": c_in}


def _written(setting, row, registry, chosen):
    owner = setting.owner[row]
    what = {_PRECONDITIONING: "preconditioning", _NOISE: "density"}.get(row, "")
    return owner.written if owner and what and getattr(owner, what) else formula_of(registry, chosen)


def _moments(setting):
    if "P_mean" not in (NOISES[setting.design.noise].knobs or ()):
        return "none"
    return f"P_mean = {setting.design.P_mean:g}, P_std = {setting.design.P_std:g}".replace("-", "−")


TRAINING_ROWS = (
    TrainingRow(
        "σ_data", ("sigma_data",), lambda s: f"{s.sigma_data:g}", lambda a, b: abs(a.sigma_data / b.sigma_data - 1), "",
        _no_curves,
    ),
    TrainingRow(
        _PRECONDITIONING, ("preconditioning",),
        lambda s: _written(s, _PRECONDITIONING, PRECONDITIONINGS, s.design.preconditioning),
        _of_preconditioning, "c_skip, c_in, |c_out|", _wrapping,
    ),
    TrainingRow(
        _NOISE, ("noise",), lambda s: _written(s, _NOISE, NOISES, s.design.noise), _of_noise, "density in ln σ",
        lambda s: {"p_train, in ln σ": _density(s)},
    ),
    TrainingRow("P_mean, P_std", ("P_mean", "P_std"), _moments, _of_noise, "density in ln σ", _no_curves),
    TrainingRow(
        _WEIGHT, ("weight",), lambda s: formula_of(WEIGHTS, s.design.weight), _of_weight, "λ up to a constant",
        lambda s: {"λ": _lambda(s)},
    ),
)  # fmt: skip
