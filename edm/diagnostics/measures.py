"""One number that says how good samples are: their error against the ODE's solution, or their distance to the data.

    error       RMS to the solution from the same latents, see `errors`; without churn, any model
    distance    sliced Wasserstein to samples of the data, in its units; points
    frechet     Fréchet distance to the data, d², in the features of a classifier of ours; digits and scenes

Both distances of n true samples are not 0 but fall with n: compare only what has the same number of samples.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from edm.base.fields import SettingsError
from edm.data.settings import data_learned
from edm.evaluation.distances import distance_to
from edm.experiments import models

if TYPE_CHECKING:
    from edm.base.types import Device
    from edm.data import Dataset
    from edm.experiments.experiment import Experiment

TRUE_POINTS, TRUE_IMAGES = 4000, 2000  # samples of the data to compare with
_SEED = 10_000  # far from the seeds of what is compared with them


def true_points(dataset: Dataset | Drawn, count: int = TRUE_POINTS) -> torch.Tensor:
    """Samples of an `edm.data.Dataset` [count, d] that no run has drawn, to compare with or to show."""
    return dataset.sample(count, seed=_SEED)


@dataclass(frozen=True)
class Drawn:
    """Samples of an `edm.data.Dataset` that are of some classes, by turns."""

    dataset: Dataset
    classes: tuple[int, ...]

    def sample(self, count: int, seed: int = 0) -> torch.Tensor:
        turns = len(self.classes)
        found = torch.empty(count, *self.dataset.shape)
        for k, label in enumerate(self.classes[:count]):
            own = found[k::turns]
            own[:] = self.dataset.sample(len(own), seed * turns + k, label)
        return found


def data_of(experiment: Experiment, model: models.Model) -> Dataset | Drawn:
    """What samples of an `edm.Experiment` are to be like: its model's dataset, which must be known, or those of it that
    are of the classes that it asks for."""
    from edm.experiments import runner

    dataset, parts = model.dataset, runner.parts_of(experiment, model)
    assert dataset is not None
    return Drawn(dataset, parts) if parts else dataset


@dataclass(frozen=True)
class Measure:
    """title: for a button. axis: for an axis, with its unit; {count} stands for the number of samples.

    unfit(experiment, model) -> why it says nothing there, or None. against(experiment, model, device) -> a function of
    samples; None: it compares with the solution of the ODE. images: as many samples of images as it takes to say
    something; None: any.
    """

    name: str
    title: str
    axis: str
    unfit: Callable
    against: Callable | None = None
    images: int | None = None

    def axis_of(self, count: int | None = None) -> str:
        """The title of an axis; count: of the samples."""
        return self.axis.format(count="" if count is None else f"{count} ")


def _no_error(experiment, model) -> str | None:
    if not experiment.solvable:
        return "with this guidance, or in two stages, there is no ODE to whose solution finer steps lead; take another"
    if experiment.sampling.stochastic:
        return "a stochastic path has no ODE solution to compare with; set S_churn to 0"
    return None


def _no_distance(experiment, model) -> str | None:
    if len(model.shape) != 1 or model.dataset is None:
        return f"is for points whose data is known, and {model.name} is not; images have frechet"
    return None


def _distance(experiment, model, device):
    return distance_to(true_points(data_of(experiment, model)))


def _no_frechet(experiment, model) -> str | None:
    from edm.evaluation.classifiers import DESIGNS
    from edm.experiments.runner import count

    if _data(model) not in DESIGNS:
        return f"needs features, which {' and '.join(DESIGNS)} have; points have distance"
    if experiment.label is not None and not experiment.by_turns(model):
        return "compares with all classes; leave the class open"
    if count(experiment) < 2:
        return "needs 2 samples or more, and says little below some hundred"
    return None


def _frechet(experiment, model, device):
    from edm.evaluation.true_data import read, settings_of

    return read(settings_of(_data(model) or ""), TRUE_IMAGES, str(device)).frechet


MEASURES = {
    measure.name: measure
    for measure in (
        Measure("error", "error to the ODE", "RMS error to the ODE's solution", _no_error),
        Measure(
            "distance", "distance to the data", "sliced Wasserstein distance to the data", _no_distance, _distance
        ),
        Measure(
            "frechet", "Fréchet distance", "Fréchet distance of {count}images, in features of a small classifier",
            _no_frechet, _frechet, images=192,
        ),
    )
}  # fmt: skip


def check_measure(experiment: Experiment, measure: str) -> None:
    """Raises SettingsError with the reason where `measure` says nothing about samples of the `edm.Experiment`."""
    if measure not in MEASURES:
        raise _refused(measure, f"is no measure; those are {', '.join(MEASURES)}")
    if reason := MEASURES[measure].unfit(experiment, models.of(experiment)):
        raise _refused(measure, reason)


def to_data(experiment: Experiment, measure: str, device: Device = "cpu") -> Callable:
    """samples [B, …] -> float: the "distance" or "frechet" from the data of an `edm.Experiment`, drawn or read now.

    device: where features are computed. Raises SettingsError where the measure does not fit.
    """
    check_measure(experiment, measure)
    against = MEASURES[measure].against
    if against is None:
        known = " and ".join(name for name, other in MEASURES.items() if other.against)
        raise _refused(measure, f"is no measure against the data; those are {known}")
    return against(experiment, models.of(experiment), device)


def _data(model) -> str | None:
    """The name of what a model has learned, or stands for."""
    if not model.trained:
        return model.dataset.name
    known = data_learned(model.header)
    return known and known.dataset


def _refused(measure, reason) -> SettingsError:
    return SettingsError(f"measure = {measure!r:.40}: {reason}", ("measure",))
