"""What a tick measures: how good the first average is at fixed noise levels, and samples of it."""

from __future__ import annotations

import math
from functools import cached_property
from typing import Any

import numpy as np
import torch

from edm.base.errors import during
from edm.data import near, sources
from edm.data.classes import turns
from edm.data.split import Split
from edm.files.checkpoints import Metrics
from edm.sampling import noise
from edm.sampling.loop import last, sample
from edm.sampling.settings import Sampling
from edm.sampling.upsampling import lowered
from edm.training.events import VALIDATING, Tick
from edm.training.goals import GOALS
from edm.training.loss import low_drawn, per_sigma
from edm.training.settings import Training
from edm.training.state import RunState

QUICK = 8  # steps for samples of an untrained network
SIGMAS = tuple(float(s) for s in np.geomspace(0.005, 80, 15))  # where validation measures


def _denoised(model, y, labels, sigmas) -> dict[str, Any]:
    return {"validation": tuple(per_sigma(model, y, labels, sigmas))}


class Validation:
    """Of one run, on images, noise and latents that stay the same."""

    def __init__(self, settings: Training, split: Split, state: RunState):
        self._split = split
        self._state, self._held_out, device = state, split.held_out, state.device
        self._goal = GOALS[settings.learns]
        conditional = state.header.classes > 0
        images, labels = sources.read(split.source, split.validation(settings.validation))
        self._images = images.to(device)
        self._labels = labels.to(device) if conditional and labels is not None else None
        self._latents = noise.latents(noise.seeds(settings.seed, settings.samples), split.source.shape).to(device)
        self._low, known = self._of_low(settings, max(len(images), settings.samples))
        self._classes = self._told = None
        if not self._goal.draws:
            self._latents = self._latents[:0]
        elif conditional:
            turned = torch.tensor(turns(state.header.drawn, settings.samples))
            self._told = turned if known is None else known[: settings.samples]
            self._classes = self._told.to(device)

    def _of_low(self, settings, count):
        """Of an upsampler: low-resolution images, of images held out, in which there is noise, and their classes."""
        low = self._state.header.low
        if low is None:
            return None, None
        images, labels = sources.read(self._split.source, self._split.validation(count))
        which = torch.arange(count) % len(images)  # as many as are asked for, though there be fewer
        noise = low_drawn(low, settings.seed, range(count), images.shape[1])["low_noise"] * low.usual
        z = lowered(images[which], low.resolution) + noise
        return z.to(self._state.device), None if labels is None else labels[which]

    def _given(self, average, count):
        """The first average for so many of the images, or of the samples."""
        return average if self._low is None else average.given(self._low[:count], average.low.usual)

    @cached_property
    def _learned(self) -> torch.Tensor | None:
        """What the run learns, where samples can be found to be copies of it."""
        return near.known(self._split)

    def _copies(self, samples: torch.Tensor) -> float | None:
        learned = self._learned
        if learned is None or not samples.isfinite().all():
            return None
        return float((near.two_nearest(samples, learned)[1] < near.SHARE).float().mean())

    def tick(self, rate: float, left: float, share: float = 1.0) -> Tick:
        """The state as it is now; the mean loss is counted anew from here. rate: images/s; left: seconds. share: of the
        images on which it is validated, for which fewer steps draw its samples; 0: neither is done."""
        state = self._state
        total, steps = state.losses
        state.losses = (0.0, 0)
        average, measured, samples = state.denoisers()[0], dict[str, Any](validation=()), self._latents[:0].cpu()
        if share:
            few = slice(max(1, round(share * len(self._images))))
            labels = None if self._labels is None else self._labels[few]
            with during(VALIDATING):
                given = self._given(average, few.stop)
                measured = (self._goal.measure or _denoised)(given, self._images[few], labels, SIGMAS)
            if len(self._latents):
                drawing = Sampling() if share == 1 else Sampling(steps=QUICK)
                drawn = self._given(average, len(self._latents))
                samples = last(sample(drawn, self._latents, drawing, self._classes)).x.cpu()
        report = Metrics(
            images=state.images, seconds=state.seconds, loss=total / steps if steps else math.nan,
            sigmas=SIGMAS[: len(measured["validation"])], **measured,
            rate=rate, left=left, nonfinite=state.nonfinite, held_out=self._held_out,
            copies=self._copies(samples) if share == 1 and len(samples) else None,
        )  # fmt: skip
        if share == 1:
            state.metrics = report
        return Tick(**report.model_dump(exclude={"evaluation"}), samples=samples, labels=self._told)
