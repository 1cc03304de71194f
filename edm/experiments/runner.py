"""From an `Experiment` to states: the one path that page, command line and copied scripts take."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from functools import lru_cache
from typing import TYPE_CHECKING

import torch

from edm.base.errors import Refused
from edm.data.classes import turns
from edm.experiments import models
from edm.experiments.experiment import Experiment
from edm.sampling.denoisers import on
from edm.sampling.loop import State, sample
from edm.sampling.noise import latents, seeds

if TYPE_CHECKING:
    from edm.base.types import Device


def count(experiment: Experiment) -> int:
    """How many samples the experiment draws: its own count, or the model's default."""
    return experiment.count or models.of(experiment).count


def start(experiment: Experiment, device: Device = "cpu") -> tuple[torch.Tensor, torch.Tensor | None]:
    """(latents, labels or None) of the experiment. Without a label, a trained model's classes take turns."""
    model = models.of(experiment)
    number = count(experiment)
    z = _latents(experiment.sampling.seed, number, model.shape).to(device, copy=True)  # those that are kept stay
    labels = labels_of(experiment)
    return z, None if labels is None else torch.tensor(labels, device=device)


def labels_of(experiment: Experiment) -> list[int] | None:
    """The class of each sample, as the network counts them; None where it is told of none."""
    model = models.of(experiment)
    if experiment.label is not None:
        return turns([model.class_of(experiment.label)], count(experiment))
    return turns(model.drawn, count(experiment)) if model.trained and model.classes else None


@lru_cache(maxsize=32)
def _latents(seed, number, shape):
    return latents(seeds(seed, number), shape)


def states(experiment: Experiment, device: Device = "cpu", wrap: Callable | None = None) -> Iterator[State]:
    """Sample the experiment. `wrap` may put something around the denoiser, such as a check for cancellation.

    Raises Refused, in place of the last state, for samples that are not finite.
    """
    denoiser = on(models.of(experiment).denoiser, device)
    z, labels = start(experiment, device)
    own = seeds(experiment.sampling.seed, len(z))
    found = sample(wrap(denoiser) if wrap else denoiser, z, experiment.sampling, labels, seeds=own)
    return _finite(found, experiment.model)


def _finite(states, name):
    with closing(states):
        for state in states:
            if state.sigma == 0 and not torch.isfinite(state.x).all():
                raise Refused(
                    f"the samples of {name} are not all finite numbers with these settings; try a smaller range of σ, "
                    "less churn or more steps"
                )
            yield state
