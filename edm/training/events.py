"""What training reports while it goes on (`edm.train`)."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from edm.training.state import RunState

# What is under way while an error happens, where that is no step (`edm.base.errors.during`)
BUILDING, DRAWING, VALIDATING = "while its network was built", "while samples were drawn", "while it was validated"


@dataclass(frozen=True)
class Started:
    """state: of the run, at its first or restored image. parameters: of the network. held_out: validation images
    are not trained on. note: what has to be known of its data, in a sentence, or ""."""

    state: RunState
    parameters: int
    sigma_data: float
    held_out: bool
    note: str = ""


@dataclass(frozen=True)
class Step:
    """One step of Adam. images: seen so far; loss: mean over the batch; lr; rate: images/s; left: seconds."""

    images: int
    loss: float
    lr: float
    rate: float
    left: float


@dataclass(frozen=True)
class Tick:
    """A report: validation[i]: mean squared error at sigmas[i], of the first average; loss: mean since the last
    tick; samples [n, …] of that average, from the same latents every time; labels of them, or None. held_out:
    whether the validation images are not trained on."""

    images: int
    seconds: float
    loss: float
    sigmas: tuple[float, ...]
    validation: tuple[float, ...]
    rate: float
    left: float
    nonfinite: int
    samples: torch.Tensor
    labels: torch.Tensor | None
    held_out: bool = True


@dataclass(frozen=True)
class Paused:
    """The run holds, as it was asked to; comes again and again until it goes on."""

    images: int


@dataclass(frozen=True)
class Checkpoint:
    """The state is worth saving now; `last` tells that the run is over."""

    images: int
    state: RunState
    last: bool
