"""Networks by name. All take F(x, c_noise, labels=None, augment=None); see `edm.networks.unet`.

To add one, put a `Network` into NETWORKS: settings, command line and tests read it there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from edm.base import allocation
from edm.base.errors import Refused

if TYPE_CHECKING:
    from torch import nn

AUGMENT_DIM = 9  # parameters of the non-leaky augmentation


@dataclass(frozen=True)
class Network:
    """title: for people. images: whether it takes [B, C, H, W] (else [B, d]). build: the constructor."""

    name: str
    title: str
    images: bool
    build: Callable


def _unet(name, **config):
    from edm.networks.encoder import KINDS, Sizes
    from edm.networks.unet import UNet

    return UNet(KINDS[name], Sizes(**config))


def _half(**config):
    from edm.networks.encoder import KINDS, Sizes
    from edm.networks.half import HalfUNet

    return HalfUNet(KINDS["adm"], Sizes(**config))


def _mlp(**config):
    from edm.networks.mlp import MLP

    return MLP(**config)


NETWORKS = {
    network.name: network
    for network in (
        Network("mlp", "MLP", False, _mlp),
        Network("ddpmpp", "DDPM++", True, partial(_unet, "ddpmpp")),
        Network("ncsnpp", "NCSN++", True, partial(_unet, "ncsnpp")),
        Network("adm", "ADM", True, partial(_unet, "adm")),
    )
}

CLASSIFIERS = {  # F(x, c_noise) -> logits [B, out_channels]; not for settings to choose
    network.name: network for network in (NETWORKS["mlp"], Network("half", "half a U-Net", True, _half))
}


def build(
    name: str, *, in_channels: int, out_channels: int | None = None, resolution: int | None = None, channels: int = 128,
    channel_mult: tuple[float, ...] = (1, 2, 2, 2), blocks: int = 4, attention: tuple[int, ...] = (16,),
    classes: int = 0, augment_dim: int = 0, dropout: float = 0.0, stem: int | None = None,
    heads: int | None = None, decoder_heads: int | None = None, head_channels: int = 64, groups: int | None = None,
    level: bool = False,
) -> nn.Module:  # fmt: skip
    """A network with fresh weights (of torch's random state), in evaluation mode.

    in_channels: C of images or d of points; out_channels: the same by default (twice as many: with a variance); of one
    in CLASSIFIERS the classes.
    blocks: residual blocks a level, or in all for "mlp". Of images only are resolution, channel_mult, attention, and
    stem: channels after the first convolution (None: `channels`); heads: of each attention (None: one, or of "adm" one
    for every `head_channels` channels), and those of the decoder's, where they differ; groups: of each normalization
    (None: min(32, C/4) of C channels); level: an upsampler is told the noise level of its low-resolution image.
    Raises ValueError for an unknown name and for sizes that do not fit together.
    """
    known = NETWORKS | CLASSIFIERS
    if name not in known:
        raise Refused(f"there is no network {name!r}; there are {', '.join(NETWORKS)}")
    config = {"in_channels": in_channels, "out_channels": out_channels or in_channels, "channels": channels}
    config |= {"blocks": blocks, "classes": classes, "augment_dim": augment_dim, "dropout": dropout}
    if channels < 4 or channels % 4:
        raise Refused(f"channels = {channels}: must be a multiple of 4, for groups of channels are normalized")
    if blocks < 1 or not 0 <= dropout < 1:
        raise Refused(f"blocks = {blocks}, dropout = {dropout}: there must be 1 block or more, and dropout below 1")
    if known[name].images:
        _check_image_sizes(resolution, channel_mult)
        config |= {"resolution": resolution, "channel_mult": tuple(channel_mult), "attention": tuple(attention)}
        config |= {"stem": stem, "heads": heads, "decoder_heads": decoder_heads}
        config |= {"head_channels": head_channels, "groups": groups, "level": level}
        if any((channels * mult) % 1 or channels * mult < 4 for mult in channel_mult):
            widths = [channels * mult for mult in channel_mult]
            raise Refused(f"channel_mult = {list(channel_mult)}: widths of {widths} must be whole numbers from 4 on")
    allocation.keep()
    return known[name].build(**config).eval()


def levels(resolution: int, channel_mult: Sequence[float]) -> tuple[int, ...]:
    """The resolutions of a network's levels, each half of the one before; () if it cannot be halved so often."""
    sizes = tuple(resolution >> level for level in range(len(channel_mult)))
    return sizes if sizes and sizes[-1] << (len(sizes) - 1) == resolution else ()


def _check_image_sizes(resolution, channel_mult):
    if not channel_mult or min(channel_mult) <= 0:
        raise Refused(f"channel_mult = {list(channel_mult)}: must be one multiplier above 0 for each level")
    halvings = len(channel_mult) - 1
    if not resolution or resolution % (1 << halvings) or resolution >> halvings < 1:
        raise Refused(
            f"resolution = {resolution} cannot be halved {halvings} times, as the {halvings + 1} levels of "
            f"channel_mult = {list(channel_mult)} need; use fewer levels"
        )


def parameters(network: nn.Module) -> int:
    """The number of trainable parameters."""
    return sum(p.numel() for p in network.parameters())
