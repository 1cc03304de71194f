"""What training minimizes: the last rows of Table 1, how the loss at σ weighs, and the design of which it is a part."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from edm import schedules, timesteps
from edm.base.choices import Alias, Choice, spelled
from edm.base.fields import Number, Settings, knob
from edm.noises import NOISES
from edm.preconditioning import PRECONDITIONINGS

MIN_SNR = 5.0  # γ


def _simple(sigma, sigma_data):
    """1/σ²: of VP, of VE, and of iDDPM, whose L_simple = E‖ε − ε_θ‖² it is."""
    return sigma**-2


def _balanced(sigma, sigma_data):
    """(σ² + σ_d²)/(σ·σ_d)²: effective weight 1 at every σ, with EDM's preconditioning."""
    return (sigma**2 + sigma_data**2) / (sigma * sigma_data) ** 2


def _velocity(sigma, sigma_data):
    """(1 + σ)²/σ² = 1/t²: the squared error of flow matching's velocity."""
    return (1 + 1 / sigma) ** 2


def _v(sigma, sigma_data):
    """1 + 1/σ²: the squared error of v (arXiv 2202.00512)."""
    return 1 + sigma**-2


def _min_snr(sigma, sigma_data):
    """min(1/σ², γ), γ = 5 (arXiv 2303.09556)."""
    return (sigma**-2).clip(max=MIN_SNR)


def _bound(sigma, sigma_data):
    """T/(2·ln 2)·(1/τ² − 1/σ²), τ the level of iDDPM's below σ: of L_vlb at the lower bound of the variance."""
    levels = timesteps.iddpm_u()[-2::-1]
    place = np.searchsorted(levels, np.asarray(sigma)).clip(1, len(levels) - 1)
    weights = len(levels) / (2 * math.log(2)) * (levels[place - 1] ** -2 - levels[place] ** -2)
    return torch.from_numpy(weights) if isinstance(sigma, torch.Tensor) else weights


@dataclass(frozen=True)
class Variational(Choice):
    """A weight whose network learns the variance of its ancestral steps, too, by the variational bound
    (`edm.training.variational`). alone: whether the bound teaches all; else it is added, and teaches the variance."""

    alone: bool = False


@dataclass(frozen=True)
class Learned(Choice):
    """A weight that is divided by e^u(σ), where u is learned beside the network (`edm.training.uncertainty`)."""


# Each entry: (σ, σ_data) -> λ(σ).
WEIGHTS: dict[str, Callable] = {
    choice.name: choice
    for choice in (
        Choice(
            "simple", "1/σ²", _simple, "1/σ²", "of VP, of VE, and of iDDPM's L_simple",
            aliases=(
                Alias("snr", "SNR", help="λ = 1/σ², the signal-to-noise ratio"),
                *spelled("epsilon", "eps", "l_simple"),
            ),
        ),
        Choice("edm", "EDM's", _balanced, "(σ² + σ_d²)/(σ·σ_d)²", "every noise level starts alike", ("sigma_data",)),
        Choice(
            "flow", "flow's", _velocity, "(1 + σ)²/σ²", "the error of flow matching's velocity, 1/t²",
            aliases=(schedules.RECTIFIED, *spelled("velocity", "flow_matching", "rf")),
        ),
        Choice(
            "v", "v's", _v, "1 + 1/σ²", "the error of v",
            aliases=(Alias("snr_plus_one", "SNR + 1", help="arXiv 2202.00512: λ = 1 + 1/σ²"), *spelled("v_prediction")),
        ),
        Choice(
            "min_snr", "min-SNR", _min_snr, "min(1/σ², 5)", "1/σ² that low noise cannot outgrow",
            aliases=spelled("min_snr_5", "min_snr_gamma", "minsnr"),
        ),
        Variational(
            "hybrid", "L_hybrid", _simple, "1/σ² + L_vlb/T",
            "L_simple, and the bound teaches the variance of ancestral steps (iDDPM, ADM)",
        ),
        Variational(
            "vlb", "L_vlb", _bound, "T/(2 ln 2)·(1/τ² − 1/σ²)",
            "the variational bound teaches D and the variance of ancestral steps", alone=True,
        ),
        Learned(
            "learned",
            "learned",
            _balanced,
            "(σ² + σ_d²)/(σ·σ_d)²/e^u(σ)",
            "EDM2's: u is learned beside the network",
            ("sigma_data",),
            spelled("edm2", "uncertainty"),
        ),
    )
}  # fmt: skip


class Design(Settings):
    """The design: preconditioning and training rows of Table 1."""

    preconditioning: str = knob(
        "edm", "preconditioning", "c_skip, c_out, c_in, c_noise: how the network is wrapped", choices=PRECONDITIONINGS
    )
    sigma_data: Number | None = knob(
        None,
        "σ<sub>data</sub>",
        "Standard deviation of the data; none: measured",
        slider=(0.05, 2),
        log=True,
        gt=0,
        le=1e3,
    )
    noise: str = knob("edm", "p<sub>train</sub>(σ)", "Distribution of noise levels in training", choices=NOISES)
    P_mean: Number = knob(
        -1.2, "P<sub>mean</sub>", "Mean of ln σ, for EDM's distribution", slider=(-4, 2), step=0.1, ge=-20, le=20
    )
    P_std: Number = knob(
        1.2,
        "P<sub>std</sub>",
        "Standard deviation of ln σ, for EDM's distribution",
        slider=(0.2, 3),
        step=0.1,
        gt=0,
        le=10,
    )
    weight: str = knob(
        "edm", "λ(σ)", "Weight of the loss; 'simple' is 1/σ², of VP, VE and iDDPM's L_simple", choices=WEIGHTS
    )
    augment: Number = knob(
        0.0, "augment p", "Probability of each non-leaky augmentation; 0: none", slider=(0, 0.5), step=0.01, ge=0, le=1
    )
    label_dropout: Number = knob(
        0.0,
        "label dropout",
        "Share of images whose class is hidden, for guidance",
        slider=(0, 0.5),
        step=0.01,
        ge=0,
        le=1,
    )
