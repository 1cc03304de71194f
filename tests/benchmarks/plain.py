"""Plain networks that compute the same as ours: what an optimization is worth beside code that has none."""

from __future__ import annotations

import copy
import statistics
import time

import torch
from torch import nn
from torch.nn import functional

from edm.networks.blocks import Attention, Resample


class PlainAttention(nn.Module):
    """The same attention, with the weights of all pixels written out."""

    def __init__(self, attention: Attention):
        super().__init__()
        self.norm, self.qkv, self.proj, self.heads = attention.norm, attention.qkv, attention.proj, attention.heads

    def forward(self, x):
        batch, channels = x.shape[:2]
        q, k, v = self.qkv(self.norm(x)).view(batch, 3, self.heads, channels // self.heads, -1).unbind(1)
        weights = torch.einsum("bhcq,bhck->bhqk", q, k / (channels // self.heads) ** 0.5).softmax(3)
        return self.proj(torch.einsum("bhqk,bhck->bhcq", weights, v).reshape(x.shape))


class PlainResample(nn.Module):
    """The same resampling, as a convolution with its filter."""

    def __init__(self, resample: Resample):
        super().__init__()
        self.up = resample.up

    def forward(self, x):
        kernel = torch.full((x.shape[1], 1, 2, 2), 1.0 if self.up else 0.25, dtype=x.dtype, device=x.device)
        convolve = functional.conv_transpose2d if self.up else functional.conv2d
        return convolve(x, kernel, stride=2, groups=x.shape[1])


def plain(network):
    """The network as one would write it first: NCHW, attention and resampling written out."""
    network = copy.deepcopy(network).to(memory_format=torch.contiguous_format)
    for module in list(network.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, Attention):
                setattr(module, name, PlainAttention(child))
            elif isinstance(child, Resample):
                setattr(module, name, PlainResample(child))
    return network


def side_by_side(one, other, repeats=9):
    """(time(other) / time(one) of each repeat, the two taking turns; milliseconds of one, of the other)."""
    ratios, times = [], []
    for run in (one, other):
        run()
    for _ in range(repeats):
        taken = []
        for run in (one, other, other, one):
            start = time.perf_counter()
            run()
            taken.append(time.perf_counter() - start)
        ratios.append((taken[1] + taken[2]) / (taken[0] + taken[3]))
        times.append((500 * (taken[0] + taken[3]), 500 * (taken[1] + taken[2])))
    return tuple(ratios), *(statistics.median(column) for column in zip(*times, strict=True))
