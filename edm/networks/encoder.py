"""What the U-Nets and ADM's classifiers have in common: the embedding of the conditions, an encoder, and the two blocks
in the middle. F sees

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

from edm.base.errors import Refused
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
MIDDLE = ("_in0", "_in1")  # how the names of its two blocks end


@dataclass(frozen=True)
class Sizes:
    """Of a network of images: what `edm.networks.build` takes, and no kind of network fixes."""

    resolution: int
    in_channels: int
    out_channels: int
    channels: int
    channel_mult: tuple[float, ...]
    blocks: int
    attention: tuple[int, ...]
    classes: int = 0
    augment_dim: int = 0
    dropout: float = 0.0
    stem: int | None = None
    heads: int | None = None
    decoder_heads: int | None = None
    head_channels: int = HEAD_CHANNELS
    groups: int | None = None
    level: bool = False

    @property
    def levels(self) -> list[tuple[int, int]]:
        """(resolution, channels) of each, from full resolution down."""
        return [(self.resolution >> i, int(mult * self.channels)) for i, mult in enumerate(self.channel_mult)]


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


def heads(channels: int, each: int) -> int:
    """One head for every `each` channels, or the next lower number that divides them."""
    return next(count for count in range(max(channels // each, 1), 0, -1) if channels % count == 0)


class Encoder(nn.Module):
    """The embedding, the encoder, and the middle: the first two blocks of `decoder`, with which a U-Net goes on.

    Layers are named by resolution, as in published checkpoints. checkpointing: blocks are computed again on the way
    back of training. skips: channels of what the encoder hands over to a decoder; width: channels after the middle.
    """

    checkpointing = False

    def __init__(self, kind: Kind, sizes: Sizes):
        super().__init__()
        self.kind, self.sizes = kind, sizes
        conditions = sizes.classes, sizes.augment_dim, sizes.level
        self.embedding = Embedding(kind, sizes.channels, 4 * sizes.channels, *conditions)
        self.encoder = nn.ModuleDict()
        now = sizes.stem or sizes.channels
        self.skips, pyramid = [], sizes.in_channels
        for level, (size, wide) in enumerate(sizes.levels):
            name = f"{size}x{size}"
            if level == 0:
                self.encoder[f"{name}_conv"] = nn.Conv2d(sizes.in_channels, now, 3, padding=1)
            else:
                self.encoder[f"{name}_down"] = self.block(now, now, resample="down")
            self.skips.append(now)
            if level and kind.pyramid:
                self.encoder[f"{name}_aux_residual"] = ShrinkingConv(pyramid, now, kind.filter)
                pyramid = now
            for i in range(sizes.blocks):
                self.encoder[f"{name}_block{i}"] = self.block(now, wide, heads=self.heads(size, wide))
                now = wide
                self.skips.append(now)
        self.width, (size, _) = now, sizes.levels[-1]
        self.decoder = nn.ModuleDict()
        self.decoder[f"{size}x{size}_in0"] = self.block(now, now, heads=self.heads(None, now))
        self.decoder[f"{size}x{size}_in1"] = self.block(now, now)

    def heads(self, size: int | None, channels: int, fixed: int | None = None) -> int:
        """Heads of the attention over so many channels at that resolution; 0: there is none. None: the middle."""
        if size is not None and size not in self.sizes.attention:
            return 0
        fixed = fixed or self.sizes.heads
        if fixed is None:
            return heads(channels, self.sizes.head_channels) if self.kind.adm else 1
        if channels % fixed:
            raise Refused(f"heads = {fixed}: must divide the {channels} channels that attention has there")
        return fixed

    def block(self, inputs: int, outputs: int, heads: int = 0, resample: str = "") -> Block:
        kind = self.kind
        return Block(
            inputs, outputs, 4 * self.sizes.channels, resample=resample, filter=kind.filter, heads=heads,
            dropout=self.sizes.dropout, adaptive=kind.adm, skip_scale=1.0 if kind.adm else math.sqrt(0.5),
            eps=self.eps, project=not kind.adm, count=self.sizes.groups,
        )  # fmt: skip

    def norm(self, channels: int) -> GroupNorm:
        return GroupNorm(groups(channels, self.sizes.groups), channels, self.eps)

    @property
    def eps(self) -> float:
        return 1e-5 if self.kind.adm else 1e-6

    @property
    def dtype(self) -> torch.dtype:
        return self.embedding.layer0.weight.dtype

    def _apply(self, fn: Callable[[torch.Tensor], torch.Tensor], recurse: bool = True) -> Self:
        def placed(tensor):
            made = fn(tensor)
            there = made.ndim == 4 and made.device != tensor.device
            return made.clone(memory_format=layout(made.device)) if there else made  # strides of 1×1, too

        return super()._apply(placed, recurse)

    def initialize(self) -> None:
        """Glorot's uniform weights; branches that join a skip, and the output, start at almost nothing. To be called
        once all layers are there."""
        for name, module in self.named_modules():
            if isinstance(module, nn.Linear | nn.Conv2d):
                last = name.rsplit(".", 1)[-1]
                gain = 1e-5 if last in ("conv1", "proj", "out_conv") else math.sqrt(0.2) if last == "qkv" else 1.0
                nn.init.xavier_uniform_(module.weight, gain)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        if self.embedding.level is not None:
            nn.init.zeros_(self.embedding.level.weight)
        self.to(memory_format=layout(self.embedding.layer0.weight.device))

    def encoded(
        self,
        x: torch.Tensor,
        c_noise: torch.Tensor,
        labels: torch.Tensor | None,
        augment: torch.Tensor | None,
        level: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor, list[torch.Tensor]]:
        """(what leaves the middle [B, width, h, w], the embedding [B or 1, E], what the encoder hands over)."""
        embedding = self.embedding(c_noise, labels, augment, level)
        pyramid, skips = x, []
        for name, layer in self.encoder.items():
            if name.endswith("_aux_residual"):
                x = skips[-1] = pyramid = layer(pyramid).add_(x).mul_(math.sqrt(0.5))
            else:
                x = computed(layer, x, embedding, again=self.checkpointing) if isinstance(layer, Block) else layer(x)
                skips.append(x)
        for name, layer in self.decoder.items():
            if name.endswith(MIDDLE):
                x = computed(layer, x, embedding, again=self.checkpointing)
        return x, embedding, skips
