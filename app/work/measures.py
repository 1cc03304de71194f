"""How good an experiment's result is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from app.work.jobs import Job
from app.work.shared import Work, identity
from app.work.watch import Watch
from edm import diagnostics, models, runner
from edm.experiments.experiment import Experiment
from edm.sampling.denoisers import on
from edm.sampling.loop import last
from edm.sampling.path import path_of

MEASURED_SAMPLES = 1000  # the measures look at this many samples at the most
MEASURED_IMAGES, HEAVY_REFERENCE_STEPS = 8, 96  # of trained image models, where an evaluation costs milliseconds


class Measures(Job):
    """How good the result is, over its first samples, in the data's units."""

    kind: ClassVar[str] = "measures"

    experiment: Experiment

    def compute(self, work: Work, watch: Watch) -> Iterator[tuple[dict, bool]]:
        yield measure(self.experiment, work, watch), True


def measure(experiment: Experiment, work: Work, watch: Watch) -> dict:
    """error: RMS distance to the ODE's exact solution; None with churn, where there is none.
    distance: sliced Wasserstein to the data, and floor: what true samples would give; None for images.
    """
    model = models.of(experiment)
    samples = final(experiment, work, watch)[:MEASURED_SAMPLES]
    stochastic = path_of(experiment.sampling, model.denoiser).stochastic
    found = {"error": None, "distance": None, "floor": None, "stochastic": stochastic}
    if not stochastic:
        count = measured(model, len(samples))
        exact = _reference(experiment, model, count, work, watch)
        found["error"] = diagnostics.rms_error(samples[:count], exact)
    dataset = model.dataset
    if len(model.shape) == 1 and dataset is not None:
        name = dataset.name, experiment.points
        points = work.remember(("data", name), lambda: diagnostics.true_points(dataset))
        found["distance"] = diagnostics.sliced_wasserstein(samples, points)
        found["floor"] = work.remember(
            ("floor", name, len(samples)), lambda: diagnostics.data_floor(dataset, len(samples), points)
        )
    return found


def final(experiment: Experiment, work: Work, watch: Watch):
    """Its samples, on the CPU."""

    def sample():
        with watch.turn():
            place = work.place(models.of(experiment), runner.count(experiment))
            return last(runner.states(experiment, place, watch)).x.cpu()

    return work.remember(("final", identity(experiment)), sample)


def _reference(experiment, model, count, work, watch):
    """Depends on the start only, so it is computed once while solver, steps, schedule … are tried."""
    sampling = experiment.sampling
    start = path_of(sampling, model.denoiser).sigmas[0]
    name = "reference", model.identity, experiment.points, experiment.label, count, sampling.seed, start

    def solve():
        place = work.place(model, count)
        z, labels = runner.start(experiment, place)
        denoiser = watch(on(model.denoiser, place))
        labels = None if labels is None else labels[:count]
        with watch.turn():
            return diagnostics.reference(denoiser, z[:count], sampling, labels, reference_steps(model)).cpu()

    return work.remember(name, solve)


def measured(model, count: int) -> int:
    """How many of `count` samples the error is measured on."""
    return min(count, MEASURED_IMAGES if _is_heavy(model) else MEASURED_SAMPLES)


def reference_steps(model) -> int:
    """N of the fine solution that it is measured against."""
    return HEAVY_REFERENCE_STEPS if _is_heavy(model) else diagnostics.REFERENCE_STEPS


def _is_heavy(model) -> bool:
    return model.trained and len(model.shape) == 3
