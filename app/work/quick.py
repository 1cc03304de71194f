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

from app.work.shared import Work
from app.work.watch import Watch
from edm import models, runner
from edm.experiments.experiment import Experiment
from edm.sampling.path import Path, path_of
from edm.sampling.settings import Sampling
from edm.solvers import SOLVERS

SOON = 0.6  # seconds in which the whole picture is there by itself
WORTH = 2  # times as many evaluations has what is asked for, or more


def previewed(experiment: Experiment, model: models.Model, work: Work) -> Quick | None:
    """The preview of an experiment, where that is the images of a network, whose end is a solution, by far more
    evaluations than the preview takes."""
    if not model.trained or len(model.shape) != 3 or not experiment.solvable:
        return None
    path = runner.path(experiment, model)
    quick = None if path.stochastic else Quick(experiment, model, path, work)
    return quick if quick and path.evaluations >= WORTH * quick.evaluations else None


class Quick:
    """evaluations: that the preview takes. title: what it is, in words."""

    def __init__(self, experiment: Experiment, model: models.Model, path: Path, work: Work):
        (solver,) = (one for one in SOLVERS.values() if one.preview is not None)
        start, rows = path.sigmas[0], {"solver": solver.name, **(solver.preview or {})}
        sampling = Sampling(**rows, seed=experiment.sampling.seed)
        if not math.isclose(path_of(sampling, model.denoiser).sigmas[0], start, rel_tol=1e-9):
            sampling = sampling.changed(sigma_max=start)
        self._experiment, self._model, self._path = experiment.changed(sampling=sampling.model_dump()), model, path
        self.evaluations = runner.path(self._experiment, model).evaluations
        self.title = f"{self.evaluations} evaluations of {solver.title}-{sampling.order}"
        self._known = work.remember(("preview", model.identity, runner.count(experiment, model)), dict)

    def pictures(self, place, watch: Watch, wrap: Callable) -> Iterator[tuple[list, list[int]]]:
        """(states so far, which levels of the experiment they stand for), as it is time for one; none where what is
        asked for will be there as soon, or others wait, who would wait longer."""
        if self._soon() or not watch.alone:
            return
        states = runner.states(self._experiment, place, wrap, model=self._model)
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
        return seconds is not None and seconds * self._path.evaluations < SOON

    def _level(self, sigma) -> int:
        """The number of the level that is nearest to σ."""
        levels = self._path.sigmas[:-1]
        if sigma == 0:
            return len(levels)
        return min(range(len(levels)), key=lambda i: abs(math.log(levels[i] / sigma)))
