"""Preconditioning: the middle part of Table 1. D(x; σ) = c_skip·x + c_out·F(c_in·x; c_noise).

Coefficients take σ as a tensor of any shape and return float64 of that shape (float32 where its device has none).
`round_sigma` gives the level that a model with discrete levels really sees; it is the identity for the others.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

import numpy as np
import torch

from edm import respacing, schedules, timesteps
from edm.base.choices import Alias, Choice, knobs_of, spelled
from edm.base.devices import precisely
from edm.base.errors import Refused
from edm.base.transfers import sent
from edm.wrapped import Level, Preconditioning, Wrapped, level_of


class VP(Preconditioning):
    """c_skip = 1, c_out = −σ, c_in = 1/√(σ² + 1), c_noise = (M − 1)·σ⁻¹(σ)."""

    M, EPSILON_T = 1000, 1e-5

    def __init__(self, beta_d: float = schedules.BETA_D, beta_min: float = schedules.BETA_MIN):
        self.schedule = schedules.vp(beta_d, beta_min)
        self.sigma_min = self.schedule.sigma(self.EPSILON_T)
        self.sigma_max = self.schedule.sigma(1.0)

    def c_noise(self, sigma: Level) -> torch.Tensor:
        return (self.M - 1) * self.schedule.inverse(level_of(sigma))


class VE(Preconditioning):
    """c_skip = 1, c_out = σ, c_in = 1, c_noise = ln(σ/2)."""

    sigma_min, sigma_max = timesteps.DISCRETIZATIONS["ve"].range

    def c_out(self, sigma: Level) -> torch.Tensor:
        return level_of(sigma)

    def c_in(self, sigma: Level) -> torch.Tensor:
        return torch.ones_like(level_of(sigma))

    def c_noise(self, sigma: Level) -> torch.Tensor:
        return (0.5 * level_of(sigma)).log()


class Discrete(Preconditioning):
    """VP's c_skip, c_out, c_in; c_noise = t for the level σ_t nearest to σ, the only ones that the model knows.

    levels: σ_t of t = 0, 1, …, rising. lowest: one below σ_0 that σ is rounded to, too, where there is one.
    """

    def __init__(self, levels: Callable[[], np.ndarray], lowest: float | None = None):
        self._levels, self._below = levels, 0 if lowest is None else 1
        self.levels = levels()
        self._lowest = lowest
        self.sigma_min, self.sigma_max = float(self.levels[0]), float(self.levels[-1])

    def _index(self, sigma):
        """argmin_j |σ_j − σ|, by bisection."""
        rising = _on(self._levels, self._lowest, sigma.device, sigma.dtype)
        upper = torch.searchsorted(rising, sigma.contiguous()).clamp(1, len(rising) - 1)
        return torch.where(sigma - rising[upper - 1] < rising[upper] - sigma, upper - 1, upper)

    def round_sigma(self, sigma: Level) -> torch.Tensor:
        sigma = level_of(sigma)
        return _on(self._levels, self._lowest, sigma.device, sigma.dtype)[self._index(sigma)]

    def c_noise(self, sigma: Level) -> torch.Tensor:
        return precisely(self._index(level_of(sigma))) - self._below


class IDDPM(Discrete):
    """iDDPM's levels u_j, t = M − 1 − j, and u_M = 0: guided-diffusion's cosine schedule."""

    def __init__(self):
        super().__init__(_iddpm, 0.0)
        self.u = torch.from_numpy(timesteps.iddpm_u().copy())


class ADM(Discrete):
    """guided-diffusion's linear schedule."""

    def __init__(self):
        super().__init__(_linear)


def _iddpm() -> np.ndarray:
    return timesteps.iddpm_u()[-2::-1]


def _linear() -> np.ndarray:
    return respacing.table(cosine=False)


@lru_cache(maxsize=16)
def _on(levels, lowest, device, dtype) -> torch.Tensor:
    """The levels where they are looked up, with the one below them: copied there once."""
    below = [] if lowest is None else [lowest]
    return sent(torch.from_numpy(np.concatenate([below, levels()])), device, dtype)


