"""How a run computes on its device: in which precision, with TF32 or not, and whether it is the same bit for bit.

Torch has these as switches of the whole process. They are set for the length of a step and put back after it, so that
whoever reads a run's events computes as before.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import torch

from edm.base import exactness, precisions

if TYPE_CHECKING:
    from edm.base.types import Shape
    from edm.files.checkpoints import Header
    from edm.training.settings import Training

LEAST, WIDE = 1 << 14, 32  # pixels taken at once, and channels, from which on a step was measured to be quicker in bf16
_WORKSPACE = "CUBLAS_WORKSPACE_CONFIG"  # read once, when a process first multiplies on a GPU


def chosen(
    settings: Training, shape: Shape, device: torch.device, micro: int, header: Header | None = None
) -> tuple[Training, str]:
    """(the settings with the precision that is taken there, where they leave that open; why that one, or "").

    bf16 on a CPU that multiplies in it by itself, for a network of images of WIDE channels or more that takes LEAST
    pixels or more at once; fp32 for all others, and on GPUs. Weights, averages, Adam's moments and the loss are float32
    in any case. A run's files say what was taken, and it goes on with that: header, of the checkpoint from which it
    does.

    shape: of a sample; micro: how many of them are taken at once.
    """
    if settings.precision != precisions.AUTO:
        return settings, ""
    known = None if header is None or header.training is None else header.training.get("precision", "fp32")
    if known in precisions.PRECISIONS:
        return settings.changed(precision=known), "as it began"
    precision, why = "fp32", ""
    if device.type == "cpu" and len(shape) != 3:
        why = "as a network for points is no quicker in bf16"
    elif device.type == "cpu" and not precisions.fast_bf16(device):
        why = "as this processor does not multiply in bf16"
    elif device.type == "cpu" and settings.architecture.channels < WIDE:
        why = "as a network of so few channels is no quicker in bf16"
    elif device.type == "cpu" and micro * math.prod(shape[1:]) < LEAST:
        why = "as a step of so few pixels is no quicker in bf16"
    elif device.type == "cpu":
        precision, why = "bf16", "in which this processor multiplies"
    return settings.changed(precision=precision), why


def described(settings: Training, device: torch.device) -> str:
    """How a run computes there, for a model's card: "fp32, convolutions in TF32, on NVIDIA H100"; fp32 on a CPU: ""."""
    if device.type == "cpu":
        return "" if precisions.taken(settings.precision, device) == "fp32" else f"{settings.precision}, on a CPU"
    taken = precisions.taken(settings.precision, device)
    words = [taken if taken in (settings.precision, "fp32") else f"{taken} in the place of {settings.precision}"]
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
