"""Noise levels that are found for a model and a solver, in the schedule and scaling of the settings.

First dynamic programming (GITS's idea, arXiv 2405.11326) over M levels of the exact solution: for each pair what a step
of this solver from one to the other gets wrong, and the N steps for which the sum is least. Then each level in turn
moves while the error of the whole run falls, which is what the first stage cannot see: errors that cancel.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import torch

from edm.base.errors import Refused
from edm.diagnostics.curvature import solution
from edm.diagnostics.errors import check_deterministic, reference, rms_error
from edm.diagnostics.sharing import Shared
from edm.sampling import noise
from edm.sampling.denoisers import denoiser_of
from edm.sampling.loop import Ode, Run, last, sample
from edm.sampling.path import Path, path_of
from edm.solvers import SOLVERS

if TYPE_CHECKING:
    from edm.base.types import Labels
    from edm.sampling.denoisers import Denoise
    from edm.sampling.settings import Sampling

GRID = 36  # M
MEMORY = 3  # levels before a step that a solver is shown
SHIFTS = (0.25, 0.5, 1.0)  # of flow's time steps, from which the second stage may begin, too
FIRST, LAST, SHRINK = 0.25, 0.01, 1.7  # moves in ln σ
PROBES, NUDGE, COARSE = 6, 1e-3, 3  # levels at which it is looked how errors grow or shrink, how, and how finely
FINE = 3  # steps for each factor e of σ of the exact solution: 1e-4 of it, and the errors to be told are 1e-3 and more
FEW = 8  # samples at least that the first stage looks at, and how errors grow: it is where the second one begins
MEGABYTES = 64  # of what runs have in common
FORGOTTEN = 1e-9  # of an error at σ, which at the end is none
GAIN = 1e-3  # of an error, below which a move is none
APART = 1e-3  # in ln σ, of two levels at least


@dataclass(frozen=True)
class Found:
    """On the way: the share of the work that is done, the best levels so far, without the final 0, and their error."""

    share: float
    sigmas: tuple[float, ...]
    error: float


@dataclass(frozen=True)
class Optimized:
    """sampling: the settings with the levels found, as a list by hand. predicted: the sum of what each of its steps
    misses, as it counts at the end; a run comes nearer where its errors cancel. error: RMS to the exact solution from
    the latents for which they were found; elsewhere: from others, and before: from the same others with the levels that
    the settings had. All in data units. runs: of the sampler, that the search took.
    """

    sampling: Sampling
    predicted: float
    error: float
    elsewhere: float
    before: float
    runs: int

    @property
    def sigmas(self) -> tuple[float, ...]:
        """σ_0 > … > σ_{N−1}, without the final 0."""
        return self.sampling.sigmas or ()


def optimized(
    denoiser: Denoise, sampling: Sampling, latents: torch.Tensor | None = None, labels: Labels = None, *,
    others: torch.Tensor | None = None,
) -> Optimized:  # fmt: skip
    """The last of `optimizing`."""
    *_, best = optimizing(denoiser, sampling, latents, labels, others=others)
    assert isinstance(best, Optimized)
    return best


def optimizing(
    denoiser: Denoise, sampling: Sampling, latents: torch.Tensor | None = None, labels: Labels = None, *,
    others: torch.Tensor | None = None,
) -> Iterator[Found | Optimized]:  # fmt: skip
    """The N levels with which these settings come nearest to the exact solution of this denoiser, from σ_max down.

    latents: unit normal [B, …], for which the levels are found; others: [B, …], on which they are tried; by default
    those of the seeds 0 and 1, 128 samples of points or 24 images. labels: one for each of either. Yields `Found`
    on the way, and `Optimized` at the end; work stops where the generator is closed or the denoiser raises.
    Raises Refused at once for settings that add noise, or a single step, whose level is σ_max.
    """
    check_deterministic(sampling, "levels are found for the ODE, whose solution is one")
    latents, others = (_latents(denoiser, known, seed) for seed, known in enumerate((latents, others)))
    path = path_of(sampling, denoiser)
    if path.steps < 2:
        raise Refused(f"steps = {path.steps}: a single step begins at sigma_max, and there is nothing to find")
    return _found(_Search(denoiser, path, latents, labels), sampling, others)


def _found(search, sampling, others):
    for share in search.shares():
        yield Found(share, search.best, search.error)
    denoiser, labels = search.denoiser, search.labels
    found = path_of(sampling.changed(sigmas=search.best), denoiser)
    exact = reference(denoiser, others, sampling, labels)
    ends = [last(sample(denoiser, others, one, labels)).x for one in (found.sampling, sampling)]
    elsewhere, before = (rms_error(end, exact) for end in ends)
    yield Optimized(found.sampling, search.predicted(found), search.error, elsewhere, before, search.runs)


def _latents(denoiser, known, seed):
    if known is not None:
        return known
    shape = denoiser_of(denoiser).shape
    if shape is None:
        raise Refused("this denoiser does not say what it works on; give latents and others, unit normal [B, …]")
    return noise.latents(noise.seeds(seed, 128 if len(shape) == 1 else 24), shape)


class _Search:
    """The best levels so far, and their error over `latents`."""

    def __init__(self, denoiser, path, latents, labels):
        self.denoiser, self.path, self.latents, self.labels = denoiser, path, latents, labels
        self.ode, self.runs = Ode(denoiser, path, labels), 0
        self.memory = MEMORY if SOLVERS[path.sampling.solver].remembers else 0
        self.few = slice(max(FEW, len(latents) // 4))
        # levels above the one that moves are those of the best so far: there, the same is asked again
        self.shared = Shared(denoiser, MEGABYTES)
        self.best, self.error = path.sigmas[:-1], math.inf
        self._lowest = min(path.sampling.range[0], path.sigmas[-2])

    def shares(self) -> Iterator[float]:
        """Search; what share of it is done."""
        high = self.path.sigmas[0]
        grid = np.geomspace(high, self._lowest, max(GRID, 2 * self.path.steps)).tolist()
        states = self.states([*grid, 0.0])
        self._exact, self._growth = states[-1], self._measured_growth(grid, states)
        self.tried(self.best)
        for share in self._planned(grid, states):
            yield 0.1 + 0.4 * share
        for share in self._moved():
            yield 0.5 + 0.5 * share

    @torch.no_grad()
    def states(self, sigmas: Sequence[float]) -> list[torch.Tensor]:
        """The exact solution x/s at each level."""
        return list(solution(self.denoiser, self.latents, sigmas, self.labels, None, FINE))

    @torch.no_grad()
    def tried(self, levels: Sequence[float]) -> bool:
        """Whether the sampler comes nearer with these levels than with the best so far, which they become then."""
        self.runs += 1
        settings = self.path.sampling.changed(sigmas=tuple(map(float, levels)))
        error = rms_error(last(sample(self.shared, self.latents, settings, self.labels)).x, self._exact)
        better = error < self.error * (1 - GAIN)
        if better:
            self.best, self.error = settings.sigmas or (), error
        return better

    def _some(self, labels):
        return None if labels is None else torch.as_tensor(labels)[self.few]

    @torch.no_grad()
    def _measured_growth(self, grid, states) -> tuple[np.ndarray, np.ndarray]:
        """(ln σ, ln of what a small error at σ becomes at the end, as a share of itself), rising in σ."""
        places = np.linspace(0, len(grid) - 1, PROBES).round().astype(int).tolist()
        end, labels = states[-1][self.few], self._some(self.labels)
        drawn = noise.latents(noise.seeds(2, len(end)), end.shape[1:]).to(end)
        nudged = {place: states[place][self.few] + NUDGE * max(grid[place], 1.0) * drawn for place in places}
        moving = end[:0]
        for k, (sigma, below) in enumerate(pairwise([*(grid[place] for place in places), 0.0]), 1):
            moving = torch.cat([moving, nudged[places[k - 1]]])  # from here on, all go down together
            told = None if labels is None else torch.cat([labels] * k)
            *_, moving = solution(self.denoiser, moving / sigma, [sigma, below], told, None, COARSE)
        found = [
            rms_error(reached, end) / rms_error(nudged[place], states[place][self.few])
            for place, reached in zip(places, moving.chunk(PROBES), strict=True)
        ]
        return np.log(np.array(grid)[places])[::-1], np.log(np.maximum(found, FORGOTTEN))[::-1]

    @torch.no_grad()
    def predicted(self, path: Path) -> float:
        """The sum of what its steps miss the exact solution by, as it counts at the end: RMS, data units."""
        run, states, total = Run(self.ode, path), self.states(path.sigmas), 0.0
        for i in range(path.steps):
            reached = run.step(run.begin(i, states[i] * path.scale(i))) / path.scale(i + 1)
            total += rms_error(reached, states[i + 1]) * self._grown(path.sigmas[i + 1])
        return total

    def _grown(self, sigma) -> float:
        return math.exp(np.interp(math.log(sigma), *self._growth)) if sigma > 0 else 1.0

    def _planned(self, grid, states) -> Iterator[float]:
        """By dynamic programming; and flow's levels, which need none."""
        path, steps = self.path, self.path.steps
        for shift in SHIFTS:
            even = path.sampling.changed(
                discretization="flow", steps=steps, sigmas=None, sigma_max=path.sigmas[0], shift=shift
            )
            self.tried(path_of(even, self.denoiser).sigmas[:-1])
        cost = np.full((len(grid) + 1,) * 2, math.inf)
        yield from self._local_errors([*grid, 0.0], [state[self.few] for state in states], cost)
        self.tried([grid[i] for i in cheapest(cost, steps)])

    def _local_errors(self, sigmas, states, cost) -> Iterator[float]:
        """Fill in cost [M + 1, M + 1]: what a step from level i to level j > i misses, after equal ones."""
        count, path = len(sigmas), _part(self.path, sigmas)
        ode = Ode(self.denoiser, self.path, self._some(self.labels))
        scaled = [state * path.scale(i) for i, state in enumerate(states)]
        with torch.no_grad():
            known = [(x, *ode.slope(x, t)) for x, t in zip(scaled, path.times[:-1], strict=False)]
        for i in range(count - 1):
            for j in range(i + 1, count):
                before = [i - k * (j - i) for k in range(self.memory, 0, -1)]
                places = [k for k in before if k >= 0] + [i, j]
                part = _part(self.path, [sigmas[k] for k in places])
                run = Run(ode, part)
                with torch.no_grad():
                    *_, reached = [run.step(run.at(k, *known[place])) for k, place in enumerate(places[:-1])]
                cost[i, j] = rms_error(reached / part.scale(part.steps), states[j]) * self._grown(sigmas[j])
            yield (i + 1) / count

    def _moved(self) -> Iterator[float]:
        """Each level but the first, a little up or down, as long as that helps."""
        step = FIRST
        while step > LAST:
            for k in range(1, len(self.best)):
                yield min(math.log(FIRST / step) / math.log(FIRST / LAST), 1.0)
                for move in (step, -step):
                    while (levels := _shifted(self.best, k, move)) and self.tried(levels):
                        pass
            step /= SHRINK


def _shifted(levels, k, move) -> list[float]:
    """The levels with the k-th elsewhere; [] where it would meet another."""
    moved = [*levels[:k], levels[k] * math.exp(move), *levels[k + 1 :]]
    near = [math.log(a / b) for a, b in zip(moved[k - 1 : k + 1], moved[k : k + 2], strict=False)]
    return moved if min(near) > APART else []


def _part(path: Path, sigmas: Sequence[float]) -> Path:
    """The path with these levels."""
    times = tuple(path.time(sigma) for sigma in sigmas)
    quiet = (0.0,) * (len(sigmas) - 1)
    return replace(path, sigmas=tuple(sigmas), times=times, gammas=quiet, hats=times[:-1])


def cheapest(cost: np.ndarray, steps: int) -> list[int]:
    """Where the steps begin that go from the first place to the last with the least sum."""
    total, came = np.full(len(cost), math.inf), []
    total[0] = 0.0
    for _ in range(steps):
        sums = total[:, None] + cost
        came.append(sums.argmin(0))
        total = sums.min(0)
    places, at = [], len(cost) - 1
    for before in reversed(came):
        at = int(before[at])
        places.append(at)
    return places[::-1]