class EDM(Preconditioning):
    """The paper's own (eq. 7): unit variance of the network's input and target at every σ.

    sigma_data: standard deviation of a coordinate of the data; must be greater than 0.
    """

    sigma_min, sigma_max = 0.0, float("inf")

    def __init__(self, sigma_data: float = 0.5):
        if not 0 < sigma_data < float("inf"):
            raise Refused(f"sigma_data = {sigma_data}: must be greater than 0 and finite")
        self.sigma_data = float(sigma_data)

    def _total(self, sigma):
        return (level_of(sigma) ** 2 + self.sigma_data**2).sqrt()

    def c_skip(self, sigma: Level) -> torch.Tensor:
        return (self.sigma_data / self._total(sigma)) ** 2

    def c_out(self, sigma: Level) -> torch.Tensor:
        return level_of(sigma) * self.sigma_data / self._total(sigma)

    def c_in(self, sigma: Level) -> torch.Tensor:
        return 1 / self._total(sigma)

    def c_noise(self, sigma: Level) -> torch.Tensor:
        return level_of(sigma).log() / 4


class Flow(Preconditioning):
    """The network sees z = (1 − t)·y + t·n and t = σ/(1 + σ), so that c_in = 1/(1 + σ) and c_noise = t. It tells the
    velocity n − y (arXiv 2210.02747): c_skip = 1/(1 + σ), c_out = −t; or y (arXiv 2511.13720): c_skip = 0, c_out = 1;
    or n: c_skip = 1, c_out = −σ.
    """

    sigma_min, sigma_max = 0.0, float("inf")

    def __init__(self, data: bool = False, noise: bool = False):
        self._data, self._noise = data, noise

    @property
    def tells(self) -> tuple[str, str]:
        """What the network predicts: its letter, and what that is."""
        if self._noise:
            return "ε", "noise"
        return ("x", "the data") if self._data else ("v", "n − y")

    def c_skip(self, sigma: Level) -> torch.Tensor:
        return super().c_skip(sigma) if self._noise else self.c_in(sigma) * (not self._data)

    def c_out(self, sigma: Level) -> torch.Tensor:
        if self._noise:
            return super().c_out(sigma)
        return torch.ones_like(level_of(sigma)) if self._data else -self.c_noise(sigma)

    def c_in(self, sigma: Level) -> torch.Tensor:
        return 1 / (1 + level_of(sigma))

    def c_noise(self, sigma: Level) -> torch.Tensor:
        return level_of(sigma) / (1 + level_of(sigma))


PRECONDITIONINGS: dict[str, Callable] = {
    choice.name: choice
    for choice in (
        Choice(
            "vp", "VP", VP, "x − σ·F(x/√(σ² + 1); (M−1)·σ⁻¹(σ))", "the network tells the noise",
            aliases=(
                Alias("epsilon", "ε-prediction", help="the network tells the noise: VP's"),
                *spelled("eps", "epsilon_prediction", "noise_prediction"),
            ),
        ),
        Choice("ve", "VE", VE, "x + σ·F(x; ln(σ/2))", "the network tells the noise, of a state as large as it is"),
        Choice("iddpm", "iDDPM", IDDPM, "x − σ·F(x/√(σ² + 1); M−1−j)", "as VP's, on iDDPM's own levels"),
        Choice(
            "adm_linear", "ADM linear", ADM, "x − σ_t·F(x/√(σ_t² + 1); t)",
            "as VP's, on the levels of ADM's linear schedule; its cosine schedule is iDDPM's",
        ),
        Choice(
            "edm", "EDM", EDM, "(σ_data²·x + σ·σ_data·r·F(x/r; ¼·ln σ))/r², r = √(σ² + σ_data²)",
            "input and target of the network have size 1",
            ("sigma_data",),
            (
                Alias("trigflow", "TrigFlow", help="arXiv 2410.11081: the same for any σ_data, up to the sign of F"),
                *spelled("karras"),
            ),
        ),
        Choice(
            "flow_eps", "flow, ε", partial(Flow, noise=True), "x − σ·F(x/(1 + σ); t), t = σ/(1 + σ)",
            "the network tells the noise, as VP's does, of flow matching's state",
        ),
        Choice(
            "flow", "flow", Flow, "(x − σ·F(x/(1 + σ); t))/(1 + σ), t = σ/(1 + σ)",
            "the network tells the velocity n − y",
            aliases=(
                schedules.RECTIFIED,
                Alias("velocity", "velocity of rectified flow", help="it tells n − y"),
                *spelled("flow_matching", "rf", "flow_prediction", "velocity_prediction"),
            ),
        ),
        Choice(
            "v", "v", partial(EDM, 1.0), "EDM's with σ_data = 1",
            "the network tells v (arXiv 2202.00512), whose sign is EDM's; TrigFlow is the same",
            aliases=(
                Alias("v_prediction", "v-prediction", help="arXiv 2202.00512, for data of size 1"), *spelled("vpred")
            ),
        ),
        Choice(
            "x", "x", partial(Flow, data=True), "F(x/(1 + σ); t), t = σ/(1 + σ)", "it tells the data itself",
            aliases=(
                Alias("x_prediction", "x-prediction", help="the network tells the data"),
                *spelled("x0", "x0_prediction", "sample", "data_prediction", "jit"),
            ),
        ),
    )
}  # fmt: skip


