"""The probability flow as arrows over the plane."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from edm.sampling.denoisers import ask
from edm.sampling.pace import Pace

if TYPE_CHECKING:
    from edm.base.types import Labels, Numbers
    from edm.sampling.denoisers import Denoise


def window_grid(half_width: float, half_height: float, columns: int, rows: int) -> torch.Tensor:
    """Centres of a columns × rows grid over [−half_width, half_width] × [−half_height, half_height]: [·, 2]."""
    across = (torch.arange(columns) + 0.5) / columns * 2 * half_width - half_width
    up = (torch.arange(rows) + 0.5) / rows * 2 * half_height - half_height
    return torch.cartesian_prod(across, up)


@torch.no_grad()
def direction_field(
    denoiser: Denoise, positions: torch.Tensor, sigmas: Numbers, follow: float | None = None, labels: Labels = None
) -> torch.Tensor:
    """Where the probability flow moves points as σ falls: −dx/d ln σ = D(x; σ) − x, at positions [G, d], for each σ.

    follow: a σ_data for which positions and directions are in u = x/√(σ² + σ_data²) instead, where
    −du/d ln σ = (D − x)/√(σ² + σ_data²) + u·σ²/(σ² + σ_data²). Returns [len(sigmas), G, d].
    """
    field, pace = [], Pace()
    for sigma in sigmas:
        pace.keep(positions.device)
        total = 1.0 if follow is None else (sigma**2 + follow**2) ** 0.5
        x = positions * total
        direction = (ask(denoiser, x, sigma, labels) - x) / total
        field.append(direction if follow is None else direction + positions * (sigma / total) ** 2)
    return torch.stack(field)
