"""Inception v3 as the usual FID takes it: TensorFlow's graph of 2015-12-05 (Szegedy et al. 2015), up to 2048 features.

    uint8 [B, 3, H, W] → 299×299, bilinear as TensorFlow 1 did: row i from i·H/299 → (x − 128)/128 → layers → mean

It differs from torchvision's: averages leave out the padding, and the last block takes a maximum where the paper has
an average. Each convolution is followed by a normalization with fixed moments, which is folded into it. The weights
are in a file of somebody else's; see `edm.evaluation.weights`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import torch
from torch import nn

from edm.base.errors import Refused

SIDE, FEATURES, CLASSES = 299, 2048, 1008
EPSILON = 1e-3  # of its normalization


class _Layer(NamedTuple):
    """A convolution: its names in both kinds of file, channels that it makes, (height, width) of its kernel."""

    name: str
    published: str
    width: int
    kernel: int | tuple[int, int] = 1
    stride: int = 1
    padded: bool = True  # so that the size stays, where the stride is 1


class Convolution(nn.Module):
    """ReLU(weight ∗ x + bias). layer: what it is, and what it is called in files."""

    def __init__(self, channels: int, layer: _Layer, places: tuple[str, str]):
        super().__init__()
        height, width = (layer.kernel, layer.kernel) if isinstance(layer.kernel, int) else layer.kernel
        padding = (height // 2, width // 2) if layer.padded and layer.stride == 1 else 0
        kernel = (layer.width, channels, height, width)
        self.weight, self.bias = (nn.Parameter(torch.empty(shape)) for shape in (kernel, layer.width))
        self.stride, self.padding = layer.stride, padding
        self.places = f"{places[0]}{layer.name}", f"{places[1]}{layer.published}"

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.conv2d(x, self.weight, self.bias, self.stride, self.padding).relu_()

    def take(self, values: Mapping[str, torch.Tensor], published: bool) -> None:
        """Fold γ·(weight ∗ x − mean)/√(var + ε) + β, in float64."""
        weight, gamma, beta, mean, variance = (values[name].double() for name in self.names(published, full=True))
        scale = gamma / (variance + EPSILON).sqrt()
        with torch.no_grad():
            self.weight.copy_(weight * scale[:, None, None, None])
            self.bias.copy_(beta - mean * scale)

    def names(self, published: bool, full: bool = False) -> list[str]:
        """Of its tensors: weight, γ, β, mean and variance. The published file has no γ, which is 1 there."""
        if published:
            place = self.places[1]
            return [f"{place}.{part}" for part in ("weight", *(["gamma"] if full else []), "beta", "mean", "var")]
        parts = ("conv.weight", "bn.weight", "bn.bias", "bn.running_mean", "bn.running_var")
        return [f"{self.places[0]}.{part}" for part in parts]


class _Side(nn.ModuleList):
    """Branches beside each other: what they make of the same input, one after the other in the channels."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([branch(x) for branch in self], 1)


def _average():
    return nn.AvgPool2d(3, 1, 1, count_include_pad=False)


def _a(pool):
    return [
        [_Layer("branch1x1", "conv", 64)],
        [_Layer("branch5x5_1", "tower.conv", 48), _Layer("branch5x5_2", "tower.conv_1", 64, 5)],
        [
            _Layer("branch3x3dbl_1", "tower_1.conv", 64),
            _Layer("branch3x3dbl_2", "tower_1.conv_1", 96, 3),
            _Layer("branch3x3dbl_3", "tower_1.conv_2", 96, 3),
        ],
        [_average(), _Layer("branch_pool", "tower_2.conv", pool)],
    ]


def _b():
    return [
        [_Layer("branch3x3", "conv", 384, 3, 2)],
        [
            _Layer("branch3x3dbl_1", "tower.conv", 64),
            _Layer("branch3x3dbl_2", "tower.conv_1", 96, 3),
            _Layer("branch3x3dbl_3", "tower.conv_2", 96, 3, 2),
        ],
        [nn.MaxPool2d(3, 2)],
    ]


def _c(inner):
    wide, high = (1, 7), (7, 1)
    return [
        [_Layer("branch1x1", "conv", 192)],
        [
            _Layer("branch7x7_1", "tower.conv", inner),
            _Layer("branch7x7_2", "tower.conv_1", inner, wide),
            _Layer("branch7x7_3", "tower.conv_2", 192, high),
        ],
        [
            _Layer("branch7x7dbl_1", "tower_1.conv", inner),
            _Layer("branch7x7dbl_2", "tower_1.conv_1", inner, high),
            _Layer("branch7x7dbl_3", "tower_1.conv_2", inner, wide),
            _Layer("branch7x7dbl_4", "tower_1.conv_3", inner, high),
            _Layer("branch7x7dbl_5", "tower_1.conv_4", 192, wide),
        ],
        [_average(), _Layer("branch_pool", "tower_2.conv", 192)],
    ]


