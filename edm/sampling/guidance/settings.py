"""Guidance as settings: of an `Experiment`, and of whatever else is drawn by one."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, model_validator
from pydantic_core import PydanticCustomError

from edm.base.fields import Number, Settings, knob, refusal
from edm.sampling.guidance import GUIDANCES
from edm.sampling.settings import MAX_SIGMA


def _two(value):
    if value is not None and (not isinstance(value, list | tuple) or len(value) != 2):
        raise PydanticCustomError("interval", "Input should be two noise levels, the lower first, such as 0.2,5")
    return value


class Guiding(Settings):
    """What is made of D before it is sampled: which guidance, how much of it, and where; and whether D is clipped."""

    guidance: str = knob("none", "guidance", "What leads samples further than the model does", choices=GUIDANCES)
    guidance_weight: Number = knob(
        1.0, "w", "How much guidance; below 0 it leads away", slider=(0, 8), step=0.1, ge=-100, le=100
    )
    guidance_interval: Annotated[tuple[Number, Number] | None, BeforeValidator(_two)] = knob(
        None, "σ<sub>lo</sub>, σ<sub>hi</sub>", "Guided only in steps from a noise level above the first and up to the "
        "second; none: in all",
    )  # fmt: skip
    guide: str | None = knob(
        None, "guide", "What guides: a model's name, or a classifier's; none: the one that fits the model"
    )
    guidance_told: bool = knob(
        True, "class told", "Classifier: whether the model is told of the class, too; if not, the classifier alone "
        "leads D without a class",
    )  # fmt: skip
    guidance_rescale: Number = knob(
        0.0, "φ", "Which share of the guided D has the size that D has without guidance",
        slider=(0, 1), step=0.05, ge=0, le=1,
    )  # fmt: skip
    guidance_parallel: Number = knob(
        0.0, "η", "APG: how much of the difference along D is kept; 1 is classifier-free guidance",
        slider=(0, 1), step=0.05, ge=-10, le=10,
    )  # fmt: skip
    guidance_threshold: Number = knob(
        0.0, "r", "APG: the most that a difference may be long; 0: any length", slider=(0, 20), step=0.1, ge=0, le=1e6
    )
    guidance_momentum: Number = knob(
        0.0, "β", "APG: how much of the difference of the step before is added; below 0 it is taken away",
        slider=(-1, 1), step=0.05, ge=-1, le=1,
    )  # fmt: skip

    clip: bool = knob(
        False, "clip D", "D of images is kept within −1 and 1, before guidance and not after it, as ADM's sampler does"
    )

    @property
    def exponent(self) -> float | None:
        """w of p(x)·p(c | x)^w, the density of which the guided score of an exact denoiser is at every level; None
        where it is of none."""
        entry = GUIDANCES[self.guidance]
        return self.guidance_weight + 1 - entry.neutral if entry.classes and entry.neutral is not None else None

    @property
    def solvable(self) -> bool:
        """Whether finer steps come nearer to one solution: not of a population, nor where w or D depend on the steps
        (CFG++, a momentum)."""
        entry, momentum = GUIDANCES[self.guidance], self.guidance_momentum
        own = entry.knobs or ()
        return not entry.population and entry.neutral is not None and not (momentum and "guidance_momentum" in own)

    @model_validator(mode="after")
    def _ordered(self):
        if self.guidance_interval is not None:
            low, high = self.guidance_interval
            if not 0 <= low < high <= MAX_SIGMA:
                raise refusal(
                    "guidance_interval", list(self.guidance_interval),
                    f"must be two noise levels, the lower first, from 0 to {MAX_SIGMA:g}: it is guided between them",
                )  # fmt: skip
        return self
