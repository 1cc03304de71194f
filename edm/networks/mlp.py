"""A residual network for points: each block is scaled and shifted by the noise level and the class (FiLM,
Perez et al. 2018). F(x, c_noise, labels, augment) as for images, with x [B, d]."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from edm.networks.blocks import Positional, computed
from edm.networks.conditions import one_hot


class MLP(nn.Module):
    """channels: width of the layers; blocks: number of residual blocks; dropout between a block's two layers.

    checkpointing: blocks are computed again on the way back of training."""

    checkpointing = False

    def __init__(
        self, in_channels: int, out_channels: int, *, channels: int, blocks: int, classes: int, augment_dim: int,
        dropout: float,
    ):  # fmt: skip
        super().__init__()
        self.classes = classes
        self.noise = Positional(channels, endpoint=True, sin_first=True)
        self.layer0 = nn.Linear(channels, channels)
        self.layer1 = nn.Linear(channels, channels)
        self.label = nn.Linear(classes, channels, bias=False) if classes else None
        self.augment = nn.Linear(augment_dim, channels, bias=False) if augment_dim else None
        self.inner = nn.Linear(in_channels, channels)
        self.blocks = nn.ModuleList(_Film(channels, dropout) for _ in range(blocks))
        self.norm = nn.LayerNorm(channels)
        self.out = nn.Linear(channels, out_channels)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    @property
    def dtype(self) -> torch.dtype:
        return self.out.weight.dtype

    def forward(
        self,
        x: torch.Tensor,
        c_noise: torch.Tensor,
        labels: torch.Tensor | None = None,
        augment: torch.Tensor | None = None,
    ) -> torch.Tensor:
        embedding = self.noise(c_noise).to(self.layer0.weight.dtype)
        embedding = self.layer1(functional.silu(self.layer0(embedding)))
        if self.label is not None:
            embedding = embedding + self.label(one_hot(labels, self.classes, embedding))
        if self.augment is not None and augment is not None:
            embedding = embedding + self.augment(augment.to(embedding.dtype))
        embedding, x = functional.silu(embedding), self.inner(x)
        for block in self.blocks:
            x = computed(block, x, embedding, again=self.checkpointing)
        return self.out(functional.silu(self.norm(x)))


class _Film(nn.Module):
    def __init__(self, channels, dropout):
        super().__init__()
        self.norm = nn.LayerNorm(channels, elementwise_affine=False)
        self.film = nn.Linear(channels, 2 * channels)
        self.conv0 = nn.Linear(channels, channels)
        self.conv1 = nn.Linear(channels, channels)
        self.dropout = nn.Dropout(dropout)
        nn.init.zeros_(self.conv1.weight)

    def forward(self, x, embedding):
        scale, shift = self.film(embedding).chunk(2, dim=1)
        h = self.conv0(functional.silu(torch.addcmul(shift, self.norm(x), scale + 1)))
        return x + self.conv1(self.dropout(functional.silu(h)))
