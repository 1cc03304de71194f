"""How far samples spread, how much detail images have, and whether a change of that is more than chance."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch

from edm.base.devices import precisely
from edm.base.errors import Refused
from edm.base.intervals import jackknife

FEWEST = 3  # samples


class Change(NamedTuple):
    """By which factor a number of the samples changes, and its 95 % interval."""

    factor: float
    low: float
    high: float

    @property
    def significant(self) -> bool:
        """Whether 1 lies outside of the interval."""
        return not self.low <= 1 <= self.high


def spread(x: torch.Tensor) -> float:
    """√ of the mean variance of a coordinate of samples [B, …], as σ_data is of the data."""
    return float(spreading(x))


def spreading(x: torch.Tensor) -> torch.Tensor:
    """The same as a tensor [] beside x, which is not waited for."""
    return precisely(x).var(0).mean().sqrt()


def spreading_without(x: torch.Tensor) -> torch.Tensor:
    """The spread of all samples but each one, [B], beside x; for `change`. Raises ValueError for fewer than 3."""
    count = _enough(x)
    rows = precisely(x).flatten(1)
    away = (rows - rows.mean(0)).square()
    return ((away.sum(0) - away * count / (count - 1)) / (count - 2)).mean(1).sqrt()


def detailing(x: torch.Tensor) -> torch.Tensor:
    """How much detail images [B, C, H, W] have: rms of what the means of 2 × 2 pixels leave. A tensor [] beside x."""
    return _detail(x).mean().sqrt()


def detailing_without(x: torch.Tensor) -> torch.Tensor:
    """The detail of all images but each one, [B], beside x; for `change`. Raises ValueError for fewer than 3."""
    count = _enough(x)
    each = _detail(x)
    return ((each.sum() - each) / (count - 1)).sqrt()


def _detail(x):
    """Of each image, squared: [B]."""
    fine = precisely(x)
    coarse = torch.nn.functional.avg_pool2d(fine, 2, ceil_mode=True, count_include_pad=False)
    smooth = coarse.repeat_interleave(2, -1).repeat_interleave(2, -2)[..., : fine.shape[-2], : fine.shape[-1]]
    return (fine - smooth).square().flatten(1).mean(1)


def _enough(x) -> int:
    if len(x) < FEWEST:
        raise Refused(f"{len(x)} samples: what they have without one of them takes {FEWEST} or more")
    return len(x)


def change(before: float, after: float, before_without: torch.Tensor, after_without: torch.Tensor) -> Change:
    """From one state of the samples to another, in the same order, by the jackknife over samples.

    before, after: `spreading` of all, or `detailing`; the others: without each one, `spreading_without` and so on.
    """
    ratios = (after_without.double() / before_without.double()).log()
    return Change(*(math.exp(value) for value in jackknife(math.log(after / before), ratios.tolist())))
