"""What a few methods of today make of the evaluations that an experiment takes, in flow's coordinates."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, ClassVar

from app.work.jobs import Job
from app.work.measures import denoised_by, has_solution, measured, solved
from app.work.shared import Work
from app.work.watch import Watch
from edm import models, runner
from edm.base.errors import Refused
from edm.diagnostics import rms_error, with_evaluations
from edm.experiments.experiment import Experiment
from edm.sampling.loop import last, sample
from edm.sampling.path import path_of
from edm.sampling.settings import Sampling
from edm.solvers import SOLVERS

COORDINATES = {"schedule": "flow", "scaling": "flow"}
ROWS: dict[str, Any] = {
    "discretization": "flow",
    "shift": 0.5,
    "alpha": 1.0,
    "variant": None,
    "lower_order_final": False,
    "sigma_min": None,
    "sigmas": None,
    "S_churn": 0.0,
}


class Rivals(Job):
    """Which of the solvers that are declared for it (`rival`) comes nearest to the exact solution, with no more
    evaluations than the experiment takes.

    Its body: {best: {method, evaluations, error, sampling: what to change} or None}. The error is that of
    `app.work.measures`: over the same samples, against the same solution.
    """

    kind: ClassVar[str] = "rivals"

    experiment: Experiment

    def compute(self, work: Work, watch: Watch) -> Iterator[tuple[dict, bool]]:
        experiment, model = self.experiment, models.of(self.experiment)
        path = runner.path(experiment, model)
        if not has_solution(experiment, path):
            yield {"best": None}, True
            return
        start, count = path.sigmas[0], measured(model, runner.count(experiment, model))
        exact = solved(experiment, model, count, start, work, watch)
        seed, rivals = experiment.sampling.seed, [solver for solver in SOLVERS.values() if solver.rival is not None]
        settings = [_settings(solver, model, start, path.calls, seed) for solver in rivals]

        def race(watch):
            errors = [_error(experiment, model, sampling, exact, work, watch) for sampling in settings]
            return min(zip(errors, settings, strict=True), key=lambda pair: pair[0])

        name = *denoised_by("rivals", experiment, model), count, experiment.sampling.seed
        error, best = work.once((*name, f"{start:.12g}", path.calls), race, watch)
        told = _told(best, error, experiment, model) if math.isfinite(error) else None
        worth = told is not None and told["evaluations"] <= path.evaluations
        yield {"best": told if worth else None}, True


def _settings(solver, model, start, evaluations, seed) -> Sampling:
    rows = {**ROWS, **COORDINATES, "order": None, **solver.rival, "solver": solver.name, "seed": seed}
    own = with_evaluations(Sampling(**rows), evaluations)
    same = math.isclose(path_of(own, model.denoiser).sigmas[0], start, rel_tol=1e-9)
    return own if same else own.changed(sigma_max=start)


def _error(experiment, model, sampling, exact, work, watch) -> float:
    """RMS to the exact solution; infinite where there are no samples with these settings."""
    place = work.place(model, len(exact))
    z, labels = runner.start(experiment, place, range(len(exact)), model)
    with watch.turn():
        try:
            denoiser = runner.denoiser(experiment, model, place, watch)
            end = last(sample(denoiser, z, sampling, labels)).x.cpu()
        except Refused:
            return math.inf
        error = rms_error(end, exact)
    return error if math.isfinite(error) else math.inf


def _told(sampling, error, experiment, model) -> dict:
    solver, document = SOLVERS[sampling.solver], sampling.document(complete=True)
    title = f"{solver.title}-{sampling.order}" if sampling.order else solver.title
    changed = ["solver", "order", "steps", "sigma_max", *ROWS, *(() if solver.in_sigma else COORDINATES)]
    return {
        "method": f"{title} {'with flow’s time steps' if solver.in_sigma else 'in flow’s coordinates'}",
        "evaluations": runner.path(experiment.changed(sampling=sampling.document(complete=True)), model).evaluations,
        "error": error,
        "sampling": {name: document[name] for name in changed},
    }
