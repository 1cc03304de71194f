"""The class as a condition: one convention for all networks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch.nn import functional

if TYPE_CHECKING:
    import torch


def one_hot(labels: torch.Tensor | None, classes: int, like: torch.Tensor) -> torch.Tensor:
    """Integer classes [B] as rows [B, classes] of `like`'s type; −1 ("no class") gives zeros, as does None ([1, …])."""
    if labels is None:
        return like.new_zeros(1, classes)
    return functional.one_hot(labels.clamp(min=0), classes).to(like.dtype) * (labels >= 0).to(like.dtype)[:, None]
