"""Non-leaky augmentation (EDM, section 5 and appendix F.2): images are transformed before noise is added, and the
network is told how, by a condition of nine numbers that is zero at sampling.

An image whose condition is zero is untouched, and whatever is done shows in the condition: given zero, the network
sees the data's own distribution, and nothing of the transformations can leak into samples.

    x-flip (1)                          half of the images
    y-flip (1)                          each of these with probability p
    isotropic scale 2^(0.2·n) (1): n
    rotation θ ~ U(−π, π) (2): cos θ − 1, sin θ
    anisotropic scale 2^(0.2·n) along an axis at angle φ (2): n·cos φ, n·sin φ
    translation 0.125·n of the size (2): n_x, n_y
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from edm.base.transfers import sent

if TYPE_CHECKING:
    import numpy as np

SCALE, SHIFT = 0.2, 0.125


class Augmentation:
    """p: probability of each transformation but x-flip, whose probability is ½. width: uniform numbers it needs."""

    width = 12

    def __init__(self, p: float):
        self.p = p

    def __call__(self, images: torch.Tensor, uniforms: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        """images [B, C, H, W], uniforms [B, width] in (0, 1). Returns (images like before, condition [B, 9])."""
        told = {name: sent(number, images.device) for name, number in self.told(uniforms).items()}
        return transformed(images, told), told["condition"].to(images)

    def told(self, uniforms: np.ndarray) -> dict[str, torch.Tensor]:
        """What is done to B images, by uniforms [B, width] in (0, 1): condition [B, 9], float64; x_flip, y_flip [B];
        and, where any are, moved [M]: which of them are moved, and inverse [M, 2, 3]: from where."""
        u = torch.as_tensor(uniforms, dtype=torch.float64)
        x_flip, y_flip = u[:, 0] < 0.5, u[:, 1] < self.p
        chosen = u[:, 2:6] < self.p  # scale, rotation, anisotropic scale, translation
        normal = torch.special.ndtri(u[:, [6, 8, 10, 11]])
        scale = torch.where(chosen[:, 0], normal[:, 0], 0)
        angle = torch.where(chosen[:, 1], (2 * u[:, 7] - 1) * math.pi, 0)
        stretch = torch.where(chosen[:, 2], normal[:, 1], 0)
        axis = (2 * u[:, 9] - 1) * math.pi
        shift = torch.where(chosen[:, 3, None], normal[:, 2:], 0)
        condition = torch.stack(
            [x_flip.double(), y_flip.double(), scale, angle.cos() - 1, angle.sin(), stretch * axis.cos(),
             stretch * axis.sin(), shift[:, 0], shift[:, 1]], dim=1,
        )  # fmt: skip
        told = {"condition": condition, "x_flip": x_flip, "y_flip": y_flip}
        moved = chosen.any(1).nonzero().flatten()
        if len(moved):
            inverse = _inverse(scale[moved], angle[moved], stretch[moved], axis[moved], shift[moved])
            told |= {"moved": moved, "inverse": inverse}
        return told


def transformed(images: torch.Tensor, told: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """Images [B, C, H, W] as `Augmentation.told` says, whose tensors lie beside them."""
    out = torch.where(told["x_flip"].view(-1, 1, 1, 1), images.flip(3), images)
    out = torch.where(told["y_flip"].view(-1, 1, 1, 1), out.flip(2), out)
    if "moved" in told:
        out[told["moved"]] = _resampled(out[told["moved"]], told["inverse"].to(images))
    return out


def _inverse(scale, angle, stretch, axis, shift):
    """Output to input coordinates [B, 2, 3], in units in which the image spans [−1, 1]: the inverse of
    x ↦ R(θ)·A·2^(0.2·scale)·x + shift, A = R(φ)·diag(2^(0.2·stretch), 1)·R(−φ)."""
    turn = _rotation(axis)
    along = torch.diag_embed(torch.stack([2 ** (SCALE * stretch), torch.ones_like(stretch)], dim=1))
    linear = _rotation(angle) @ turn @ along @ turn.mT * (2 ** (SCALE * scale))[:, None, None]
    back = torch.linalg.inv(linear)
    return torch.cat([back, -back @ (2 * SHIFT * shift)[:, :, None]], dim=2)


def _rotation(angle):
    return torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()], dim=1).view(-1, 2, 2)


def _resampled(images, inverse):
    """Twice finer, resampled, and averaged again: less aliasing than at once. Outside, the image is mirrored."""
    height, width = images.shape[2:]
    fine = functional.interpolate(images, scale_factor=2, mode="bicubic", align_corners=False)
    grid = functional.affine_grid(inverse, [len(images), 1, 2 * height, 2 * width], align_corners=False)
    moved = functional.grid_sample(fine, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
    return functional.avg_pool2d(moved, 2)
