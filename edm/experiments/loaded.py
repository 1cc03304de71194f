"""The networks that are in main memory: those used last, up to a share of it."""

from __future__ import annotations

import psutil
import torch

from edm.base.copies import Copies
from edm.preconditioning import Denoiser

host = torch.device("cpu")


def size(denoiser: Denoiser) -> int:
    """Bytes of its network."""
    return sum(tensor.nbytes for tensor in denoiser.network.state_dict().values())


LOADED = Copies(lambda device: psutil.virtual_memory().available)
