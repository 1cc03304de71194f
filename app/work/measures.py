"""How good an experiment's result is."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import ClassVar

from app.work.jobs import Job
from app.work.shared import Work, identity
from app.work.watch import Watch
from edm import diagnostics, models, runner
from edm.base import flat
from edm.diagnostics import leading
from edm.evaluation.distances import distance_to
from edm.experiments.experiment import Experiment
from edm.sampling.guidance.settings import Guiding
from edm.sampling.loop import last
from edm.sampling.path import Path

MEASURED_SAMPLES = 1000  # the measures look at this many samples at the most
MEASURED_IMAGES, HEAVY_REFERENCE_STEPS = 8, 96  # of image models, where an evaluation costs milliseconds
LARGE = 1024  # numbers of an image from which on that of an exact denoiser does, too


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
    samples = final(experiment, work, watch, model)[:MEASURED_SAMPLES]
    path = runner.path(experiment, model)
    count, exact, distance_of, floor = measured(model, len(samples)), None, None, None
    if has_solution(experiment, path):
        exact = solved(experiment, model, count, path.sigmas[0], work, watch)
    if len(model.shape) == 1 and model.dataset is not None:
        distance_of, floor = _truth(experiment, model, len(samples), work, watch)
    with watch.turn():
        error = None if exact is None else diagnostics.rms_error(samples[:count], exact)
        distance = None if distance_of is None else distance_of(samples)
        led = _led(experiment, model, samples, work)
    told = {"error": error, "distance": distance, "floor": floor, "stochastic": path.stochastic}
    return {**told, **({} if experiment.solvable else {"solvable": False}), **({} if led is None else {"led": led})}


def has_solution(experiment: Experiment, path: Path) -> bool:
    """Whether its steps are those of an ODE, of which there is an exact solution."""
    return experiment.solvable and not path.stochastic


def _led(experiment, model, samples, work) -> dict | None:
    """The samples of a class that they are led to, beside the densities that they might be of."""
    found = leading.led(experiment, model)
    if found is None:
        return None
    name = "led", *found, (model.dataset or model).name, len(samples)
    known = work.remember(name, lambda: leading.known(experiment, len(samples), model))
    mean, spread = leading.moments(samples)
    return {
        "label": str(experiment.label),
        "weight": found[1],
        "mean": mean.tolist(),
        "spread": spread,
        "beside": [
            {
                "title": one.known.title,
                "mean": one.known.mean.tolist(),
                "spread": one.known.spread,
                "distance": one.distance,
                "floor": one.known.floor,
            }
            for one in leading.beside(samples, known)
        ],
    }


def final(experiment: Experiment, work: Work, watch: Watch, model: models.Model | None = None):
    """Its samples, on the CPU. model: its own, if known."""
    known = model or models.of(experiment)

    def sample():
        with watch.turn():
            place = work.place(known, runner.count(experiment, known))
            return last(runner.states(experiment, place, watch, model=known)).x.cpu()

    return work.remember(("final", identity(experiment, known)), sample)


def solved(experiment, model, count, start, work, watch):
    """The exact solution of its first `count` samples, on the CPU, from σ_0 = `start`.

    Depends on where it starts only, σ_0 and the latents, so it is solved once while solver, steps, schedule … are
    tried; and to its end, whichever of these moves on meanwhile.
    """
    sampling, start = experiment.sampling, f"{start:.12g}"  # whose last digits differ from one ρ to the next
    name = *denoised_by("reference", experiment, model), count, sampling.seed, start

    def solve(watch):
        place = work.place(model, count)
        z, labels = runner.start(experiment, place, model=model)
        denoiser = runner.denoiser(experiment, model, place, watch)
        labels = None if labels is None else labels[:count]
        with watch.turn():
            return diagnostics.reference(denoiser, z[:count], sampling, labels, reference_steps(model)).cpu()

    return work.once(name, solve, watch)


def denoised_by(what: str, experiment: Experiment, model: models.Model) -> tuple:
    """What something may be kept under that depends on what is denoised, and how it is led."""
    guide = runner.guide(experiment, model)
    settings = flat.flatten(experiment)
    own = tuple((name, settings.get(name)) for name in Guiding.model_fields)
    return what, model.identity, experiment.points, experiment.label, own, guide and guide.identity


def _truth(experiment, model, count, work, watch):
    """(samples -> their distance to the data, that of `count` true samples)."""
    drawn = diagnostics.data_of(experiment, model)
    name = model.dataset.name, experiment.points, getattr(drawn, "classes", ())
    points = work.once(("data", name), lambda _: diagnostics.true_points(drawn), watch)

    def measure(watch):
        with watch.turn():
            return diagnostics.data_floor(drawn, count, points)

    floor = work.once(("floor", name, count), measure, watch)
    if experiment.points is not None:  # of every stroke of a drawing, 2 MB would be kept
        return distance_to(points), floor
    return work.once(("distance", name), lambda _: distance_to(points), watch), floor


def measured(model, count: int) -> int:
    """How many of `count` samples the error is measured on."""
    return min(count, MEASURED_IMAGES if _is_heavy(model) else MEASURED_SAMPLES)


def reference_steps(model) -> int:
    """N of the fine solution that it is measured against."""
    return HEAVY_REFERENCE_STEPS if _is_heavy(model) else diagnostics.REFERENCE_STEPS


def _is_heavy(model) -> bool:
    return len(model.shape) == 3 and (model.trained or math.prod(model.shape) > LARGE)
