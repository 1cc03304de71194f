"""A sweep: two knobs as axes, every pair of their values sampled from the same seeds."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from edm.base.fields import SettingsError
from edm.diagnostics import measures
from edm.diagnostics.errors import REFERENCE_STEPS, reference, reference_evaluations, rms_error
from edm.diagnostics.planning import MEGABYTES, Plan, PlannedCell, plan_sweep
from edm.diagnostics.ranges import parse_range, sweepable
from edm.diagnostics.sharing import Shared
from edm.diagnostics.statistics import interval
from edm.experiments import models, runner
from edm.experiments.experiment import Experiment
from edm.sampling.denoisers import on
from edm.sampling.loop import last, sample
from edm.sampling.noise import seeds
from edm.sampling.settings import Sampling

if TYPE_CHECKING:
    from edm.base.types import Device
    from edm.sampling.denoisers import Denoise

SAMPLES = "samples"  # the measure that is none


@dataclass(frozen=True)
class Axis:
    """name: a knob of `Sampling` or `Experiment`; values: of that knob, in order. Raises SettingsError for others."""

    name: str
    values: tuple

    def __post_init__(self):
        if self.name not in sweepable():
            raise SettingsError(f"{self.name!r:.60} cannot be an axis; those that can are {', '.join(sweepable())}")
        if not self.values:
            raise SettingsError(f"{self.name}: there are no values", (self.name,))

    @classmethod
    def parse(cls, name: str, text: str) -> Axis:
        """From a range as people write it, see `parse_range`."""
        return cls(name, tuple(parse_range(text, name)))


@dataclass(frozen=True)
class Sweep:
    """experiment: what the axes do not change. x: along columns; y: along rows, or None for a single row.

    seeds: each cell is run with each of them; (): the experiment's own. measure: "samples" for pictures of the first
    seed only, or one of `measures.MEASURES`. reference_steps: of the solution that "error" compares with.
    Raises SettingsError for what cannot be swept.
    """

    experiment: Experiment
    x: Axis
    y: Axis | None = None
    seeds: tuple[int, ...] = ()
    measure: str = SAMPLES
    reference_steps: int = REFERENCE_STEPS

    def __post_init__(self):
        if self.y is not None and self.x.name == self.y.name:
            raise SettingsError(f"both axes are {self.x.name}; take two different knobs, or one axis", (self.x.name,))
        if self.measure not in (SAMPLES, *measures.MEASURES):
            known = ", ".join((SAMPLES, *measures.MEASURES))
            raise SettingsError(f"measure = {self.measure!r:.40}: must be one of {known}", ("measure",))
        seeds = tuple(dict.fromkeys(self.seeds)) or (self.experiment.sampling.seed,)
        if self._has("seed") and len(seeds) > 1:
            raise SettingsError("seed is an axis, so each cell has one; give no others", ("seed",))
        for seed in seeds:
            self.experiment.changed(sampling={"seed": seed})
        object.__setattr__(self, "seeds", seeds[:1] if self.measure == SAMPLES else seeds)

    def _has(self, name: str) -> bool:
        return name in (self.x.name, self.y and self.y.name)

    @property
    def one_model(self) -> bool:
        """Whether all cells sample the same model."""
        return not self._has("model")

    @property
    def needs_solution(self) -> bool:
        """Whether the cells are compared with the ODE's solution."""
        return self.measure != SAMPLES and measures.MEASURES[self.measure].against is None

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""
        return 1 if self.y is None else len(self.y.values), len(self.x.values)

    def experiment_at(self, row: int, column: int) -> Experiment:
        """The settings of a cell. Raises SettingsError where its values, or they and the measure, do not fit."""
        chosen = {self.x.name: self.x.values[column]}
        if self.y is not None:
            chosen[self.y.name] = self.y.values[row]
        inner = {name: value for name, value in chosen.items() if name in Sampling.model_fields}
        outer = {name: value for name, value in chosen.items() if name not in inner}
        experiment = self.experiment.changed(sampling=inner, **outer)
        if self.measure != SAMPLES:
            measures.check_measure(experiment, self.measure)
        return experiment

    def seeds_of(self, experiment: Experiment) -> tuple[int, ...]:
        """The seeds of a cell: its own one, if seed is an axis."""
        return (experiment.sampling.seed,) if self._has("seed") else self.seeds


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
        for seed in planned.seeds:
            seeded = experiment.changed(sampling={"seed": seed})
            z, labels = runner.start(seeded, self.device)
            end = last(sample(self.wrap(self.shared), z, seeded.sampling, labels, seeds=seeds(seed, len(z)))).x
            samples.append(end.cpu())
            if self.sweep.measure != SAMPLES:
                finite = torch.isfinite(end).all()
                values.append(self._value(seeded, end, z, labels) if finite else math.nan)
        problem = "" if all(torch.isfinite(x).all() for x in samples) else "these settings give samples without bounds"
        return Cell(*place, experiment, samples[0], tuple(values), problem, self._spent() - before)

    def _prepare(self, planned):
        if self.model != planned.experiment.model:
            own = self.denoiser is None
            self.known = on(models.of(planned.experiment).denoiser, self.device) if own else self.denoiser
            self.shared, self.model, self.to_data = Shared(self.known, self.megabytes), planned.experiment.model, None
        if self.start != planned.start:
            self.start, self.solutions = planned.start, {}

    def _spent(self) -> int:
        each = reference_evaluations(self.sweep.reference_steps)
        return self.shared.evaluations + each * len(self.solutions)

    def _value(self, experiment, end, z, labels) -> float:
        sweep, seed = self.sweep, experiment.sampling.seed
        if not sweep.needs_solution:
            self.to_data = self.to_data or measures.to_data(experiment, sweep.measure, self.device)
            return self.to_data(end)
        if seed not in self.solutions:
            asked = self.wrap(self.known)
            self.solutions[seed] = reference(asked, z, experiment.sampling, labels, sweep.reference_steps)
        return rms_error(end, self.solutions[seed])
