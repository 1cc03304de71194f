"""Group normalization of images that lie channels last on the CPU, with what comes after it: f(x̂·γ + β), f = SiLU or
nothing, where x̂ is x normalized in groups of channels, and γ, β are [C] or [B, C].

Torch walks through small images of that kind group by group, a few numbers at a time, and there and back takes twice
as long in bf16. Here each pass goes through memory from end to end: x̂·γ + β = a·x + b with a, b [B, C] from each
channel's sums of x and x². Sums and coefficients are float32 (float64 of float64), whatever the images are.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional

PIXELS = 1024  # from which on torch, too, goes through an image from end to end, on its way there
_HALF = (torch.bfloat16, torch.float16)


def worth(x: torch.Tensor, back: bool) -> bool:
    """Whether images are sooner done here than by torch, there or there and back: the small operations around the
    passes take their time, too."""
    if x.device.type != "cpu" or x.ndim != 4 or torch.compiler.is_compiling():
        return False
    least = 1 << (14 if x.dtype in _HALF else 18 if back else 16)
    large = not back and x.shape[2] * x.shape[3] >= PIXELS
    return x.numel() >= least and not large and x.is_contiguous(memory_format=torch.channels_last)


def normalized(
    x: torch.Tensor, gamma: torch.Tensor, beta: torch.Tensor, groups: int, eps: float, silu: bool
) -> torch.Tensor:
    """f(x̂·γ + β) of images x [B, C, H, W]; no way back."""
    return _there(x, gamma, beta, groups, eps, silu)[0]


class Normalized(torch.autograd.Function):
    """The same with a way back, for which x is kept, and nothing else of its size."""

    @staticmethod
    def forward(ctx: Any, x, gamma, beta, groups, eps, silu):
        y, mean, rstd = _there(x, gamma, beta, groups, eps, silu)
        ctx.save_for_backward(x, gamma, beta, mean, rstd)
        ctx.silu = silu
        return y

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, dy):
        x, gamma, beta, mean, rstd = ctx.saved_tensors
        a, b = _coefficients(gamma, beta, mean, rstd)
        wide = _wide(x)
        dz = dy.to(wide.dtype)
        if ctx.silu:
            z = torch.addcmul(_map(b), wide, _map(a))
            dz = torch.ops.aten.silu_backward.grad_input(dz, z, grad_input=z)
        d_beta, both = (total.view(a.shape) for total in (dz.sum((2, 3)), (dz * wide).sum((2, 3))))
        d_gamma = torch.addcmul(both, d_beta, mean, value=-1).mul_(rstd)  # the sum of dz·x̂
        of_beta, of_gamma = (d.mul(gamma.view(-1, *a.shape[1:])).sum(2, keepdim=True) for d in (d_beta, d_gamma))
        number = a.shape[2] * x.shape[2] * x.shape[3]
        slope = of_gamma.mul_(rstd).mul_(rstd).div_(-number)
        offset = torch.addcmul(of_beta.mul_(rstd).div_(-number), slope, mean, value=-1)
        slope, offset = (_map(part.expand(a.shape)) for part in (slope, offset))
        dx = torch.addcmul(offset, wide, slope, out=wide if wide is not x else None)
        dx.addcmul_(dz, _map(a))  # dx = a·dz + slope·x + offset
        gradients = (_as(gradient, of) for gradient, of in ((d_gamma, gamma), (d_beta, beta)))
        return dx.to(x.dtype), *gradients, None, None, None


def _there(x, gamma, beta, groups, eps, silu):
    """(f(x̂·γ + β), mean and 1/√(variance + ε) of each group [B, G, 1])."""
    batch, channels, height, width = x.shape
    if height * width >= PIXELS and gamma.ndim == 1:
        y, mean, rstd = torch.native_group_norm(x, gamma, beta, batch, channels, height * width, groups, eps)
        return functional.silu(y, inplace=True) if silu else y, mean[:, :, None], rstd[:, :, None]
    wide = _wide(x)
    sums = torch.stack([wide.sum((2, 3)), wide.square().sum((2, 3))]).view(2, batch, groups, -1)
    mean, square = sums.sum(3, keepdim=True).div_(channels * height * width // groups).unbind()
    rstd = torch.addcmul(square, mean, mean, value=-1).clamp_(min=0).add_(eps).rsqrt_()
    a, b = _coefficients(gamma, beta, mean, rstd)
    y = torch.addcmul(_map(b), wide, _map(a), out=wide if wide is not x else None)
    return (functional.silu(y, inplace=True) if silu else y).to(x.dtype), mean, rstd


def _coefficients(gamma, beta, mean, rstd):
    """a and b of x̂·γ + β = a·x + b, [B, G, channels of a group]."""
    groups = mean.shape[1]
    a = gamma.view(-1, groups, gamma.shape[-1] // groups) * rstd
    return a, torch.addcmul(beta.view(-1, *a.shape[1:]), mean, a, value=-1)


def _wide(x):
    """x in the type that it is computed in; a copy where that is another one."""
    return x.float() if x.dtype in _HALF else x


def _map(coefficients):
    return coefficients.flatten(1)[:, :, None, None]


def _as(gradient, of):
    """[B, G, channels of a group] as the gradient of what is [B, C] or [C]."""
    gradient = gradient.flatten(1)
    return (gradient if of.ndim == 2 else gradient.sum(0)).to(of.dtype)
