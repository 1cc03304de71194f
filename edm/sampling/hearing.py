"""What a network tells besides D: v, from which models with learned variance (iDDPM, ADM) have that of their steps.

It comes with the evaluation that D is of, through all that is around the network.
"""

from __future__ import annotations

from typing import Any

import torch

from edm.sampling.denoisers import Around


def listening(denoiser: Any, heard: dict[int, torch.Tensor]) -> Any:
    """A copy of a denoiser that puts the v of its network into `heard` at each call (`Denoiser.listening`); of a guided
    one, what it guides. One without a network stays silent."""
    own = getattr(denoiser, "listening", None)
    if own is not None:
        return own(heard)
    return denoiser.around(listening(denoiser.inner, heard)) if isinstance(denoiser, Around) else denoiser


def taken(heard: dict[int, torch.Tensor], x: torch.Tensor) -> torch.Tensor | None:
    """v of the samples x [B, …] that were denoised last, and nothing is left in `heard`; None if it has not learned."""
    rows = [heard.pop(row) for row in sorted(heard)]
    v = torch.cat(rows)[: len(x)] if rows else None  # of a doubled batch, the first: with the class
    return v if v is not None and v.shape == x.shape else None
