"""The error of a learned score where the true one is known, at one noise level after the other.

    score(x; σ) = (D(x; σ) − x)/σ²,   so   σ·(score_θ − score) = (D_θ − D)/σ
    error(σ) = √( E‖(D_θ(y + σn; σ) − D(y + σn; σ))/σ‖² / d )

It has no unit: 1 is the size of the noise itself, so a model that predicted no noise at all would read about 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from edm.base import streams
from edm.base.devices import precise, precisely
from edm.sampling.denoisers import ask
from edm.sampling.path import nearest
from edm.training.loss import AT_ONCE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edm.sampling.denoisers import Denoise


@torch.no_grad()
def score_error(
    denoiser: Denoise,
    exact: Denoise,
    y: torch.Tensor,
    labels: torch.Tensor | None,
    sigmas: Iterable[float],
    seed: int = 0,
    batch: int = AT_ONCE,
) -> list[float]:
    """error(σ) of a denoiser against the exact one at each of `sigmas`, over samples y [B, …] of the data.

    labels: [B] classes that both are told, or None. The noise is the same every time. A model with discrete levels
    is asked at the nearest one, and so is the exact denoiser.
    """
    noise = streams.normals(seed, streams.Purpose.VALIDATION, range(len(y)), y.shape[1:]).to(y)
    errors = []
    for sigma in nearest(list(sigmas), denoiser):
        total = torch.zeros((), dtype=precise(y.device), device=y.device)
        for part in (slice(start, start + batch) for start in range(0, len(y), batch)):
            x, known = y[part] + sigma * noise[part], None if labels is None else labels[part]
            difference = precisely(ask(denoiser, x, sigma, known)) - precisely(ask(exact, x, sigma, known))
            total += (difference / sigma).square().sum()
        errors.append((total / y.numel()).sqrt())
    return torch.stack(errors).cpu().tolist() if errors else []
