"""A loss weight that is learned beside the network: EDM2's u(σ) (arXiv 2312.02696, eq. 21 and Appendix B.4).

    minimize E[λ·‖D − y‖²/e^u(σ) + u(σ)],     u*(σ) = ln E[λ·‖D − y‖² | σ]

so that the gradients of all noise levels are of one size, whatever their losses are.
"""

from __future__ import annotations

import math

import torch
from torch import nn

FEATURES = 128
MOST = 20.0  # of |ln σ| that is told apart: far beyond all levels that there are


class Uncertainty(nn.Module):
    """u(σ), one line of Fourier features of ln σ; 0 everywhere to begin with, where the weight is λ itself."""

    frequencies: torch.Tensor
    phases: torch.Tensor

    def __init__(self):
        super().__init__()
        self.line = nn.Linear(FEATURES, 1)
        nn.init.zeros_(self.line.weight)
        nn.init.zeros_(self.line.bias)
        self.register_buffer("frequencies", 2 * math.pi * torch.randn(FEATURES))
        self.register_buffer("phases", 2 * math.pi * torch.rand(FEATURES))

    def forward(self, sigma: torch.Tensor) -> torch.Tensor:
        """sigma [B], above 0; u [B], float32."""
        level = sigma.log().clamp(-MOST, MOST).float() / 4
        features = (level[:, None] * self.frequencies + self.phases).cos() * math.sqrt(2 / FEATURES)
        with torch.autocast(features.device.type, enabled=False):
            return self.line(features)[:, 0]


def balanced(losses: torch.Tensor, u: torch.Tensor) -> torch.Tensor:
    """The losses [B] as they are, with the gradients of losses/e^u + u."""
    learned = losses * (-u).exp() + u
    return losses.detach() + learned - learned.detach()
