"""Random numbers by index: row k is the same alone, in any batch, on any rank, and after any interruption.

A counter-based generator (Philox, Salmon et al. 2011) is a function of (seed, purpose, position), so there is no
state to save: training resumes at image k by asking for row k.
"""

from __future__ import annotations

from enum import IntEnum, unique
from typing import TYPE_CHECKING

import numpy as np
import torch

from edm.base.errors import Refused
from edm.base.transfers import array

if TYPE_CHECKING:
    from edm.base.types import Indices, Shape


@unique
class Purpose(IntEnum):
    """What random numbers are for: each purpose has a number, so that none is drawn twice under one seed.

    All samples and all runs depend on these, so a number stays what it is, and is never given to another purpose.
    """

    LATENT = 0  # where a sample begins
    CHURN = 1  # the noise that it is given on its way
    RESAMPLE = 2  # by which a population is drawn anew
    LOW = 3  # in the low-resolution image that is made larger
    LOW_IMAGE = 4  # of which true image that is, where no model has drawn it
    ORDER = 16  # in which a run sees its data, and what it holds out
    SIGMA = 17  # noise levels in training, and whose class is hidden
    NOISE = 18  # at those levels
    AUGMENT = 19
    DATA = 21  # samples of a distribution that is learned
    VALIDATION = 22  # noise of what is measured again and again
    DROPOUT = 23
    LOOK = 24  # at which samples of a set somebody looks before training
    LOW_SIGMA = 25  # how much noise a low-resolution image has in training
    LOW_NOISE = 26  # and which
    SCENE = 0x5C  # what a rendered scene shows
    TRUE_LABEL = 0xE7  # classes of what is compared with the data
    TRUE_SAMPLE = 0xE8  # samples of the data that it is compared with


_BLOCK = 4  # 64-bit words that Philox makes for each value of its counter


def uniforms(seed: int, purpose: Purpose | int, indices: Indices, width: int) -> np.ndarray:
    """Uniform float64 numbers strictly between 0 and 1, [len(indices), width].

    Row i depends on (seed, purpose, indices[i]) and `width` only. Consecutive indices are drawn in one go.
    seed, purpose: whole numbers from 0 to 2⁶⁴ − 1; different purposes give independent numbers.
    """
    indices = array(indices, np.int64).reshape(-1)
    if len(indices) and indices.min() < 0:
        raise Refused(f"index {indices.min()} is negative; rows are counted from 0")
    blocks = -(-width // _BLOCK)
    words = np.empty((len(indices), blocks * _BLOCK), dtype=np.uint64)
    breaks = np.flatnonzero(np.diff(indices) != 1) + 1
    for start, stop in zip([0, *breaks], [*breaks, len(indices)], strict=True):
        if stop > start:
            bits = np.random.Philox(key=(purpose << 64) + seed)
            bits.advance(int(indices[start]) * blocks)
            words[start:stop] = bits.random_raw((stop - start) * blocks * _BLOCK).reshape(stop - start, -1)
    return ((words[:, :width] >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53


def normals(seed: int, purpose: Purpose | int, indices: Indices, shape: Shape) -> torch.Tensor:
    """Unit normal float64 numbers [len(indices), *shape], through the normal distribution's quantiles."""
    width = int(np.prod(shape))
    rows = torch.from_numpy(uniforms(seed, purpose, indices, width))
    return torch.special.ndtri(rows).view(len(rows), *shape)
