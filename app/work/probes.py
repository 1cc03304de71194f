"""The path of one particle from where somebody has put it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Annotated, ClassVar

import torch
from pydantic import Field

from app.work.jobs import Job
from app.work.shared import Work, identity
from app.work.watch import Watch
from edm import models, runner
from edm.base.errors import Refused
from edm.base.fields import Whole
from edm.base.transfers import sent
from edm.embedded import from_plane, in_plane
from edm.experiments.experiment import Experiment
from edm.sampling.guidance import GUIDANCES
from edm.sampling.loop import sample
from edm.sampling.noise import seeds

FARTHEST = 1e6


class Probe(Job):
    """The path of one particle from `position` (of x/s) at noise level i down to 0, as those beside it go: on the
    same levels, with the noise of the sample that is nearest there. Its body: {level, sigma: of the levels, path}."""

    kind: ClassVar[str] = "probe"

    experiment: Experiment
    level: Whole
    position: Annotated[tuple[float, ...], Field(min_length=1, max_length=2)]

    def compute(self, work: Work, watch: Watch) -> Iterator[tuple[dict, bool]]:
        with watch.turn():
            found = self._path(work, watch)
        yield found, True

    def _path(self, work, watch) -> dict:
        experiment, model = self.experiment, models.of(self.experiment)
        if GUIDANCES[experiment.guidance].population:
            raise Refused("samples of a population are drawn from each other: one of them has no path of its own")
        path = runner.path(experiment, model)
        level = min(max(self.level, 0), path.steps - 1)
        if not all(abs(value) < FARTHEST for value in self.position):
            raise Refused(f"position {list(self.position)} is outside of every picture")
        place = work.place(model, runner.count(experiment, model))
        position = torch.tensor([self.position], dtype=torch.float32)
        if len(model.shape) == 1 and model.shape[0] > 2:  # within the plane by which it is drawn
            position = from_plane(position, model.shape[0], model.plane)
        _, labels = runner.start(experiment, place, model=model)
        k = self._nearest(model, level, position, place, work, watch) if path.stochastic else 0
        labels = None if labels is None else labels[k : k + 1]
        own = seeds(experiment.sampling.seed, 1, k)
        begin = level, sent(position, place) * path.scale(level)
        denoiser = runner.denoiser(experiment, model, place, watch)
        found = sample(denoiser, None, experiment.sampling, labels, seeds=own, begin=begin)
        line = in_plane(torch.cat([state.x / state.scale for state in found]), model.plane).tolist()
        return {"level": level, "sigma": list(path.sigmas[level:]), "path": line}

    def _nearest(self, model, level, position, place, work, watch) -> int:
        """Which sample is nearest to a position at a noise level."""

        def there():
            with closing(runner.states(self.experiment, place, watch, model=model)) as states:
                state = next(state for state in states if state.index == level)
            return (state.x / state.scale).cpu()

        samples = work.remember(("there", identity(self.experiment, model), level), there)
        return int((samples - position).square().sum(1).argmin())
