"""Copy or create: which patchwise ideal denoiser a network is nearest to, at each noise level.

D_k knows for each pixel the k×k patch around it only (`edm.patches`): with a small k it joins patches of many images,
and makes new ones; from 2·side − 1 on it is the ideal denoiser, whose samples are training images. A network lies
between.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch

from edm.base.devices import precisely
from edm.base.errors import Refused
from edm.base.transfers import array, sent
from edm.data import sources
from edm.exact import PointSet
from edm.sampling.denoisers import Denoise, ask
from edm.sampling.noise import latents, seeds

if TYPE_CHECKING:
    from edm.base.types import Device, Numbers
    from edm.evaluation.copies import Known

MOST_SIDES = 8  # of patches that are tried
LEVELS = (0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)  # σ at which a patch makes a difference


@dataclass(frozen=True, eq=False)
class Locality:
    """rms[k] [S]: √(E‖D − D_k‖² / d) at each of `sigmas` [S]; of the sides k so far."""

    sigmas: np.ndarray
    rms: dict[int, np.ndarray] = field(default_factory=dict)

    @property
    def nearest(self) -> list[int]:
        """The side k whose denoiser is nearest at each σ."""
        sides = list(self.rms)
        return [sides[k] for k in np.argmin([self.rms[side] for side in sides], axis=0)]


def patch_sides(shape: Sequence[int]) -> tuple[int, ...]:
    """Sides to try for images of a shape (C, H, W): odd, from 3 to the whole image, of large ones ever fewer."""
    whole = 2 * max(shape[1:]) - 1
    every = range(3, whole + 1, 2)
    if len(every) <= MOST_SIDES:
        return tuple(every) or (3,)
    wanted = np.geomspace(3, whole, MOST_SIDES)
    return tuple(dict.fromkeys(int(2 * round((side - 1) / 2) + 1) for side in wanted))


def patchwise(known: Known, side: int | None, conditional: bool = True) -> PointSet:
    """The ideal denoiser of training images (`edm.diagnostics.training_images`) by patches of a side; None: the whole.
    conditional: it is told of the classes, where there are any."""
    return PointSet(sources.scaled(known.images), known.labels if conditional else None, patch=side)


def locality(
    denoiser: Denoise,
    patches: Callable[[int], Denoise],
    y: torch.Tensor,
    labels: torch.Tensor | None = None,
    *,
    sigmas: Numbers = LEVELS,
    sides: Sequence[int] | None = None,
    seed: int = 0,
    device: Device = "cpu",
) -> Iterator[Locality]:
    """Compare a denoiser with those of patches, one side after the other, as they come.

    patches: side k -> D_k, such as `functools.partial(patchwise, known)`. y [B, C, H, W]: clean images, and their
    classes, if the denoisers are told of them (`edm.diagnostics.held_out` has both); all meet the same x = y + σn, n
    depending on (seed, k), at every σ. sides: None: `patch_sides`. device: where the denoisers are. Raises Refused for
    points.
    """
    if y.ndim != 4:
        raise Refused(f"points of shape {list(y.shape[1:])} have no patches; this needs images")
    levels = np.asarray(sigmas, dtype=np.float64)
    return _compared(denoiser, patches, y, labels, levels, sides or patch_sides(y.shape[1:]), seed, device)


@torch.no_grad()
def _compared(denoiser, patches, y, labels, levels, sides, seed, device):
    noise = sent(latents(seeds(seed, len(y)), tuple(y.shape[1:])), device)
    y = sent(y, device)
    labels = None if labels is None else sent(labels, device)
    noisy = [(y + float(sigma) * noise, float(sigma)) for sigma in levels]
    learned = [ask(denoiser, x, sigma, labels) for x, sigma in noisy]
    found = Locality(levels)
    for side in sides:
        local = patches(side)
        squares = [
            precisely(ask(local, x, sigma, labels) - answer).square().mean()
            for (x, sigma), answer in zip(noisy, learned, strict=True)
        ]
        found = Locality(levels, found.rms | {side: array(torch.stack(squares).sqrt())})
        yield found
