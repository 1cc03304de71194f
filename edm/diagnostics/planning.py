"""What a sweep will cost, and the order in which its cells cost least.

Cells often take the same first steps: from the same latents, with the same noise, down to the level where a knob
first matters. They are found by running the sampler on a few numbers with a cheap stand-in for the denoiser. The
evaluations of all cells form a tree; the cells run in the order of a walk through it, each branch to its end, so
that a memory of recent results (`Shared`) as large as one cell's path holds all that the next cell has in common.
"""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

import torch

from edm.base.errors import Refused
from edm.base.fields import SettingsError
from edm.diagnostics.errors import reference_evaluations
from edm.diagnostics.sharing import Recent, entry_size
from edm.experiments import models, runner
from edm.experiments.experiment import Experiment
from edm.sampling import noise
from edm.sampling.denoisers import Around, At
from edm.sampling.guidance.settings import Guiding
from edm.sampling.loop import last, sample
from edm.sampling.path import path_of

if TYPE_CHECKING:
    from edm.base.protocols import PathLike
    from edm.diagnostics.axes import Sweep
    from edm.sampling.denoisers import Denoise

MAX_CELLS, MAX_EVALUATIONS = 4096, 400_000
MEGABYTES = 256
_NUMBERS = 16  # in the stand-in's state: enough that rounding does not make two paths equal by chance


@dataclass(frozen=True)
class PlannedCell:
    """A cell to come. experiment: its settings, or None where `problem` says why they do not go together.

    evaluations: what it costs by itself, over its seeds. start: (model, class, samples, σ₀, guidance), on
    which its paths and the solution depend besides the seed.
    """

    row: int
    column: int
    experiment: Experiment | None
    problem: str = ""
    evaluations: int = 0
    seeds: tuple[int, ...] = ()
    start: tuple = field(default=(), repr=False)

    @property
    def latents(self) -> tuple:
        """Of start, what does not depend on guidance: what cells have in common in whose first steps there is none."""
        return self.start[:-1]


@dataclass(frozen=True)
class Plan:
    """What a sweep costs, in calls of the denoiser, each for all samples of one seed.

    cells: in the order in which they run. naive: with every cell by itself; shared: with what cells have in common
    computed once (less still, if rounding makes equal what is nearly equal); references: for the solutions that the
    measure "error" compares with.
    """

    cells: tuple[PlannedCell, ...]
    naive: int
    shared: int
    references: int

    @property
    def evaluations(self) -> int:
        """All that the sweep takes: shared + references."""
        return self.shared + self.references

    @property
    def problems(self) -> int:
        """How many cells have settings that do not go together."""
        return sum(cell.experiment is None for cell in self.cells)


def plan_sweep(
    sweep: Sweep, denoiser: Denoise | None = None, wrap: Callable | None = None, megabytes: float = MEGABYTES
) -> Plan:
    """What `run_sweep` of the `Sweep` with the same arguments will do.

    It takes 50 to 100 µs for each evaluation of one seed. denoiser: in place of the experiment's model; only its
    attributes matter here. wrap: as there, to stop it.
    Raises SettingsError for more than 4096 cells or 400,000 evaluations, and for one denoiser with several models.
    """
    rows, columns = sweep.shape
    if rows * columns > MAX_CELLS:
        raise SettingsError(f"the sweep has {rows * columns:,} cells; at most {MAX_CELLS:,} are allowed", ("sweep",))
    if denoiser is not None and not sweep.one_model:
        raise SettingsError("model is an axis, so there cannot be one denoiser for all cells", ("model",))
    cells = [_cell(sweep, row, column, denoiser) for row in range(rows) for column in range(columns)]
    naive = sum(cell.evaluations for cell in cells)
    solutions = {(cell.start, seed) for cell in cells for seed in cell.seeds} if sweep.needs_solution else ()
    references = len(solutions) * reference_evaluations(sweep.reference_steps)
    if naive + references > MAX_EVALUATIONS:
        raise SettingsError(
            f"the sweep takes {naive + references:,} evaluations of the denoiser; at most {MAX_EVALUATIONS:,} are "
            "allowed, so take fewer values, seeds or steps",
            ("sweep",),
        )
    cells, paths = _ordered(cells, [_asked(cell, denoiser, wrap) for cell in cells])
    return Plan(tuple(cells), naive, _misses(cells, paths, megabytes), references)


