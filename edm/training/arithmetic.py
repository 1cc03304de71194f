"""How a run computes on its device: in which precision, with TF32 or not, and whether it is the same bit for bit.

Torch has these as switches of the whole process. They are set for the length of a step and put back after it, so that
whoever reads a run's events computes as before.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import torch

from edm.base import exactness, precisions

if TYPE_CHECKING:
    from edm.training.settings import Training

_WORKSPACE = "CUBLAS_WORKSPACE_CONFIG"  # read once, when a process first multiplies on a GPU


def described(settings: Training, device: torch.device) -> str:
    """How a run computes there, for a model's card: "fp32, convolutions in TF32, on NVIDIA H100"; of a CPU ""."""
    if device.type == "cpu":
        return ""
    taken = precisions.taken(settings.precision, device)
    words = [taken if taken == settings.precision else f"{taken} in the place of {settings.precision}"]
    if taken == "fp32" and settings.tf32 and _has_tf32(device):
        words += ["convolutions in TF32"]
    if settings.deterministic:
        words += ["deterministic"]
    return ", ".join([*words, f"on {_name(device)}"])


def going_on(settings: Training, device: torch.device) -> str:
    """How a run goes on there that has stopped, in a sentence; "" where that is bit for bit, as if it never had."""
    if device.type == "cpu" or settings.deterministic:
        return ""
    return f"goes on to rounding, as {_name(device)} computes; with deterministic it would be bit for bit"


def prepare(settings: Training) -> None:
    """Before anything is computed on a GPU: what cannot be switched once something has been."""
    if settings.deterministic:
        os.environ.setdefault(_WORKSPACE, ":4096:8")


@contextmanager
def switched(settings: Training) -> Iterator[None]:
    """The settings' switches, for the length of a step, whose shapes are those of the step before."""
    found = torch.backends.cudnn.benchmark
    strict = settings.deterministic or torch.are_deterministic_algorithms_enabled()
    torch.backends.cudnn.benchmark = not strict
    try:
        with exactness.tf32(settings.tf32), _deterministic() if settings.deterministic else nullcontext():
            yield
    finally:
        torch.backends.cudnn.benchmark = found


@contextmanager
def _deterministic():
    found = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    memory: Any = torch.utils.deterministic
    filled = memory.fill_uninitialized_memory
    torch.use_deterministic_algorithms(True)
    memory.fill_uninitialized_memory = False  # nothing here reads what nobody has written
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(found[0], warn_only=found[1])
        memory.fill_uninitialized_memory = filled


def _has_tf32(device) -> bool:
    return device.type == "cuda" and torch.cuda.get_device_capability(device)[0] >= 8


def _name(device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else str(device)
