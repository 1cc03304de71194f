"""How a run computes on its device: in which precision, with TF32 or not, and whether it is the same bit for bit.

Torch has these as switches of the whole process. They are set for the length of a step and put back after it, so that
whoever reads a run's events computes as before.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING

import torch

from edm.base import exactness

if TYPE_CHECKING:
    from edm.training.settings import Training

_AMP = {"bf16": torch.bfloat16, "fp16": torch.float16}
_WORKSPACE = "CUBLAS_WORKSPACE_CONFIG"  # read once, when a process first multiplies on a GPU


def precision(settings: Training, device: torch.device) -> str:
    """fp32, bf16 or fp16: as the settings say, but fp16 in the place of bf16 on a device that has none."""
    return "fp16" if settings.precision == "bf16" and not _has_bf16(device) else settings.precision


def note(settings: Training, device: torch.device) -> str:
    """What is to be known of how a run computes there, in a sentence, or ""."""
    if precision(settings, device) == settings.precision:
        return ""
    return f"{_name(device)} has no bf16: computes in fp16 instead"


def described(settings: Training, device: torch.device) -> str:
    """How a run computes there, for a model's card: "fp32, convolutions in TF32, on NVIDIA H100"; of a CPU ""."""
    if device.type == "cpu":
        return ""
    taken = precision(settings, device)
    words = [taken if taken == settings.precision else f"{taken} in the place of {settings.precision}"]
    if taken == "fp32" and settings.tf32 and _has_tf32(device):
        words += ["convolutions in TF32"]
    if settings.deterministic:
        words += ["deterministic"]
    return ", ".join([*words, f"on {_name(device)}"])


def repeats(settings: Training, device: torch.device) -> str:
    """How closely a run that goes on there is one that never stopped: "bit for bit" or "to rounding"."""
    return "bit for bit" if device.type == "cpu" or settings.deterministic else "to rounding"


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
    filled = torch.utils.deterministic.fill_uninitialized_memory
    torch.use_deterministic_algorithms(True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # nothing here reads what nobody has written
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(found[0], warn_only=found[1])
        torch.utils.deterministic.fill_uninitialized_memory = filled


def autocast(settings: Training, device: torch.device) -> AbstractContextManager:
    """What a network's operations compute in, within this context."""
    dtype = _AMP.get(precision(settings, device))
    return nullcontext() if dtype is None else torch.autocast(device.type, dtype)


def _has_bf16(device) -> bool:
    if device.type == "cuda":
        with torch.cuda.device(device):
            return torch.cuda.is_bf16_supported(including_emulation=False)
    return device.type != "mps" or torch.backends.mps.is_macos_or_newer(14, 0)


def _has_tf32(device) -> bool:
    return device.type == "cuda" and torch.cuda.get_device_capability(device)[0] >= 8


def _name(device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else str(device)