def build(name: str, sigma_data: float) -> Preconditioning:
    """The preconditioning of that name, for data of that standard deviation where it depends on it."""
    given = {"sigma_data": sigma_data} if "sigma_data" in (knobs_of(PRECONDITIONINGS, name) or ()) else {}
    return PRECONDITIONINGS[name](**given)


class Denoiser(Wrapped):
    """D(x; σ) = c_skip·x + c_out·F(c_in·x; c_noise) as a callable for `edm.sample`.

    network: F(x, c_noise, labels=None, augment=None) -> like x, or with twice the channels (iDDPM, ADM: the second half
        is v, which tells the variance of an ancestral step; D does not need it); c_noise is [B], or [1] where all
        samples share σ. A condition that is None is not handed on. preconditioning: of this module. shape: of one
        sample, if known.
    classes: number of them (0: none), if known; then labels are checked. header: of the file that it was loaded from
        (`edm.files.checkpoints.Header`).
    A model with discrete levels is evaluated at the nearest one.
    """

    _heard: dict[int, torch.Tensor] | None = None
    _row = 0

    def listening(self, heard: dict[int, torch.Tensor]) -> Denoiser:
        """A copy that puts there what the network tells besides D, by the row of the batch where its samples begin:
        v [b, …], without channels of a network that tells none."""
        made = copy.copy(self)
        made._heard = heard
        return made

    def part(self, rows: slice) -> Denoiser:
        """Itself, or a copy that knows which rows of a batch it is asked for, where somebody listens."""
        if self._heard is None:
            return self
        made = copy.copy(self)
        made._row = rows.start or 0
        return made

    def __call__(
        self, x: torch.Tensor, sigma: Level, labels: Any = None, augment: torch.Tensor | None = None
    ) -> torch.Tensor:
        """x [B, …]; sigma a number or [B], > 0; labels and augment are handed to the network."""
        return self._denoised(x, sigma, {"labels": labels, "augment": augment})

    def _denoised(self, x, sigma, conditions, beside=None):
        """D(x; σ) of a network that is told these conditions. beside: channels that it sees behind those of c_in·x."""
        dtype = getattr(self.network, "dtype", x.dtype)  # a network of ours computes in its own type
        c_skip, c_out, c_in, c_noise = self.coefficients(sigma, x, dtype)
        told = {name: value for name, value in conditions.items() if value is not None}
        if "labels" in told:
            told["labels"] = self._labels(told["labels"], x)
        seen = c_in * x if beside is None else torch.cat([c_in * x, beside], dim=1)
        output = self.network(seen.to(dtype), c_noise, **told)
        if self._heard is not None:
            self._heard.setdefault(self._row, output[:, x.shape[1] :].to(x.dtype))
        return c_skip * x + c_out * output[:, : x.shape[1]].to(x.dtype)

    def _labels(self, labels, x):
        """As a tensor beside x. What is on the GPU is not looked at: that would wait for it at every call."""
        labels = torch.as_tensor(labels)
        if self.classes is None or labels.device.type != "cpu":
            return sent(labels, x.device)
        if labels.shape != (len(x),) or labels.is_floating_point():
            raise Refused(f"labels must be {len(x)} whole numbers, not {labels.dtype} of shape {list(labels.shape)}")
        if labels.numel() and not -1 <= int(labels.min()) <= int(labels.max()) < self.classes:
            odd = int(labels[(labels < -1) | (labels >= self.classes)][0])
            raise Refused(f"labels contain {odd}: this model has {self.classes} classes, from 0; −1 is none of them")
        return sent(labels, x.device)
