"""The denoising loss E[λ(σ)·‖D(y + n; σ) − y‖²] and its two rows of Table 1: where σ falls, and how it weighs.

Losses are means over the coordinates of a sample, so that they compare between data of different sizes; with
EDM's weight and preconditioning every noise level starts at about 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch

from edm import schedules, streams, timesteps
from edm.preconditioning import VP

# one purpose for each kind of random number, so that none is used twice; see edm.streams
ORDER, SIGMA, NOISE, AUGMENT, LABEL, DATA, VALIDATION, DROPOUT = range(16, 24)


@dataclass(frozen=True)
class NoiseDistribution:
    """p_train(σ) by its quantiles: sigma(u, design) maps uniform numbers in (0, 1) to noise levels, both float64.

    knobs: the fields of `Design` that it depends on; None: not said.
    """

    name: str
    title: str
    sigma: Callable
    knobs: tuple[str, ...] | None = None


def _vp(u, design):
    """σ⁻¹(σ) ~ U(ε_t, 1)."""
    return schedules.vp().sigma(VP.EPSILON_T + u * (1 - VP.EPSILON_T))


def _ve(u, design):
    """ln σ ~ U(ln σ_min, ln σ_max)."""
    low, high = (math.log(sigma) for sigma in timesteps.DISCRETIZATIONS["ve"].range)
    return (low + u * (high - low)).exp()


def _iddpm(u, design):
    """σ = u_j, j ~ U{0 … M − 1}."""
    levels = torch.from_numpy(timesteps.iddpm_u().copy()).to(u.device)
    return levels[(u * timesteps.IDDPM_LEVELS).long()]


def _edm(u, design):
    """ln σ ~ N(P_mean, P_std²)."""
    return (design.P_mean + design.P_std * torch.special.ndtri(u)).exp()


NOISES = {
    noise.name: noise
    for noise in (
        NoiseDistribution("vp", "VP", _vp, ()),
        NoiseDistribution("ve", "VE", _ve, ()),
        NoiseDistribution("iddpm", "iDDPM", _iddpm, ()),
        NoiseDistribution("edm", "EDM", _edm, ("P_mean", "P_std")),
    )
}


def _simple(sigma, sigma_data):
    """1/σ²: of VP, of VE, and of iDDPM, whose L_simple = E‖ε − ε_θ‖² it is."""
    return sigma**-2


def _balanced(sigma, sigma_data):
    """(σ² + σ_d²)/(σ·σ_d)²: effective weight 1 at every σ, with EDM's preconditioning."""
    return (sigma**2 + sigma_data**2) / (sigma * sigma_data) ** 2


WEIGHTS: dict[str, Callable] = {"simple": _simple, "edm": _balanced}


class Loss:
    """The loss of images k, k + 1, … of a run: a function of (settings' seed, k) and the weights only.

    design, seed: of the settings. sigma_data: of the data. augmentation: of `edm.training.augmentation`, or None.
    """

    def __init__(self, design, seed: int, sigma_data: float, augmentation=None):
        self.design, self.seed, self.sigma_data, self.augmentation = design, seed, sigma_data, augmentation

    def __call__(self, denoiser, y, labels, indices) -> torch.Tensor:
        """y [B, …], labels [B] or None, indices: the B numbers k. Returns the weighted loss of each image [B]."""
        design, augment = self.design, None
        u = torch.from_numpy(streams.uniforms(self.seed, SIGMA, indices, 2))
        sigma = denoiser.round_sigma(NOISES[design.noise].sigma(u[:, 0], design))
        sigma = torch.where(sigma > 0, sigma, denoiser.sigma_min)  # discrete levels end at 0, which is no noise
        if self.augmentation is not None:
            y, augment = self.augmentation(y, streams.uniforms(self.seed, AUGMENT, indices, self.augmentation.width))
        if labels is not None and design.label_dropout > 0:
            labels = torch.where((u[:, 1] < design.label_dropout).to(labels.device), -1, labels)
        noise = streams.normals(self.seed, NOISE, indices, y.shape[1:]).to(y)
        weight = WEIGHTS[design.weight](sigma, self.sigma_data).to(y)
        sigma = sigma.to(y.device)
        denoised = denoiser(y + sigma.to(y).view(-1, *[1] * (y.ndim - 1)) * noise, sigma, labels, augment)
        return weight * (denoised.float() - y).square().flatten(1).mean(1)


@torch.no_grad()
def per_sigma(denoiser, y, labels, sigmas, seed: int = 0, batch: int = 256) -> list[float]:
    """The mean squared error of D at each of `sigmas`, over images y [B, …] and noise that is the same every time."""
    noise = streams.normals(seed, VALIDATION, range(len(y)), y.shape[1:]).to(y)
    losses = []
    for sigma in sigmas:
        total = 0.0
        for part in (slice(start, start + batch) for start in range(0, len(y), batch)):
            known = None if labels is None else labels[part]
            denoised = denoiser(y[part] + sigma * noise[part], sigma, known)
            total += float((denoised - y[part]).double().square().sum())
        losses.append(total / y.numel())
    return losses
