"""How to train, as validated data: the lower half of Table 1, the network, the data and the loop's own knobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import model_validator

from edm.base.errors import Refused
from edm.base.fields import Number, Settings, Whole, knob, refusal
from edm.base.precisions import AUTO, PRECISIONS
from edm.data.settings import Data
from edm.networks.settings import Architecture
from edm.objective import Design
from edm.training.goals import GOALS

if TYPE_CHECKING:
    from edm.base.protocols import HeaderLike

RAMP = 1e9  # images: the longest of all lengths


class Training(Settings):
    """The run: its length, its steps, and what it reports. Lengths are numbers of training images."""

    learns: str = knob("denoiser", "what to learn", "What is learned of the data", choices=GOALS)
    data: Data = Data()
    architecture: Architecture = Architecture()
    design: Design = Design()
    seed: Whole = knob(
        0, "seed", "Seed of weights, data order, noise and dropout", slider=(0, 50), step=1, ge=0, le=2**32 - 1
    )
    images: Whole = knob(
        200_000, "images", "Length of the run", slider=(1e4, 1e7), log=True, unit="images", ge=1, le=10**11
    )
    minutes: Number | None = knob(
        None,
        "minutes",
        "Wall time that it trains, in the place of images, of which ticks and checkpoints keep their share: how many "
        "images that is, is measured in its first seconds, and fixed",
        unit="min",
        gt=0,
        le=100_000,
    )
    batch: Whole = knob(
        128, "batch", "Images in a step, over all devices", slider=(16, 4096), log=True, ge=1, le=65_536
    )
    micro_batch: Whole | None = knob(
        None, "at once", "Images that a device takes at once; none: its whole share", ge=1, le=65_536
    )
    lr: Number = knob(1e-3, "learning rate", "Adam's step size", slider=(1e-5, 1e-2), log=True, gt=0, le=1)
    lr_ramp: Number = knob(
        10_000, "ramp-up", "The learning rate grows linearly over these", unit="images", ge=0, le=RAMP
    )
    anneal: bool = knob(False, "annealing", "The learning rate falls linearly, to 0 at the end of the run")
    weight_decay: Number = knob(
        0.0,
        "weight decay",
        "AdamW's: share of each weight, times the learning rate, that a step takes away",
        slider=(1e-3, 1),
        log=True,
        ends=(0.0, None),
        ge=0,
        le=10,
    )
    ema: tuple[Number, ...] = knob(
        (20_000,),
        "EMA half-lives",
        "Half-lives of the averaged weights in images; the first average is the one that is used",
    )
    ema_ramp: Number | None = knob(
        0.05, "EMA ramp-up", "Half-lives are at most this share of the images seen", gt=0, le=1
    )
    precision: str = knob(
        AUTO,
        "precision",
        "fp32, or mixed with bf16 or fp16; auto: bf16 where a CPU has it and is quicker by it, else fp32",
        choices=(AUTO, *PRECISIONS),
    )
    compile: bool = knob(False, "compile", "Compile the network first (torch.compile)")
    tf32: bool = knob(
        True, "TF32", "Convolutions in TF32 while it trains, on a GPU that has it: faster, to three digits"
    )
    deterministic: bool = knob(
        False, "deterministic", "On a GPU, too, every run of these settings is the same bit for bit; slower"
    )
    checkpointing: bool = knob(
        False, "checkpointing", "Compute each block again on the way back: far less memory, a third more time"
    )
    tick: Whole = knob(20_000, "tick", "Validate, sample and report after each of these", unit="images", ge=1, le=10**9)
    early: bool = knob(
        False, "early reports", "Report at once, of the untrained network, and then by time, until the first tick"
    )
    checkpoint: Whole = knob(20_000, "checkpoint", "Save after each of these", unit="images", ge=1, le=10**10)
    samples: Whole = knob(16, "samples", "Samples drawn at each tick", ge=1, le=1024)
    validation: Whole = knob(
        64, "validation", "Images on which the loss is measured at each noise level", ge=1, le=4096
    )

    @model_validator(mode="after")
    def _consistent(self):
        if not self.ema or len(self.ema) > 8 or min(self.ema) < 0 or len(set(self.ema)) < len(self.ema):
            raise refusal("ema", list(self.ema), "must be 1 to 8 different half-lives in images, each 0 or more")
        if self.micro_batch is not None and self.batch % self.micro_batch:
            raise refusal("micro_batch", self.micro_batch, f"must divide the batch of {self.batch}")
        return self


def trained_as(header: HeaderLike, path: object = "the file") -> Training | None:
    """The settings of the run that a file with this header is of (`edm.files.checkpoints.Header`).

    None for models that come from elsewhere. Raises Refused for settings that are none of this version.
    """
    if header.training is None:
        return None
    try:
        return Training.parse(header.training)
    except Refused as error:
        raise Refused(f"{path} cannot be used: training: {error}") from None
