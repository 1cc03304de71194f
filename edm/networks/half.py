"""Half a U-Net, as ADM's noisy classifiers are: embedding, encoder and middle, pooled by one attention.

h [B, C, H, W] → normalize → SiLU → [mean, h₁ … h_N] + positions → q of the mean, k and v of all → attend → classes
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from edm.networks.encoder import Encoder, Kind, Sizes, heads


class AttentionPool(nn.Module):
    """[B, C, H, W] with N = H·W pixels -> [B, outputs]: what their mean attends to. Channels of qkv are laid out
    ({q, k, v}, head, channel)."""

    def __init__(self, channels: int, pixels: int, outputs: int, heads: int):
        super().__init__()
        self.heads = heads
        self.positional = nn.Parameter(torch.randn(channels, pixels + 1) / channels**0.5)
        self.qkv = nn.Linear(channels, 3 * channels)
        self.proj = nn.Linear(channels, outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x.flatten(2)
        tokens = (torch.cat([x.mean(2, keepdim=True), x], dim=2) + self.positional.to(x.dtype)).transpose(1, 2)
        batch, number, channels = tokens.shape
        q, k, v = self.qkv(tokens).view(batch, number, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        pooled = functional.scaled_dot_product_attention(q[:, :, :1], k, v)  # of the other tokens nobody asks
        return self.proj(pooled.reshape(batch, channels))


class HalfUNet(Encoder):
    """F(x, c_noise) -> logits [B, out_channels] of the classes."""

    def __init__(self, kind: Kind, sizes: Sizes):
        super().__init__(kind, sizes)
        side, _ = sizes.levels[-1]
        self.out_norm = self.norm(self.width)
        self.pool = AttentionPool(
            self.width, side**2, sizes.out_channels, sizes.heads or heads(self.width, sizes.head_channels)
        )
        self.initialize()

    def forward(
        self,
        x: torch.Tensor,
        c_noise: torch.Tensor,
        labels: torch.Tensor | None = None,
        augment: torch.Tensor | None = None,
    ) -> torch.Tensor:
        x, _, _ = self.encoded(x, c_noise, labels, augment)
        return self.pool(self.out_norm(x, silu=True))
