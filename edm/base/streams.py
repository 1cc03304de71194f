"""Random numbers by index: row k is the same alone, in any batch, on any rank, and after any interruption.

A counter-based generator (Philox, Salmon et al. 2011) is a function of (seed, purpose, position), so there is no
state to save: training resumes at image k by asking for row k.
"""

from __future__ import annotations

import numpy as np
import torch

from edm.base.errors import Refused

_BLOCK = 4  # 64-bit words that Philox makes for each value of its counter

# one purpose for each kind of random number, so that none is used twice
ORDER, SIGMA, NOISE, AUGMENT, LABEL, DATA, VALIDATION, DROPOUT = range(16, 24)


def uniforms(seed: int, purpose: int, indices, width: int) -> np.ndarray:
    """Uniform float64 numbers strictly between 0 and 1, [len(indices), width].

    Row i depends on (seed, purpose, indices[i]) and `width` only. Consecutive indices are drawn in one go.
    seed, purpose: whole numbers from 0 to 2⁶⁴ − 1; different purposes give independent numbers.
    """
    indices = np.asarray(indices, dtype=np.int64).reshape(-1)
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


def normals(seed: int, purpose: int, indices, shape) -> torch.Tensor:
    """Unit normal float64 numbers [len(indices), *shape], through the normal distribution's quantiles."""
    width = int(np.prod(shape))
    rows = torch.from_numpy(uniforms(seed, purpose, indices, width))
    return torch.special.ndtri(rows).view(len(rows), *shape)
