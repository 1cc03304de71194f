"""The U-Nets of the paper: DDPM++ and NCSN++ (Song et al. 2021), and ADM (Dhariwal & Nichol 2021).

One network whose kinds differ in their embedding of the noise level, in how it enters the blocks, in resampling,
and in where attention sits. F(x, c_noise, labels, augment) takes

    x [B, C, H, W];   c_noise [B] or [1];
    labels [B] integer classes, −1 for "no class", or None for no class at all;
    augment [B, augment_dim], or None for zeros: the parameters of the augmentation;
    level [B] or [1], of an upsampler: the noise level of the image that it sees behind x, as c_noise is x's.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import torch
from torch import nn
from torch.nn import functional

from edm.networks.blocks import BOX, Block, Fourier, GroupNorm, Positional, ShrinkingConv, computed, groups, layout
from edm.networks.conditions import one_hot


@dataclass(frozen=True)
class Kind:
    """What sets one family of networks apart from another; see EDM, appendix F."""

    fourier: bool = False
    adm: bool = False  # ADM's embedding, adaptive blocks, many heads, attention in all blocks of a resolution
    filter: tuple[int, ...] = BOX
    noise_width: int = 1  # channels of the noise embedding / model channels
    pyramid: bool = False  # NCSN++'s residual encoder


KINDS = {
    "ddpmpp": Kind(),
    "ncsnpp": Kind(fourier=True, filter=(1, 3, 3, 1), noise_width=2, pyramid=True),
    "adm": Kind(adm=True),
}
HEAD_CHANNELS = 64


def _heads(channels: int) -> int:
    """One head for every 64 channels, or the next lower number that divides them."""
    return next(count for count in range(max(channels // HEAD_CHANNELS, 1), 0, -1) if channels % count == 0)


class Embedding(nn.Module):
    """c_noise, class and augmentation -> one vector [B, E] that all blocks see."""

    def __init__(self, kind: Kind, channels: int, width: int, classes: int, augment_dim: int, level: bool = False):
        super().__init__()
        self.adm, self.classes = kind.adm, classes
        noise = channels * kind.noise_width
        song = not kind.adm
        self.noise = Fourier(noise) if kind.fourier else Positional(noise, endpoint=song, sin_first=song)
        self.augment = nn.Linear(augment_dim, noise, bias=False) if augment_dim else None
        self.level = nn.Linear(noise, noise, bias=False) if level else None
        self.layer0 = nn.Linear(noise, width)
        self.layer1 = nn.Linear(width, width)
        self.label = None
        if classes:
            self.label = nn.Linear(classes, width, bias=False) if kind.adm else nn.Linear(classes, noise)

    def forward(
        self,
        c_noise: torch.Tensor,
        labels: torch.Tensor | None,
        augment: torch.Tensor | None,
        level: torch.Tensor | None = None,
    ) -> torch.Tensor:
        embedding = self.noise(c_noise).to(self.layer0.weight.dtype)
        classes = None if self.label is None else one_hot(labels, self.classes, embedding)
        if classes is not None and self.label is not None and not self.adm:
            embedding = embedding + self.label(classes * math.sqrt(self.classes))
        if self.augment is not None and augment is not None:
            embedding = embedding + self.augment(augment.to(embedding.dtype))
        if self.level is not None and level is not None:
            embedding = embedding + self.level(self.noise(level).to(embedding.dtype))
        embedding = self.layer1(functional.silu(self.layer0(embedding)))
        if classes is not None and self.label is not None and self.adm:
            embedding = embedding + self.label(classes)
        return functional.silu(embedding)


class UNet(nn.Module):
    """An encoder and a decoder joined by skips. Layers are named by resolution, as in published checkpoints.

    channels · channel_mult: channels at each level, from full resolution down. blocks: residual blocks a level.
    attention: resolutions with attention. checkpointing: blocks are computed again on the way back of training.
    """

    checkpointing = False

    def __init__(
        self, kind: Kind, resolution: int, in_channels: int, out_channels: int, *, channels: int,
        channel_mult: tuple[int, ...], blocks: int, attention: tuple[int, ...], classes: int, augment_dim: int,
        dropout: float, level: bool = False,
    ):  # fmt: skip
        super().__init__()
        self.kind = kind
        width = 4 * channels
        self.embedding = Embedding(kind, channels, width, classes, augment_dim, level)
        eps = 1e-5 if kind.adm else 1e-6
        common = {"filter": kind.filter, "dropout": dropout, "adaptive": kind.adm, "eps": eps}
        common |= {"skip_scale": 1.0 if kind.adm else math.sqrt(0.5), "project": not kind.adm}

        def block(inputs, outputs, attend=False, resample=""):
            heads = (_heads(outputs) if kind.adm else 1) if attend else 0
            return Block(inputs, outputs, width, heads=heads, resample=resample, **common)

        sizes = [(resolution >> level, channels * mult) for level, mult in enumerate(channel_mult)]
        self.encoder = nn.ModuleDict()
        skips, now, pyramid = [], channels, in_channels
        for level, (size, wide) in enumerate(sizes):
            name = f"{size}x{size}"
            if level == 0:
                self.encoder[f"{name}_conv"] = nn.Conv2d(in_channels, now, 3, padding=1)
            else:
                self.encoder[f"{name}_down"] = block(now, now, resample="down")
            skips.append(now)
            if level and kind.pyramid:
                self.encoder[f"{name}_aux_residual"] = ShrinkingConv(pyramid, now, kind.filter)
                pyramid = now
            for i in range(blocks):
                self.encoder[f"{name}_block{i}"] = block(now, wide, attend=size in attention)
                now = wide
                skips.append(now)

        self.decoder = nn.ModuleDict()
        for level, (size, wide) in reversed(list(enumerate(sizes))):
            name = f"{size}x{size}"
            if level == len(sizes) - 1:
                self.decoder[f"{name}_in0"] = block(now, now, attend=True)
                self.decoder[f"{name}_in1"] = block(now, now)
            else:
                self.decoder[f"{name}_up"] = block(now, now, resample="up")
            for i in range(blocks + 1):
                attend = size in attention and (kind.adm or i == blocks)
                self.decoder[f"{name}_block{i}"] = block(now + skips.pop(), wide, attend=attend)
                now = wide
        self.out_norm = GroupNorm(groups(now), now, eps)
        self.out_conv = nn.Conv2d(now, out_channels, 3, padding=1)
        self._initialize()
        self.to(memory_format=layout(self.out_conv.weight.device))

    @property
    def dtype(self) -> torch.dtype:
        return self.out_conv.weight.dtype

    def _apply(self, fn: Callable[[torch.Tensor], torch.Tensor], recurse: bool = True) -> Self:
        def placed(tensor):
            made = fn(tensor)
            there = made.ndim == 4 and made.device != tensor.device
            return made.clone(memory_format=layout(made.device)) if there else made  # strides of 1×1, too

        return super()._apply(placed, recurse)

    def _initialize(self):
        """Glorot's uniform weights; branches that join a skip, and the output, start at almost nothing."""
        for name, module in self.named_modules():
            if isinstance(module, nn.Linear | nn.Conv2d):
                last = name.rsplit(".", 1)[-1]
                gain = 1e-5 if last in ("conv1", "proj", "out_conv") else math.sqrt(0.2) if last == "qkv" else 1.0
                nn.init.xavier_uniform_(module.weight, gain)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        if self.embedding.level is not None:
            nn.init.zeros_(self.embedding.level.weight)

    def forward(
        self,
        x: torch.Tensor,
        c_noise: torch.Tensor,
        labels: torch.Tensor | None = None,
        augment: torch.Tensor | None = None,
        level: torch.Tensor | None = None,
    ) -> torch.Tensor:
        embedding = self.embedding(c_noise, labels, augment, level)
        pyramid, skips = x, []
        for name, layer in self.encoder.items():
            if name.endswith("_aux_residual"):
                x = skips[-1] = pyramid = layer(pyramid).add_(x).mul_(math.sqrt(0.5))
            else:
                x = computed(layer, x, embedding, again=self.checkpointing) if isinstance(layer, Block) else layer(x)
                skips.append(x)
        for name, layer in self.decoder.items():
            if "_block" in name:
                x = torch.cat([x, skips.pop()], dim=1)
            x = computed(layer, x, embedding, again=self.checkpointing)
        return self.out_conv(self.out_norm(x, silu=True))
