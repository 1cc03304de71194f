"""Averaged weights: θ_ema ← β·θ_ema + (1 − β)·θ, β = ½^(batch/H), H = min(half-life, ramp · images seen)."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import nn


class Ema:
    """Several averages of one network's parameters and buffers, each with a half-life in images.

    ramp: H is at most this share of the images seen, so that the random start is soon forgotten; None: never.
    """

    def __init__(self, network: nn.Module, half_lives: Sequence[float], ramp: float | None):
        self.half_lives, self.ramp = tuple(half_lives), ramp
        self.networks = [copy.deepcopy(network).eval().requires_grad_(False) for _ in half_lives]
        self._averages = [list(n.parameters()) for n in self.networks]

    @torch.no_grad()
    def update(self, network: nn.Module, images: int, batch: int) -> None:
        """After a step of `batch` images, `images` having been seen before it."""
        weights = list(network.parameters())
        for half_life, averages in zip(self.half_lives, self._averages, strict=True):
            span = half_life if self.ramp is None else min(half_life, self.ramp * images)
            beta = 0.5 ** (batch / max(span, 1e-8))
            torch._foreach_lerp_(averages, weights, 1 - beta)
