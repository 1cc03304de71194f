"""The U-Nets of the paper: DDPM++ and NCSN++ (Song et al. 2021), and ADM (Dhariwal & Nichol 2021).

One network whose kinds differ in their embedding of the noise level, in how it enters the blocks, in resampling,
and in where attention sits. What F(x, c_noise, labels, augment, level) takes, `edm.networks.encoder` says.
"""

from __future__ import annotations

import torch
from torch import nn

from edm.networks.blocks import computed
from edm.networks.encoder import MIDDLE, Encoder, Kind, Sizes


class UNet(Encoder):
    """An encoder and a decoder joined by skips. Layers are named by resolution, as in published checkpoints."""

    def __init__(self, kind: Kind, sizes: Sizes):
        super().__init__(kind, sizes)
        skips, now, last = list(self.skips), self.width, len(sizes.levels) - 1
        for level, (size, wide) in reversed(list(enumerate(sizes.levels))):
            name = f"{size}x{size}"
            if level != last:
                self.decoder[f"{name}_up"] = self.block(now, now, resample="up")
            for i in range(sizes.blocks + 1):
                heads = self.heads(size, wide, sizes.decoder_heads) if kind.adm or i == sizes.blocks else 0
                self.decoder[f"{name}_block{i}"] = self.block(now + skips.pop(), wide, heads)
                now = wide
        self.out_norm = self.norm(now)
        self.out_conv = nn.Conv2d(now, sizes.out_channels, 3, padding=1)
        self.initialize()

    def forward(
        self,
        x: torch.Tensor,
        c_noise: torch.Tensor,
        labels: torch.Tensor | None = None,
        augment: torch.Tensor | None = None,
        level: torch.Tensor | None = None,
    ) -> torch.Tensor:
        x, embedding, skips = self.encoded(x, c_noise, labels, augment, level)
        for name, layer in self.decoder.items():
            if name.endswith(MIDDLE):
                continue
            if "_block" in name:
                x = torch.cat([x, skips.pop()], dim=1)
            x = computed(layer, x, embedding, again=self.checkpointing)
        return self.out_conv(self.out_norm(x, silu=True))
