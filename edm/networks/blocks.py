"""The parts that U-Nets are made of: noise embeddings, resampling, attention and the residual block.

Images are [B, C, H, W]; how they lie in memory, `layout` says. Resampling convolves with the outer product of a filter,
normalized (×4 when upsampling), at stride 2.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from edm.base.errors import Refused
from edm.networks import norms

BOX = (1, 1)
PLAIN = (
    "cuda",
    "meta",
)  # kinds of devices on which torch's norms give back images channel by channel, or are counted as there


def groups(channels: int, count: int | None = None) -> int:
    """Groups of a normalization: min(32, C/4), or the next lower number that divides C; or the given count."""
    if count is not None:
        if channels % count:
            raise Refused(f"groups = {count}: must divide the {channels} channels that are normalized there")
        return count
    return next(count for count in range(min(32, channels // 4), 0, -1) if channels % count == 0)


def computed(layer: nn.Module, *inputs: torch.Tensor, again: bool = False) -> torch.Tensor:
    """layer(*inputs). again: what a step of training needs on its way back is not kept, but computed again there."""
    if again and layer.training and torch.is_grad_enabled():
        return checkpoint(layer, *inputs, use_reentrant=False)
    return layer(*inputs)


def layout(device: torch.device) -> torch.memory_format:
    """How images and convolutions' weights lie in memory there: channels last, in which convolutions are quicker, but
    not where norms give images back channel by channel, and each convolution would have to turn them round again."""
    return torch.contiguous_format if device.type in PLAIN else torch.channels_last


class GroupNorm(nn.GroupNorm):
    """In the type of its images, of which autocast on a GPU would make float32: half the memory; and what follows it in
    a block: · (scale + 1) + shift, both [B, C] or [1, C], then SiLU."""

    def forward(
        self,
        input: torch.Tensor,
        scale: torch.Tensor | None = None,
        shift: torch.Tensor | None = None,
        silu: bool = False,
    ) -> torch.Tensor:
        back = self.training and torch.is_grad_enabled()
        if norms.worth(input, back) and (back or not _asks(input, self.weight, scale)):
            gamma, beta = self.weight, self.bias
            if scale is not None and shift is not None:
                scale = scale.to(gamma.dtype) + 1
                gamma, beta = gamma * scale, torch.addcmul(shift.to(gamma.dtype), beta, scale)
            function = norms.Normalized.apply if back else norms.normalized
            return function(input, gamma, beta, self.num_groups, self.eps, silu)
        h = self._normalized(input)
        if scale is not None and shift is not None:
            scale, shift = scale[:, :, None, None].to(h.dtype), shift[:, :, None, None].to(h.dtype)
            h = torch.addcmul(shift, h, scale + 1)
        return functional.silu(h, inplace=not h.requires_grad) if silu else h

    def _normalized(self, input):
        low = input.dtype in (torch.float16, torch.bfloat16) and input.device.type not in ("cpu", "mps")
        if not low or torch.compiler.is_compiling():
            return super().forward(input)
        weight, bias = self.weight.to(input.dtype), self.bias.to(input.dtype)
        batch, channels, *pixels = input.shape
        sizes = batch, channels, math.prod(pixels), self.num_groups
        laid = input.contiguous(memory_format=layout(input.device))
        return torch.native_group_norm(laid, weight, bias, *sizes, self.eps)[0]


def _asks(*tensors):
    """Whether anybody asks for gradients of what is computed of these."""
    return torch.is_grad_enabled() and any(tensor is not None and tensor.requires_grad for tensor in tensors)


class Positional(nn.Module):
    """[B] -> [B, C]: sine and cosine of c_noise·10000^(−k/(K−1)), K = C/2; without `endpoint`, −k/K.

    sin_first: the order of the halves.
    """

    def __init__(self, channels: int, endpoint: bool, sin_first: bool):
        super().__init__()
        self.waves, self.endpoint, self.sin_first = channels // 2, endpoint, sin_first

    def forward(self, c_noise: torch.Tensor) -> torch.Tensor:
        k = torch.arange(self.waves, dtype=torch.float32, device=c_noise.device)
        angle = c_noise.float()[:, None] * torch.exp(k * (-math.log(10000) / max(self.waves - self.endpoint, 1)))
        waves = (angle.sin(), angle.cos()) if self.sin_first else (angle.cos(), angle.sin())
        return torch.cat(waves, dim=1)


class Fourier(nn.Module):
    """[B] -> [B, C]: sine, then cosine, of 2π·f·c_noise at C/2 fixed frequencies f ~ N(0, scale²)."""

    freqs: torch.Tensor

    def __init__(self, channels: int, scale: float = 16):
        super().__init__()
        self.register_buffer("freqs", torch.randn(channels // 2, device="cpu") * scale)

    def forward(self, c_noise: torch.Tensor) -> torch.Tensor:
        angle = c_noise.float()[:, None] * (2 * math.pi * self.freqs)
        return torch.cat([angle.sin(), angle.cos()], dim=1)


class Resample(nn.Module):
    """Half or double the resolution with a filter such as (1, 1) or (1, 3, 3, 1)."""

    kernel: torch.Tensor

    def __init__(self, channels: int, filter: Sequence[float] = BOX, up: bool = False, padding: int | None = None):
        super().__init__()
        self.up, self.box = up, tuple(filter) == BOX
        self.padding = (len(filter) - 1) // 2 if padding is None else padding
        if not self.box:
            kernel = torch.tensor(filter, dtype=torch.float32, device="cpu")  # even where the rest is on "meta"
            kernel = kernel.outer(kernel) / kernel.sum() ** 2 * (4 if up else 1)
            self.register_buffer("kernel", kernel.expand(channels, 1, -1, -1).clone(), persistent=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.box:
            return (
                functional.interpolate(x, scale_factor=2.0, mode="nearest") if self.up else functional.avg_pool2d(x, 2)
            )
        convolve = functional.conv_transpose2d if self.up else functional.conv2d
        return convolve(x, self.kernel.to(x.dtype), stride=2, padding=self.padding, groups=x.shape[1])


class ShrinkingConv(nn.Conv2d):
    """A 3×3 convolution and a downsampling, both padded at once: NCSN++'s input pyramid."""

    def __init__(self, in_channels: int, out_channels: int, filter: Sequence[float]):
        margin = (len(filter) - 1) // 2
        super().__init__(in_channels, out_channels, 3, padding=1 + margin)
        self.resample = Resample(out_channels, filter, padding=0)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.resample(super().forward(x))


