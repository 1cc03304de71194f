"""The probability flow of a learned denoiser as arrows over its data, at one noise level."""

from __future__ import annotations

from app.figures import pack
from edm import diagnostics
from edm.base.transfers import sent

ARROWS, WINDOW, SIGMA = 15, 1.3, 0.5  # arrows each way; half width; σ in units of σ_data


def arrows(denoiser, sigma_data: float, device) -> dict:
    """{positions, arrows} over the plane, packed. denoiser: of points in it, on the device."""
    grid = diagnostics.window_grid(WINDOW, WINDOW, ARROWS, ARROWS)
    (found,) = diagnostics.direction_field(denoiser, sent(grid, device), [SIGMA * sigma_data])
    return {"positions": pack.float32(grid), "arrows": pack.float32(found.cpu())}
