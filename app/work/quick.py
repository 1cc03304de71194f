"""A whole picture before the one that is asked for: the same solution of the ODE, in few evaluations.

Who asks for many evaluations of a network sees blurs for long before the end. The solver that is declared for it
(`preview` of SOLVERS) ends so near to a converged solution that nobody tells them apart, in a third of the time, which
is shown until what was asked for is there.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

from app.work.shared import Work
from app.work.watch import Watch
from edm import models, runner
from edm.experiments.experiment import Experiment
from edm.sampling.path import Path
from edm.sampling.settings import Sampling
from edm.solvers import SOLVERS

SOON = 0.6  # seconds in which the whole picture is there by itself
WORTH = 2  # times as many evaluations has what is asked for, or more


class Quick:
    """The preview of an experiment. title: what it is, in words. seconds: of an evaluation here, once that is known."""

    def __init__(self, experiment: Experiment, model: models.Model, path: Path, work: Work):
        (solver,) = (one for one in SOLVERS.values() if one.preview is not None)
        start = path.sigmas[0]
        rows: dict[str, Any] = {"solver": solver.name, **(solver.preview or {}), "seed": experiment.sampling.seed}
        sampling = Sampling(**rows)
        own = runner.path(experiment.changed(sampling=sampling.model_dump()), model)
        if not math.isclose(own.sigmas[0], start, rel_tol=1e-9):
            sampling = sampling.changed(sigma_max=start)
        self.experiment, self.model, self._levels = (
            experiment.changed(sampling=sampling.model_dump()),
            model,
            path.sigmas,
        )
        self.title = f"{own.evaluations} evaluations of {solver.title}-{sampling.order}"
        self.worth = (
            experiment.solvable and _fits(experiment, model, path) and path.evaluations >= WORTH * own.evaluations
        )
        self._known = work.remember(("evaluation", model.identity, runner.count(experiment, model)), dict)
        self._evaluations = path.evaluations

    def pictures(self, place, watch: Watch, wrap: Callable) -> Iterator[tuple[list, list[int]]]:
        """(states so far, which levels of the experiment they stand for), as it is time for one; none where what is
        asked for will be there as soon, or others wait, who would wait longer."""
        if not self.worth or self._soon() or not watch.alone:
            return
        states = runner.states(self.experiment, place, wrap, model=self.model)
        with watch.turn():
            begun = time.perf_counter()
            first = next(states)
            self._known["seconds"] = time.perf_counter() - begun
        if self._soon():
            states.close()
            return
        for found, _ in watch.paced(chain([first], states)):
            yield found, [self._level(state.sigma) for state in found]

    def _soon(self) -> bool:
        seconds = self._known.get("seconds")
        return seconds is not None and seconds * self._evaluations < SOON

    def _level(self, sigma) -> int:
        """The number of the level that is nearest to σ."""
        if sigma == 0:
            return len(self._levels) - 1
        return min(range(len(self._levels) - 1), key=lambda i: abs(math.log(self._levels[i] / sigma)))


def _fits(experiment, model, path) -> bool:
    return model.trained and len(model.shape) == 3 and not path.stochastic and not runner.together(experiment)
