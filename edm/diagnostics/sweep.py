"""A sweep: two knobs as axes, every pair of their values sampled from the same seeds."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from edm.diagnostics import measures
from edm.diagnostics.axes import SAMPLES, Sweep
from edm.diagnostics.errors import reference, reference_evaluations, rms_error
from edm.diagnostics.planning import MEGABYTES, Plan, PlannedCell, plan_sweep
from edm.diagnostics.sharing import Shared
from edm.diagnostics.statistics import interval
from edm.experiments import models, runner
from edm.experiments.experiment import Experiment
from edm.sampling.denoisers import on
from edm.sampling.loop import last, sample
from edm.sampling.noise import seeds

if TYPE_CHECKING:
    from edm.base.types import Device
    from edm.sampling.denoisers import Denoise


@dataclass(frozen=True)
class Cell:
    """A cell that is done. samples: [B, …] of the first seed, on the CPU; values: the measure's, one for each seed.

    problem: why there are no samples (then None), or why they have no value (then NaN); "" where all is well.
    evaluations: calls of the denoiser that this cell added, those for solutions included.
    """

    row: int
    column: int
    experiment: Experiment | None
    samples: torch.Tensor | None = None
    values: tuple[float, ...] = ()
    problem: str = ""
    evaluations: int = 0

    @property
    def interval(self) -> tuple[float, float, float] | None:
        """(mean, low, high) of the values, see `statistics.interval`; None where there are none."""
        return interval(self.values) if self.values else None


def run_sweep(
    sweep: Sweep,
    denoiser: Denoise | None = None,
    wrap: Callable | None = None,
    device: Device = "cpu",
    megabytes: float = MEGABYTES,
    plan: Plan | None = None,
) -> Iterator[Cell]:
    """Yields every cell as it is done, in the order of its plan; all cells start from the same seeds.

    device: where models are computed, but for exact toys (`runner.quickest`); "auto": the GPU if there is one.
    denoiser: D(x, sigma, labels=None) on `device`, in place of the experiment's model. wrap: put around whatever is
    asked, the plan's stand-in and the memory included, such as a check for cancellation that raises; it must pass on
    the denoiser's attributes. megabytes: for what cells share. plan: of the same arguments, where it is known.
    Raises SettingsError at once for what `plan_sweep` refuses; a cell that is not possible says so, and the others
    go on.
    """
    worker = _Worker(sweep, denoiser, wrap, device, megabytes)
    plan = plan or plan_sweep(sweep, denoiser, wrap, megabytes)
    return (worker.cell(planned) for planned in plan.cells)


class _Worker:
    """Runs cells, and keeps what the next one may need: shared results, solutions from the same start, the data."""

    def __init__(self, sweep, denoiser, wrap, device, megabytes):
        self.sweep, self.denoiser, self.device, self.megabytes = sweep, denoiser, device, megabytes
        self.wrap = wrap or (lambda denoiser: denoiser)
        self.model = self.start = None

    def cell(self, planned: PlannedCell) -> Cell:
        place, experiment = (planned.row, planned.column), planned.experiment
        if experiment is None:
            return Cell(*place, None, problem=planned.problem)
        self._prepare(planned)
        before, samples, values = self._spent(), [], []
        asked = self._asked(experiment, self._remembering(experiment))
        for seed in planned.seeds:
            seeded = experiment.changed(sampling={"seed": seed})
            z, labels = runner.start(seeded, self.place)
            end = last(sample(asked, z, seeded.sampling, labels, seeds=seeds(seed, len(z)))).x
            samples.append(end.cpu())
            if self.sweep.measure != SAMPLES:
                finite = torch.isfinite(samples[-1]).all()
                values.append(self._value(planned.start, seeded, end, z, labels) if finite else math.nan)
        problem = "" if all(torch.isfinite(x).all() for x in samples) else "these settings give samples without bounds"
        return Cell(*place, experiment, samples[0], tuple(values), problem, self._spent() - before)

    def _prepare(self, planned):
        if self.model != planned.experiment.model:
            own, model = self.denoiser is None, models.of(planned.experiment)
            self.place = runner.quickest(model, self.device, runner.count(planned.experiment)) if own else self.device
            self.known = on(model.denoiser, self.place) if own else self.denoiser
            self.shared, self.model, self.to_data = Shared(self.known, self.megabytes), planned.experiment.model, None
            self.guides: dict[tuple, Shared] = {}
        if self.start != planned.latents:
            self.start, self.solutions = planned.latents, {}

    def _asked(self, experiment, wrap) -> Denoise:
        """What a cell's sampler asks: the denoiser that was given, or the model's with its guidance."""
        if self.denoiser is not None:
            return wrap(self.denoiser)
        return runner.denoiser(experiment, models.of(experiment), self.place, wrap)

    def _remembering(self, experiment) -> Callable:
        """wrap(the model's denoiser), then wrap(its guide), if it has one: with the memories that cells share."""
        own = [self.shared]

        def wrap(inner):
            guide = experiment.guidance, experiment.guide
            return self.wrap(own.pop() if own else self.guides.setdefault(guide, Shared(inner, self.megabytes)))

        return wrap

    def _spent(self) -> int:
        each = reference_evaluations(self.sweep.reference_steps)
        remembered = [self.shared, *self.guides.values()]
        return sum(one.evaluations for one in remembered) + each * len(self.solutions)

    def _value(self, start, experiment, end, z, labels) -> float:
        sweep, key = self.sweep, (start, experiment.sampling.seed)
        if not sweep.needs_solution:
            self.to_data = self.to_data or measures.to_data(experiment, sweep.measure, self.place)
            return self.to_data(end)
        if key not in self.solutions:
            asked = self._asked(experiment, self.wrap)
            self.solutions[key] = reference(asked, z, experiment.sampling, labels, sweep.reference_steps)
        return rms_error(end, self.solutions[key])