def _d():
    return [
        [_Layer("branch3x3_1", "tower.conv", 192), _Layer("branch3x3_2", "tower.conv_1", 320, 3, 2)],
        [
            _Layer("branch7x7x3_1", "tower_1.conv", 192),
            _Layer("branch7x7x3_2", "tower_1.conv_1", 192, (1, 7)),
            _Layer("branch7x7x3_3", "tower_1.conv_2", 192, (7, 1)),
            _Layer("branch7x7x3_4", "tower_1.conv_3", 192, 3, 2),
        ],
        [nn.MaxPool2d(3, 2)],
    ]


def _e(pool):
    def fork(name, published):
        return [
            [_Layer(f"{name}a", f"{published}_conv", 384, (1, 3))],
            [_Layer(f"{name}b", f"{published}_conv_1", 384, (3, 1))],
        ]

    return [
        [_Layer("branch1x1", "conv", 320)],
        [_Layer("branch3x3_1", "tower_conv", 384), fork("branch3x3_2", "tower_mixed")],
        [
            _Layer("branch3x3dbl_1", "tower_1_conv", 448),
            _Layer("branch3x3dbl_2", "tower_1_conv_1", 384, 3),
            fork("branch3x3dbl_3", "tower_1_mixed"),
        ],
        [pool, _Layer("branch_pool", "tower_2_conv", 192)],
    ]


def _mixed():
    """(name, published name, branches) of the blocks."""
    blocks = [_a(32), _a(64), _a(64), _b(), _c(128), _c(160), _c(160), _c(192), _d()]
    blocks += [_e(_average()), _e(nn.MaxPool2d(3, 1, 1))]
    names = ("5b", "5c", "5d", "6a", "6b", "6c", "6d", "6e", "7a", "7b", "7c")
    for number, (name, branches) in enumerate(zip(names, blocks, strict=True)):
        yield f"Mixed_{name}.", f"layers.mixed{f'_{number}' if number else ''}.", branches


def _chain(channels: int, parts, places) -> tuple[nn.Sequential, int]:
    """Layers one after the other, and how many channels come out. A list among them is branches beside each other."""
    made: list[nn.Module] = []
    for part in parts:
        if isinstance(part, _Layer):
            made.append(Convolution(channels, part, places))
            channels = part.width
        elif isinstance(part, list):
            branches = [_chain(channels, branch, places) for branch in part]
            made.append(_Side(branch for branch, _ in branches))
            channels = sum(width for _, width in branches)
        else:
            made.append(part)
    return nn.Sequential(*made), channels


class Inception(nn.Module):
    """images uint8 [B, 1 or 3, H, W] -> features [B, 2048] in float32. Its weights are whatever was in memory."""

    def __init__(self):
        super().__init__()
        stem = [
            _Layer("Conv2d_1a_3x3", "conv", 32, 3, 2),
            _Layer("Conv2d_2a_3x3", "conv_1", 32, 3, padded=False),
            _Layer("Conv2d_2b_3x3", "conv_2", 64, 3),
            nn.MaxPool2d(3, 2),
            _Layer("Conv2d_3b_1x1", "conv_3", 80),
            _Layer("Conv2d_4a_3x3", "conv_4", 192, 3, padded=False),
            nn.MaxPool2d(3, 2),
        ]
        first, channels = _chain(3, stem, ("", "layers."))
        blocks = [first]
        for name, published, branches in _mixed():
            block, channels = _chain(channels, [branches], (name, published))
            blocks.append(block)
        self.blocks = nn.Sequential(*blocks)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        if images.shape[1] not in (1, 3):
            raise Refused(f"Inception sees images of 1 or 3 channels, and these have {images.shape[1]}")
        x = stretched(images)
        return self.blocks(((x - 128) / 128).expand(-1, 3, -1, -1)).mean((2, 3))

    def convolutions(self) -> Iterator[Convolution]:
        return (module for module in self.modules() if isinstance(module, Convolution))


def stretched(images: torch.Tensor) -> torch.Tensor:
    """Images uint8 [B, C, H, W] as float32 [B, C, 299, 299]: number i lies at i·n/299 of n along each axis, between two
    of them or on the last."""
    x = images.float()
    for axis in (3, 2):
        x = x if x.shape[axis] == SIDE else _along(x, axis)
    return x


def _along(x, axis) -> torch.Tensor:
    size = x.shape[axis]
    at = torch.arange(SIDE, dtype=torch.float32, device=x.device) * (size / SIDE)
    low = at.long()
    first, second = x.index_select(axis, low), x.index_select(axis, (low + 1).clamp(max=size - 1))
    return first + (second - first) * (at - low).view([-1 if k == axis else 1 for k in range(4)])
