"""In which precision a network computes: as torch's autocast has it, so that sums, norms and the state stay float32."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch

_HALVES = {"fp32": None, "bf16": torch.bfloat16, "fp16": torch.float16}
PRECISIONS = tuple(_HALVES)
AUTO = "auto"  # what settings may say in the place of one: whichever pays there


def taken(precision: str, device: torch.device) -> str:
    """fp32, bf16 or fp16: as it is asked for, but fp16 in the place of bf16 on a device that has none; of AUTO, where
    nobody has chosen, fp32."""
    if precision == AUTO:
        return "fp32"
    return "fp16" if precision == "bf16" and not has_bf16(device) else precision


def note(precision: str, device: torch.device) -> str:
    """What is to be known of that precision there, in a sentence, or ""."""
    if taken(precision, device) in (precision, "fp32"):
        return ""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else str(device)
    return f"{name} has no bf16: computes in fp16 instead"


def autocast(precision: str, device: torch.device) -> AbstractContextManager:
    """What a network's operations compute in, within this context."""
    dtype = _HALVES[taken(precision, device)]
    return nullcontext() if dtype is None else torch.autocast(device.type, dtype)


_MULTIPLY = ("avx512_bf16", "amx_bf16", "bf16")  # what processors that do so call it


def fast_bf16(device: torch.device) -> bool:
    """Whether bf16 may be quicker than float32 there: what a CPU without instructions for it computes is not."""
    if device.type != "cpu":
        return has_bf16(device)
    known = torch.cpu.get_capabilities()
    return any(known.get(name) for name in _MULTIPLY)


def has_bf16(device: torch.device) -> bool:
    """Whether it multiplies in bf16 by itself, which GPUs before Ampere (compute capability 8) do not."""
    if device.type == "cuda":
        with torch.cuda.device(device):
            return torch.cuda.is_bf16_supported(including_emulation=False)
    return device.type != "mps" or torch.backends.mps.is_macos_or_newer(14, 0)
