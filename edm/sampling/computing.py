"""How a network computes what is asked of it: in which precision, how many samples at once, compiled or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from edm.base import precisions
from edm.base.fields import Settings, Whole, knob
from edm.preconditioning import Denoiser
from edm.sampling.compiling import compiled
from edm.sampling.denoisers import Around, innermost, on

if TYPE_CHECKING:
    from edm.base.types import Device
    from edm.sampling.denoisers import Denoise

MOST = 65_536  # samples at once


class Computing(Settings):
    """How it computes: what changes the time and the memory that samples take, and them by rounding at most."""

    precision: str = knob(
        "fp32", "precision", "What the network computes in; the samples stay float32", choices=precisions.PRECISIONS
    )
    batch: Whole | None = knob(
        None, "at once", "Samples at once; none: what the device is good for", ge=1, le=MOST, unit="samples"
    )
    compile: bool = knob(False, "compile", "Compile the network first (torch.compile)")


class Cast(Around):
    """A denoiser whose network computes in half precision; the state, the coefficients and the result stay float32.

    precision: bf16 or fp16; fp16 in the place of bf16 on a device that has none.
    """

    def __init__(self, inner: Denoise | None, precision: str):
        super().__init__(inner)
        self.precision = precision

    def __call__(self, x: torch.Tensor, sigma: Any, labels: Any = None) -> torch.Tensor:
        with precisions.autocast(self.precision, x.device):
            return super().__call__(x, sigma, labels).to(x.dtype)


def prepared(denoiser: Denoise, computing: Computing, device: Device) -> Denoise:
    """The denoiser on `device`, to compute like that. One without a network, as exact ones are, just moves there."""
    moved = on(denoiser, device)
    if not has_network(moved):
        return moved
    moved = compiled(moved) if computing.compile else moved
    return moved if computing.precision == "fp32" else Cast(moved, computing.precision)


def notes(denoiser: Denoise, computing: Computing, device: Device) -> list[str]:
    """What is to be known of how it computes there, in sentences."""
    if not has_network(denoiser):
        asked = [name for name in ("precision", "compile") if name in computing.document()]
        return [f"this model has no network; left aside: {', '.join(asked)}"] if asked else []
    return list(filter(None, [precisions.note(computing.precision, torch.device(device))]))


def has_network(denoiser: Any) -> bool:
    """Whether a denoiser, or the one that it is around, computes with a network."""
    return isinstance(innermost(denoiser), Denoiser)
