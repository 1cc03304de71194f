"""An experiment's result as plain numbers, for scripts, if it does not take too long."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Iterator
from typing import ClassVar

import torch

from app.work.jobs import Job
from app.work.measures import final, has_solution, measure, measured, reference_steps
from app.work.shared import Work
from app.work.watch import Watch
from edm import models, runner
from edm.base.devices import precise
from edm.base.errors import Refused
from edm.diagnostics.errors import reference_evaluations
from edm.experiments.experiment import Experiment
from edm.sampling.denoisers import on

MOST_SECONDS = 20.0  # of computing
MOST_NUMBERS = 4_000_000  # in an answer
SEVERAL = 256, 16  # points, and images, whose evaluation is timed
LOOP = 1e-4  # seconds of a step beside its evaluation


class Numbers(Job):
    """The samples of an experiment as plain numbers, and their measures. Raises Refused if that would take too long."""

    kind: ClassVar[str] = "numbers"

    experiment: Experiment

    def compute(self, work: Work, watch: Watch) -> Iterator[tuple[dict, bool]]:
        check_cost(self.experiment, work, watch)
        yield plain(self.experiment, work, watch), True


def plain(experiment: Experiment, work: Work, watch: Watch) -> dict:
    """The result as plain numbers."""
    return {
        "samples": final(experiment, work, watch).tolist(),
        "levels": list(runner.path(experiment).sigmas),
        "measures": measure(experiment, work, watch),
        "settings": experiment.document(),
    }


def check_cost(experiment: Experiment, work: Work, watch: Watch) -> None:
    """Raises Refused, with the estimate, if sampling and measuring take more than a script may have."""
    model, count = models.of(experiment), runner.count(experiment)
    path = runner.path(experiment, model)
    parts = [(torch.float32, path.evaluations, count)]
    if has_solution(experiment, path):  # the error is against a fine one
        fine = max(path.passes, default=1) * reference_evaluations(reference_steps(model))
        parts.append((precise(work.place(model)), fine, measured(model, count)))
    seconds = 0.0
    for kind, evaluations, samples in parts:
        key = "seconds", model.identity, len(experiment.points or ()), kind
        first, further = work.remember(key, lambda kind=kind: timed(model, kind, work, watch))
        seconds += evaluations * (first + further * (samples - 1))
    if seconds > MOST_SECONDS:
        told = " and ".join(f"{evaluations:,} evaluations of {samples:,} samples" for _, evaluations, samples in parts)
        raise Refused(
            f"this would take about {seconds:,.0f} s ({told}), and a script may have {MOST_SECONDS:g} s: lower count "
            "or steps, or use `python -m edm sample`"
        )
    numbers = count * math.prod(model.shape)
    if numbers > MOST_NUMBERS:
        raise Refused(f"the answer would have {numbers:,} numbers, and may have {MOST_NUMBERS:,}: lower count")


def timed(model, kind, work, watch) -> tuple[float, float]:
    """Of an evaluation of one sample here, in float32 or float64, and what each further one adds."""
    place, many = work.place(model), SEVERAL[len(model.shape) == 3]
    denoiser = watch(on(model.denoiser, place))

    def once(number):
        x = torch.zeros(number, *model.shape, dtype=kind, device=place)
        labels = [torch.zeros(number, dtype=torch.long, device=place)] if model.trained and model.classes else []
        begun = time.perf_counter()
        denoiser(x, 1.0, *labels).cpu()
        return time.perf_counter() - begun

    with watch.turn(), torch.no_grad():
        one, several = (statistics.median(once(number) for _ in range(3)) for number in (1, many))
    return one + LOOP, max(several - one, 0) / (many - 1)
