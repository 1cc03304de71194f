"""The noise levels with which an experiment comes nearest to the exact solution, found while somebody watches."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import ClassVar

from app.work.jobs import Job
from app.work.shared import Work
from app.work.watch import Watch
from edm import models, runner
from edm.base.errors import Refused
from edm.diagnostics import Found, Optimized, optimizing
from edm.experiments.experiment import Experiment

POINTS, IMAGES = 128, 16  # samples that levels are found for
SEEDS = 1 << 32


class Levels(Job):
    """Previews of the best levels so far, then those that were found, and how good they are on other samples.

    As `edm.diagnostics.optimizing` finds them for the experiment's model, class and seed; others: of the next seed.
    """

    kind: ClassVar[str] = "levels"

    experiment: Experiment

    def compute(self, work: Work, watch: Watch) -> Iterator[tuple[dict, bool]]:
        for so_far, _ in watch.paced(self._found(work, watch)):
            found = so_far[-1]
            yield _body(found), isinstance(found, Optimized)
            if isinstance(found, Optimized):
                return

    def _found(self, work, watch) -> Iterator[Found | Optimized]:
        experiment, model = self.experiment, models.of(self.experiment)
        if not experiment.solvable:
            why = "with this guidance, or in two stages, there is no exact solution for levels to come near to"
            raise Refused(f"{why}; choose another")
        numbers = range(IMAGES if len(model.shape) == 3 else POINTS)
        place = work.place(model, len(numbers))
        other = experiment.changed(sampling={"seed": (experiment.sampling.seed + 1) % SEEDS})
        z, labels = runner.start(experiment, place, numbers, model)
        others, _ = runner.start(other, place, numbers, model)
        denoiser = runner.denoiser(experiment, model, place, watch)
        return optimizing(denoiser, experiment.sampling, z, labels, others=others)


def _body(found: Found | Optimized) -> dict:
    if isinstance(found, Found):
        return {"share": found.share, "sigmas": found.sigmas, "error": _finite(found.error)}
    if not math.isfinite(found.elsewhere):
        raise Refused("the samples have no bounds with these settings, and no levels were found: take more steps")
    return {
        "share": 1.0,
        "sigmas": found.sigmas,
        "error": _finite(found.error),
        "found": {
            "elsewhere": found.elsewhere,
            "before": _finite(found.before),
            "predicted": _finite(found.predicted),
            "runs": found.runs,
        },
    }


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None
