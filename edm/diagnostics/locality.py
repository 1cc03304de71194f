"""Copy or create: which patchwise ideal denoiser a network is nearest to, at each noise level.

D_k knows for each pixel the k×k patch around it only (`edm.patches`): with a small k it joins patches of many images,
and makes new ones; from 2·side − 1 on it is the ideal denoiser, whose samples are training images. A network lies
between.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch

from edm.base.errors import Refused
from edm.base.transfers import sent
from edm.data import sources
from edm.exact import PointSet
from edm.sampling.denoisers import Denoise, ask, on
from edm.sampling.noise import latents, seeds

if TYPE_CHECKING:
    from edm.base.types import Device, Numbers
    from edm.diagnostics.draws import Draw
    from edm.evaluation.copies import Known

MOST_SIDES = 8  # of patches that are tried


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
    known: Known,
    draw: Draw,
    sigmas: Numbers,
    sides: Sequence[int] | None = None,
    *,
    conditional: bool = True,
    count: int = 32,
    seed: int = 0,
    device: Device = "cpu",
) -> Iterator[Locality]:
    """Compare a denoiser with those of patches of the training images `known`, one side after the other, as they come.

    draw: of clean images y and their classes (`edm.diagnostics.held_out`): `count` of them, with noise that depends on
    (seed, k); all denoisers meet the same x = y + σn at every σ. conditional: all are told the classes, if there are
    any. sides: None: `patch_sides`. Raises Refused for points.
    """
    if len(draw.shape) != 3:
        raise Refused(f"points of shape {list(draw.shape)} have no patches; this needs images")
    levels = np.asarray(sigmas, dtype=np.float64)
    return _compared(denoiser, known, draw, levels, sides or patch_sides(draw.shape), conditional, count, seed, device)


@torch.no_grad()
def _compared(denoiser, known, draw, levels, sides, conditional, count, seed, device):
    y, labels = draw(range(count))
    noise = sent(latents(seeds(seed, count), draw.shape), device)
    y = sent(y, device)
    told = sent(labels, device) if conditional and labels is not None else None
    noisy = [y + float(sigma) * noise for sigma in levels]
    learned = [ask(denoiser, x, float(sigma), told) for x, sigma in zip(noisy, levels, strict=True)]
    found = Locality(levels)
    for side in sides:
        local = on(patchwise(known, side, conditional), device)
        squares = [
            (ask(local, x, float(sigma), told) - D).double().square().mean()
            for x, sigma, D in zip(noisy, levels, learned, strict=True)
        ]
        found = Locality(levels, found.rms | {side: torch.stack(squares).sqrt().cpu().numpy()})
        yield found
