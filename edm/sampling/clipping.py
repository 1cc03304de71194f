"""D of images kept within their range, as guided-diffusion's sampler does it (`clip_denoised`)."""

from __future__ import annotations

from typing import Any

import torch

from edm.sampling.denoisers import Around

RANGE = -1.0, 1.0  # of images


class Clipped(Around):
    """D(x; σ) clipped to −1…1. Put around what guidance is made of, so that the guided D is not clipped again."""

    def __call__(self, x: torch.Tensor, sigma: Any, labels: Any = None) -> torch.Tensor:
        return super().__call__(x, sigma, labels).clamp(*RANGE)
