"""One number that says how good samples are: their error against the ODE's solution, or their distance to the data.

    error       RMS to the solution from the same latents, see `errors`; without churn, any model
    distance    sliced Wasserstein to samples of the data, in its units; points
    frechet     Fréchet distance to the data, d², in the features of a classifier of ours; digits and scenes

Both distances of n true samples are not 0 but fall with n: compare only what has the same number of samples.
"""

from __future__ import annotations

from collections.abc import Callable

from edm.base.fields import SettingsError
from edm.data.settings import data_learned
from edm.evaluation.distances import sliced_wasserstein
from edm.experiments import models

MEASURES = ("error", "distance", "frechet")
TRUE_POINTS, TRUE_IMAGES = 4000, 2000  # samples of the data to compare with
_SEED = 10_000  # far from the seeds of what is compared with them


def check_measure(experiment, measure: str) -> None:
    """Raises SettingsError with the reason where `measure` says nothing about samples of the `edm.Experiment`."""
    model = models.of(experiment)
    if measure == "error" and experiment.sampling.S_churn > 0:
        raise _refused(measure, "a stochastic path has no ODE solution to compare with; set S_churn to 0")
    if measure == "distance" and (len(model.shape) != 1 or model.dataset is None):
        raise _refused(measure, f"is for points whose data is known, and {model.name} is not; images have frechet")
    if measure == "frechet":
        from edm.evaluation.classifiers import DESIGNS
        from edm.experiments.runner import count

        if _data(model) not in DESIGNS:
            raise _refused(measure, f"needs features, which {' and '.join(DESIGNS)} have; points have distance")
        if experiment.label is not None:
            raise _refused(measure, "compares with all classes; leave the class open")
        if count(experiment) < 2:
            raise _refused(measure, "needs 2 samples or more, and says little below some hundred")


def to_data(experiment, measure: str, device="cpu") -> Callable:
    """samples [B, …] -> float: the "distance" or "frechet" from the data of an `edm.Experiment`, drawn or read now.

    device: where features are computed. Raises SettingsError where the measure does not fit.
    """
    check_measure(experiment, measure)
    model = models.of(experiment)
    if measure == "distance":
        truth = model.dataset.sample(TRUE_POINTS, seed=_SEED)
        return lambda samples: sliced_wasserstein(samples, truth)
    if measure != "frechet":
        raise _refused(measure, "is no measure against the data; those are distance and frechet")
    from edm.evaluation import frechet_distance
    from edm.evaluation.features import to_8_bits
    from edm.evaluation.truth import settings_of, truth

    known = truth(settings_of(_data(model)), TRUE_IMAGES, str(device))
    return lambda samples: frechet_distance(known.features.of(to_8_bits(samples)), known.moments)


def _data(model) -> str | None:
    """The name of what a model has learned, or stands for."""
    if not model.trained:
        return model.dataset.name
    known = data_learned(model.header)
    return known and known.dataset


def _refused(measure, reason) -> SettingsError:
    return SettingsError(f"measure = {measure!r:.40}: {reason}", ("measure",))
