"""What guidance samples, beside two densities that are known where the denoiser is exact: that of the class, p(x | c),
and the tilted one, p(x)·p(c | x)^w, whose score it follows at every noise level.

It is neither: from one level to the next the tilted densities are not each other's with noise removed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from edm.diagnostics.measures import TRUE_POINTS, Drawn, data_of
from edm.evaluation.distances import data_floor, distance_to
from edm.experiments import models, runner
from edm.sampling.guidance import tilted_moments
from edm.sampling.guidance.tilted import resampled

if TYPE_CHECKING:
    from edm.exact import GaussianMixture
    from edm.experiments.experiment import Experiment

CLASS, TILTED = "p(x|c)", "p(x)·p(c|x)^w"
TRUE = 4000  # samples of what is known, to tell moments by
_MORE = 8  # times as many points of the class, of which those of the tilted density are taken
_SEED = 20_000


@dataclass(frozen=True)
class Known:
    """A density. title: as it is written. mean [d] and spread: √ of the mean variance of a coordinate. points [M, d]:
    samples of it. floor: the distance from them that `count` true samples have."""

    title: str
    mean: torch.Tensor
    spread: float
    points: torch.Tensor
    floor: float


@dataclass(frozen=True)
class Beside:
    """Samples beside a density: their sliced Wasserstein distance from it."""

    known: Known
    distance: float


def led(experiment: Experiment, model: models.Model | None = None) -> tuple[int, float | None] | None:
    """(the class that the samples of an `edm.Experiment` are led to, w of the tilted density or None where there is
    none); None where neither density is known: without guidance or one class, or of data without an exact denoiser.
    model: its own, if known."""
    model = model or models.of(experiment)
    classes = runner.classes_of(experiment, model)
    if experiment.guidance == "none" or len(classes) != 1 or len(model.shape) != 1 or model.shape[0] > 2:
        return None
    drawn = data_of(experiment, model)
    if not isinstance(drawn, Drawn) or not (drawn.dataset.denoiser.stds() > 0).all():
        return None
    return drawn.classes[0], experiment.exponent


def known(experiment: Experiment, count: int, model: models.Model | None = None) -> list[Known]:
    """The densities beside which `count` samples of an `edm.Experiment` may be put: that of its class, and the tilted
    one, if there is one. Empty where `led` is None. model: its own, if known."""
    model = model or models.of(experiment)
    found = led(experiment, model)
    if found is None:
        return []
    label, weight = found
    assert model.dataset is not None  # of which `led` has found a class
    mixture = model.dataset.labelled
    weights = {CLASS: 1.0} if weight is None else {CLASS: 1.0, TILTED: weight}
    return [_known(title, mixture, label, w, count) for title, w in weights.items()]


def beside(samples: torch.Tensor, densities: list[Known]) -> list[Beside]:
    """Samples [B, d] beside each of these."""
    return [Beside(density, distance_to(density.points)(samples)) for density in densities]


def moments(samples: torch.Tensor) -> tuple[torch.Tensor, float]:
    """(mean [d], √ of the mean variance of a coordinate) of samples [B, d]."""
    samples = samples.double()
    return samples.mean(0), float(samples.var(0, correction=0).mean().sqrt())


def tilted_points(mixture: GaussianMixture, label: int, weight: float, count: int, seed: int = 0) -> torch.Tensor:
    """`count` samples of p(x)·p(c | x)^w [count, d], of a labelled mixture of Gaussians that all have a width.

    w ≥ 1: samples of the class, each taken with the probability p(c | x)^(w − 1); from 0 to 1: of all, with p(c | x)^w:
    they are exact. Below 0, or where too few are taken, drawn from these by that weight.
    """
    points = mixture.sample(_MORE * count, seed, label if weight >= 1 else None)
    random = np.random.default_rng((seed, 1))
    chances = mixture.log_class_probability(points.double(), 0.0)[:, label]
    logs = (weight - 1 if weight >= 1 else weight) * chances
    taken = points[torch.from_numpy(np.log(random.random(len(points)))) < logs]
    if weight >= 0 and len(taken) >= count:
        return taken[:count]
    drawn = points[resampled(logs, float(random.random()))]
    return drawn[torch.from_numpy(random.permutation(len(drawn))[:count])]


class _Tilted:
    """The tilted density as `data_floor` asks for samples."""

    def __init__(self, mixture, label, weight):
        self._asked = mixture, label, weight

    def sample(self, count: int, seed: int = 0) -> torch.Tensor:
        return tilted_points(*self._asked, count, seed)


def _known(title, mixture, label, weight, count) -> Known:
    asked: Any = _Tilted(mixture, label, weight)
    points = asked.sample(TRUE_POINTS, _SEED)
    if weight == 1:
        mean, spread = _of_class(mixture, label)
    elif mixture.shape == (1,):
        mean, stds = tilted_moments(mixture, label, weight)
        spread = float(stds.square().mean().sqrt())
    else:  # a grid in the plane takes seconds
        mean, spread = moments(points)
    return Known(title, mean, spread, points, data_floor(asked, count, points))


def _of_class(mixture, label) -> tuple[torch.Tensor, float]:
    own = mixture.labels == label
    shares = mixture.weights()[own] / mixture.weights()[own].sum()
    means = mixture.means[own].double()
    mean = shares @ means
    within = shares @ mixture.stds()[own].square()
    return mean, float((within + shares @ (means - mean).square().mean(1)).sqrt())
