"""The denoising loss E[λ(σ)·‖D(y + n; σ) − y‖²] and its two rows of Table 1: where σ falls, and how it weighs.

Losses are means over the coordinates of a sample, so that they compare between data of different sizes; with
EDM's weight and preconditioning every noise level starts at about 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from edm.base import streams
from edm.base.streams import Purpose
from edm.objective import NOISES, WEIGHTS
from edm.sampling.denoisers import ask

if TYPE_CHECKING:
    from edm.base.types import Indices, Numbers
    from edm.objective import Design
    from edm.sampling.denoisers import Denoise
    from edm.training.augmentation import Augmentation

AT_ONCE = 256  # samples that are measured at once, where nobody says how many


class Loss:
    """The loss of images k, k + 1, … of a run: a function of (settings' seed, k) and the weights only.

    design, seed: of the settings. sigma_data: of the data. augmentation: of `edm.training.augmentation`, or None.
    """

    def __init__(self, design: Design, seed: int, sigma_data: float, augmentation: Augmentation | None = None):
        self.design, self.seed, self.sigma_data, self.augmentation = design, seed, sigma_data, augmentation

    def __call__(
        self, denoiser: Denoise, y: torch.Tensor, labels: torch.Tensor | None, indices: Indices
    ) -> torch.Tensor:
        """y [B, …], labels [B] or None, indices: the B numbers k. Returns the weighted loss of each image [B]."""
        design, augment = self.design, None
        u = torch.from_numpy(streams.uniforms(self.seed, Purpose.SIGMA, indices, 2))
        sigma = denoiser.round_sigma(NOISES[design.noise].sigma(u[:, 0], design))
        sigma = torch.where(sigma > 0, sigma, denoiser.sigma_min)  # discrete levels end at 0, which is no noise
        if self.augmentation is not None:
            drawn = streams.uniforms(self.seed, Purpose.AUGMENT, indices, self.augmentation.width)
            y, augment = self.augmentation(y, drawn)
        if labels is not None and design.label_dropout > 0:
            labels = torch.where((u[:, 1] < design.label_dropout).to(labels.device), -1, labels)
        noise = streams.normals(self.seed, Purpose.NOISE, indices, y.shape[1:]).to(y)
        weight = WEIGHTS[design.weight](sigma, self.sigma_data).to(y)
        sigma = sigma.to(y.device)
        denoised = denoiser(y + sigma.to(y).view(-1, *[1] * (y.ndim - 1)) * noise, sigma, labels, augment)
        return weight * (denoised.float() - y).square().flatten(1).mean(1)


@torch.no_grad()
def per_sigma(
    denoiser: Denoise,
    y: torch.Tensor,
    labels: torch.Tensor | None,
    sigmas: Numbers,
    seed: int = 0,
    batch: int = AT_ONCE,
) -> list[float]:
    """The mean squared error of D at each of `sigmas`, over images y [B, …] and noise that is the same every time."""
    noise = streams.normals(seed, Purpose.VALIDATION, range(len(y)), y.shape[1:]).to(y)
    losses = []
    for sigma in sigmas:
        total = 0.0
        for part in (slice(start, start + batch) for start in range(0, len(y), batch)):
            known = None if labels is None else labels[part]
            denoised = ask(denoiser, y[part] + sigma * noise[part], sigma, known)
            total += float((denoised - y[part]).double().square().sum())
        losses.append(total / y.numel())
    return losses