def _attended(q, k, v):
    """Of each head. In half precision the CPU's way back takes longer than in float32."""
    if q.device.type != "cpu" or not (torch.is_grad_enabled() and torch.is_autocast_enabled("cpu")):
        return functional.scaled_dot_product_attention(q, k, v)
    with torch.autocast("cpu", enabled=False):
        return functional.scaled_dot_product_attention(q.float(), k.float(), v.float())


class Attention(nn.Module):
    """Self-attention over all pixels: normalize, qkv, attend in each head, project. Channels of qkv are laid out
    ({q, k, v}, head, channel), so that each of the three is one stride."""

    def __init__(self, channels: int, heads: int, eps: float, count: int | None = None):
        super().__init__()
        self.heads = heads
        self.norm = GroupNorm(groups(channels, count), channels, eps)
        self.qkv = nn.Conv2d(channels, 3 * channels, 1)
        self.proj = nn.Conv2d(channels, channels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, channels, height, width = x.shape
        qkv = self.qkv(self.norm(x)).permute(0, 2, 3, 1).reshape(batch, height * width, 3, self.heads, -1)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        attended = _attended(q, k, v).transpose(1, 2).reshape(batch, height, width, channels)
        return self.proj(attended.permute(0, 3, 1, 2).contiguous(memory_format=layout(x.device)))


class Block(nn.Module):
    """norm0 → SiLU → (resample) conv0 → + embedding → norm1 → SiLU → dropout → conv1 → + skip → · skip_scale,
    and attention with a skip of its own, where `heads` > 0.

    adaptive: the embedding scales and shifts norm1's output, instead of being added before it.
    resample: "", "down" or "up"; project: put a 1×1 convolution on the skip of a resampling block. count: of `groups`.
    """

    def __init__(
        self, in_channels: int, out_channels: int, embedding: int, *, resample: str = "",
        filter: Sequence[float] = BOX, heads: int = 0, dropout: float = 0.0, adaptive: bool = False,
        skip_scale: float = 1.0, eps: float = 1e-6, project: bool = True, count: int | None = None,
    ):  # fmt: skip
        super().__init__()
        self.adaptive, self.skip_scale = adaptive, skip_scale
        self.norm0 = GroupNorm(groups(in_channels, count), in_channels, eps)
        self.resample = Resample(in_channels, filter, up=resample == "up") if resample else None
        self.conv0 = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.affine = nn.Linear(embedding, out_channels * (2 if adaptive else 1))
        self.norm1 = GroupNorm(groups(out_channels, count), out_channels, eps)
        self.dropout = nn.Dropout(dropout)
        self.conv1 = nn.Conv2d(out_channels, out_channels, 3, padding=1)
        change = in_channels != out_channels or (resample and project)
        self.skip = nn.Conv2d(in_channels, out_channels, 1) if change else None
        self.attention = Attention(out_channels, heads, eps, count) if heads else None

    def forward(self, x: torch.Tensor, embedding: torch.Tensor) -> torch.Tensor:
        h = self.norm0(x, silu=True)
        if self.resample is not None:
            h, x = self.resample(h), self.resample(x)
        h, conditions = self.conv0(h), self.affine(embedding)
        if self.adaptive:
            scale, shift = conditions.chunk(2, dim=1)
            h = self.norm1(h, scale, shift, silu=True)
        else:
            h = self.norm1(h.add_(conditions[:, :, None, None]), silu=True)
        h = self.conv1(self.dropout(h))
        x = self._joined(h, x if self.skip is None else self.skip(x))
        return x if self.attention is None else self._joined(self.attention(x), x)

    def _joined(self, h, x):
        """(x + h) · skip_scale in the memory of h, which comes of a convolution: no way back asks for it."""
        h = h.add_(x)
        return h.mul_(self.skip_scale) if self.skip_scale != 1 else h
