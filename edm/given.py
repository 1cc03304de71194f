"""What a distribution is made of, as people give it: numbers, classes and covariances of any kind, checked."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch

from edm.base.errors import Refused


def numbers(name: str, values: Any) -> torch.Tensor:
    """Floating point numbers, on the CPU."""
    tensor = values.cpu() if isinstance(values, torch.Tensor) else torch.as_tensor(np.asarray(values, dtype=np.float64))
    tensor = tensor if tensor.is_floating_point() else tensor.double()
    ends = tensor.aminmax() if tensor.numel() else ()  # which are NaN where one of them is
    if not all(math.isfinite(end) for end in ends):
        raise Refused(f"{name} contain NaN or infinity")
    return tensor


def classes_of(name: str, labels: Any, count: int, classes: int | None = None, host: bool = False) -> torch.Tensor:
    """Classes [count]; host: on the CPU. There they are looked at; on a GPU that would wait for it at every call."""
    try:
        labels = torch.as_tensor(labels)
    except (TypeError, ValueError, RuntimeError):
        raise Refused(f"{name} = {labels!r:.60}: must be {count} integer classes") from None
    if labels.shape != (count,) or labels.is_floating_point():
        raise Refused(f"{name} must be {count} integer classes, not {labels.dtype} of shape {list(labels.shape)}")
    labels = labels.cpu() if host else labels
    if labels.device.type != "cpu":
        return labels.long()
    if (labels < 0).any() or (classes is not None and (labels >= classes).any()):
        bad = labels[(labels < 0) | (labels >= (classes or math.inf))][0]
        below = f" and below {classes}" if classes is not None else ""
        raise Refused(f"{name} contain {int(bad)}: classes are at least 0{below}")
    return labels.long()


def shared(values: torch.Tensor) -> float | None:
    """The number that all of them are, if they are one."""
    return float(values.flatten()[0]) if bool((values == values.flatten()[0]).all()) else None


def spectra(stds_or_covariances: Any, count: int, dim: int) -> tuple[torch.Tensor | None, torch.Tensor]:
    """(rotations [K, d, d] or None, eigenvalues [K, 1] or [K, d]) of the covariances, in float64."""
    values = numbers("stds_or_covariances", stds_or_covariances).double()
    if values.ndim == 0:
        values = values.expand(count)
    if values.shape == (count,):
        if (values < 0).any():
            raise Refused(f"stds contain {float(values.min()):g}; a standard deviation is at least 0")
        return None, (values**2)[:, None]
    if values.shape != (count, dim, dim):
        raise Refused(
            f"stds_or_covariances have shape {list(values.shape)}; "
            f"they must be [{count}] or [{count}, {dim}, {dim}] to fit the means"
        )
    if not torch.allclose(values, values.mT, rtol=1e-6, atol=1e-12):
        raise Refused("covariances must be symmetric")
    eigenvalues, rotations = torch.linalg.eigh(values)
    if (eigenvalues < -1e-9 * eigenvalues.abs().amax(1, keepdim=True)).any():
        raise Refused(f"covariances have an eigenvalue of {float(eigenvalues.min()):g}; they must not be negative")
    return rotations, eigenvalues.clamp(min=0)
