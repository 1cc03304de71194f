"""What a sweep asks: two knobs as axes, or a solver and a grid as one, a measure, and what they do not change."""

from __future__ import annotations

from dataclasses import dataclass

from edm.base.choices import knobs_of
from edm.base.fields import SettingsError, display
from edm.diagnostics import measures
from edm.diagnostics.errors import REFERENCE_STEPS
from edm.diagnostics.pairings import COORDINATES, Pairing
from edm.diagnostics.ranges import MAX_VALUES, parse_range, sweepable
from edm.experiments import runner
from edm.experiments.experiment import Experiment
from edm.sampling.guidance import GUIDANCES
from edm.sampling.settings import Sampling
from edm.schedules import SCHEDULES
from edm.solvers import SOLVERS
from edm.timesteps import DISCRETIZATIONS

PAIR = "pair"  # the axis that is a solver and a grid
SAMPLES = "samples"  # the measure that is none


@dataclass(frozen=True)
class Axis:
    """name: a knob of `Sampling` or `Experiment`; values: of that knob, in order. Or "pair": a `Pairing` each, or its
    text. Raises SettingsError for others."""

    name: str
    values: tuple

    def __post_init__(self):
        if self.name == PAIR:
            read = tuple(one if isinstance(one, Pairing) else Pairing.parse(str(one)) for one in self.values)
            object.__setattr__(self, "values", read)
        elif self.name not in sweepable():
            known = ", ".join((*sweepable(), PAIR))
            raise SettingsError(f"{self.name!r:.60} cannot be an axis; those that can are {known}")
        if not self.values:
            raise SettingsError(f"{self.name}: there are no values", (self.name,))

    @classmethod
    def parse(cls, name: str, text: str) -> Axis:
        """From a range as people write it, see `parse_range`; pairs by commas, see `edm.diagnostics.pairings`."""
        if name != PAIR:
            return cls(name, tuple(parse_range(text, name)))
        pairs = tuple(dict.fromkeys(Pairing.parse(part) for part in text.split(",")))
        if len(pairs) > MAX_VALUES:
            raise SettingsError(f"pair: these are {len(pairs)} pairs; an axis holds {MAX_VALUES}", (PAIR,))
        return cls(name, pairs)


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
        self._check_grids()
        seeds = tuple(dict.fromkeys(self.seeds)) or (self.experiment.sampling.seed,)
        if self._has("seed") and len(seeds) > 1:
            raise SettingsError("seed is an axis, so each cell has one; give no others", ("seed",))
        for seed in seeds:
            self.experiment.changed(sampling={"seed": seed})
        object.__setattr__(self, "seeds", seeds[:1] if self.measure == SAMPLES else seeds)

    def _check_grids(self):
        """No grid is ever silently ignored."""
        names = [axis.name for axis in (self.x, self.y) if axis is not None]
        if self.experiment.sampling.sigmas is not None:
            for name in names:
                if name in (PAIR, *display(Sampling, "sigmas")["instead"]):
                    reason = "the levels are given by hand (sigmas), so that it would change nothing; leave sigmas out"
                    raise SettingsError(f"{name} cannot be an axis: {reason}", (name,))
        for axis, other in ((self.x, self.y), (self.y, self.x)):
            if axis is not None and other is not None and axis.name == PAIR:
                for pair in axis.values:
                    if other.name in pair.sets or (pair.column and other.name in COORDINATES):
                        raise SettingsError(f"the pair {pair} sets {other.name}, which is an axis, too", (other.name,))

    def idle(self, row: int, column: int) -> tuple[str, ...]:
        """The axes whose knob changes nothing in this cell: another solver's, or of time steps that are not taken."""
        experiment = self.experiment_at(row, column)
        sampling = experiment.sampling
        entries = (
            (SOLVERS, sampling.solver), (DISCRETIZATIONS, sampling.discretization), (SCHEDULES, sampling.schedule),
            (GUIDANCES, experiment.guidance),
        )  # fmt: skip
        found = []
        for name in (axis.name for axis in (self.x, self.y) if axis is not None):
            homes = [(all_, own) for all_, own in entries if any(name in (knobs_of(all_, one) or ()) for one in all_)]
            elsewhere = homes and not any(name in (knobs_of(all_, own) or ()) for all_, own in homes)
            needed = display(Sampling, name).get("needs") if name in Sampling.model_fields else None
            if elsewhere or name in SOLVERS[sampling.solver].leaves or (needed and not getattr(sampling, needed)):
                found.append(name)
        return tuple(found)

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
        pair = chosen.pop(PAIR, None)
        base = self.experiment if pair is None else self._paired(pair)
        inner = {name: value for name, value in chosen.items() if name in Sampling.model_fields}
        outer = {name: value for name, value in chosen.items() if name not in inner}
        experiment = base.changed(sampling=inner, **outer)
        if runner.together(experiment):
            reason = "samples are one population, which no cell draws: choose another"
            raise SettingsError(f"guidance = {experiment.guidance!r}: its {reason}", ("guidance",))
        if self.measure != SAMPLES:
            measures.check_measure(experiment, self.measure)
        return experiment

    def _paired(self, pair: Pairing) -> Experiment:
        return self.experiment.changed(sampling=pair.applied(self.experiment.sampling).model_dump())

    def seeds_of(self, experiment: Experiment) -> tuple[int, ...]:
        """The seeds of a cell: its own one, if seed is an axis."""
        return (experiment.sampling.seed,) if self._has("seed") else self.seeds
