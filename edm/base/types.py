"""Types that many signatures share. Only who reads the types needs them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import torch

StrPath: TypeAlias = str | os.PathLike[str]
Device: TypeAlias = str | torch.device
Numbers: TypeAlias = Sequence[float] | np.ndarray | torch.Tensor  # noise levels, say
Indices: TypeAlias = Sequence[int] | range | np.ndarray | torch.Tensor
Shape: TypeAlias = Sequence[int]
