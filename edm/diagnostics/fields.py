"""The probability flow as arrows over the plane."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from edm.base.transfers import sent
from edm.exact import GaussianMixture
from edm.sampling.denoisers import Around, ask
from edm.sampling.pace import Pace

if TYPE_CHECKING:
    from edm.base.types import Labels, Numbers
    from edm.sampling.denoisers import Denoise

AT_ONCE = 1 << 15  # pairs of a position and a component, for which a processor's nearest memory has room


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
    sigmas, pace = list(sigmas), Pace()
    field, each = [], _levels_at_once(denoiser, positions) if labels is None else 1
    for first in range(0, len(sigmas), each):
        pace.keep(positions.device)
        found = _directions(denoiser, positions, sigmas[first : first + each], follow, labels)
        field.append(found.view(-1, *positions.shape))
    return torch.cat(field)


def _directions(denoiser, positions, sigmas, follow, labels):
    """Those of the levels, one after the other, in one evaluation."""
    sigma = column = sigmas[0]
    if len(sigmas) > 1:
        levels = torch.tensor(sigmas, dtype=torch.float64)[:, None].expand(-1, len(positions))
        sigma, positions = sent(levels.reshape(-1), positions.device), positions.repeat(len(sigmas), 1)
        column = sigma[:, None].to(positions.dtype)
    if follow is None:
        return ask(denoiser, positions, sigma, labels) - positions
    total = (column**2 + follow**2) ** 0.5
    x = positions * total
    return (ask(denoiser, x, sigma, labels) - x) / total + positions * (column / total) ** 2


def _levels_at_once(denoiser, positions) -> int:
    """Of an exact denoiser of few components several: there, beginning is what takes the time. For a network, one level
    for all positions is the least work."""
    while isinstance(denoiser, Around):
        denoiser = denoiser.inner
    if not isinstance(denoiser, GaussianMixture):
        return 1
    return max(1, AT_ONCE // (len(denoiser.means) * len(positions)))
