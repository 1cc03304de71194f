"""How long an evaluation takes here, and how a time is said before something is begun."""

from __future__ import annotations

import time

from app.instruments.base import Context
from edm import runner
from edm.experiments.experiment import Experiment
from edm.experiments.models import Model
from edm.sampling.loop import last


def evaluation_seconds(experiment: Experiment, model: Model, context: Context) -> float:
    """Of one evaluation for all samples of an experiment, from a short run."""

    def measure():
        brief = experiment.changed(sampling={"steps": 2, "S_churn": 0.0, "discretization": "edm"})
        taken = []
        for _ in range(2):
            start = time.perf_counter()
            evaluations = last(runner.states(brief, context.place(model), context.watch)).evaluations
            taken.append((time.perf_counter() - start) / evaluations)
        return min(taken)

    return context.work.remember(("evaluation", model.identity, experiment.count, experiment.guidance), measure)


def said(seconds: float) -> str:
    """ "12 s", "4 min": about."""
    if seconds >= 100:
        return f"{seconds / 60:.0f} min"
    return f"{seconds:.0f} s" if seconds >= 1.5 else f"{max(seconds, 0.1):.1f} s"