def _cell(sweep, row, column, denoiser) -> PlannedCell:
    try:
        experiment = sweep.experiment_at(row, column)
        path = path_of(experiment.sampling, _denoiser(experiment, denoiser))
        start = float(f"{path.sigmas[0]:.12g}")  # the powers of ρ round differently
    except Refused as error:
        return PlannedCell(row, column, None, str(error))
    seeds = sweep.seeds_of(experiment)
    evaluations = path.evaluations * len(seeds)
    origin = experiment.model, experiment.label, runner.count(experiment), start, _guidance(experiment)
    return PlannedCell(row, column, experiment, "", evaluations, seeds, origin)


def _denoiser(experiment, denoiser):
    return runner.denoiser(experiment) if denoiser is None else denoiser


def _guidance(experiment, but: str = "") -> str:
    """What tells the guidance from others, but for one of its fields; "" for none."""
    if experiment.guidance == "none":
        return ""
    told = {name: value for name, value in experiment.document().items() if name in Guiding.model_fields}
    return json.dumps({name: value for name, value in told.items() if name != but}, sort_keys=True)


class _StandIn(Around):
    """D(x; σ) = ½·sin(x/√(1 + σ²)) on the levels of the true denoiser; it notes what it is asked. Where that is guided,
    by two evaluations, both are noted, and D is another."""

    def __init__(self, denoiser, guidance: str = "", passes: tuple[int, ...] = ()):
        super().__init__(denoiser)
        self.asked: list = []
        self._guidance, self._passes, self._step = guidance, passes, 0

    @property
    def shape(self) -> None:
        """It is asked of a few numbers, whatever the denoiser is for."""

    def along(self, path: PathLike) -> At:
        return self._within

    def _within(self, index):
        self._step = index
        return self

    def evaluations_at(self, sigma) -> int:
        return 1

    def __call__(self, x, sigma, labels=None):
        key, value = (sigma, hash(x.numpy().tobytes())), 0.5 * torch.sin(x / math.sqrt(1 + sigma**2))
        if not self._passes or self._passes[self._step] < 2:
            self.asked.append(key)
            return value
        self.asked += [(*key, self._guidance, k) for k in range(self._passes[self._step])]
        return value * (1 + zlib.crc32(self._guidance.encode()) / 2**36)


@lru_cache(maxsize=1)
def _latents():
    """In float64, so that settings that differ make paths that differ."""
    return noise.latents([0], (_NUMBERS,), dtype=torch.float64)


def _asked(cell, denoiser, wrap) -> list:
    """A key for each evaluation of a cell and one seed, in their order: equal where the evaluations are."""
    if cell.experiment is None:
        return []
    sampling, known = cell.experiment.sampling, _denoiser(cell.experiment, denoiser)
    passes = path_of(sampling, known).passes
    stand_in = _StandIn(known, _guidance(cell.experiment, "guidance_interval"), passes)
    last(sample(wrap(stand_in) if wrap else stand_in, _latents(), sampling, seeds=noise.seeds(sampling.seed, 1)))
    origin = cell.latents, cell.experiment.sampling.seed
    return [(origin, *key) for key in stand_in.asked]


def _ordered(cells, keys):
    """(cells, paths) in the order of the tree; a path numbers its evaluations by where they first occur."""
    number: dict = {}
    paths = [[number.setdefault(key, len(number)) for key in asked] for asked in keys]
    starts: dict = {}
    groups = [starts.setdefault(cell.latents, len(starts)) for cell in cells]
    order = sorted(range(len(cells)), key=lambda k: (groups[k], paths[k]))
    return [cells[k] for k in order], [paths[k] for k in order]


def _misses(cells, paths, megabytes) -> int:
    """How often the memory of `Shared` will not hold the result when the cells run in this order."""
    memory, misses = Recent(megabytes * 1e6), 0
    for cell, path in zip(cells, paths, strict=True):
        if not path:
            continue
        size = entry_size(math.prod(models.of(cell.experiment).shape) * runner.count(cell.experiment))
        for seed in cell.seeds:
            for key in path:
                if memory.get((seed, key)) is None:
                    misses += 1
                    memory.put((seed, key), True, size)
    return misses
