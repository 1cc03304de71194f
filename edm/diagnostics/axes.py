"""What a sweep asks: two knobs as axes, a measure, and what they do not change."""

from __future__ import annotations

from dataclasses import dataclass

from edm.base.fields import SettingsError
from edm.diagnostics import measures
from edm.diagnostics.errors import REFERENCE_STEPS
from edm.diagnostics.ranges import parse_range, sweepable
from edm.experiments.experiment import Experiment
from edm.sampling.settings import Sampling

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
