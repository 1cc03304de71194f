"""What training reports while it goes on (`edm.train`)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch

from edm.training.later import Later
from edm.training.settings import Training
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


class Step:
    """One step of Adam. images: seen so far; loss: mean over the batch; lr; rate: images/s; left: seconds.

    The loss may lie on a GPU: it is read when it is asked for, and that waits for this step's end.
    """

    def __init__(self, images: int, loss: float | Later, lr: float, rate: float, left: float):
        self.images, self._loss, self.lr, self.rate, self.left = images, loss, lr, rate, left

    @cached_property
    def loss(self) -> float:
        return self._loss.read() if isinstance(self._loss, Later) else self._loss


@dataclass(frozen=True)
class Length:
    """The minutes of a run have become images: its settings say so from now on (`edm.training.clock`)."""

    images: int
    settings: Training
    note: str


@dataclass(frozen=True)
class Tick:
    """A report: validation[i]: mean squared error at sigmas[i], of the first average, or, of a classifier, the mean of
    −log p of the true class, and accuracy[i], how often that is the most likely one; loss: mean since the last tick,
    NaN of the untrained network; samples [n, …] of that average, from the same latents every time; labels of
    them, or None. held_out: whether the validation images are not trained on. copies: the share of the samples that are
    copies of what is learned (`edm.data.near`); None: it is without end, or not looked through. Early ones may hold the
    loss alone."""

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
    copies: float | None = None
    accuracy: tuple[float, ...] = ()


@dataclass(frozen=True)
class Paused:
    """The run holds, as it was asked to; comes again and again until it goes on. turn: it waits for its turn."""

    images: int
    turn: bool = False


@dataclass(frozen=True)
class Checkpoint:
    """The state is worth saving now; `last` tells that the run is over."""

    images: int
    state: RunState
    last: bool
