"""Sampling as a generator of states (Algorithms 1 and 2, generalized to any schedule and scaling).

The state x is float32 unless the latents say otherwise; every coefficient is a float64 scalar.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import torch

from edm.base.errors import Refused
from edm.sampling.denoisers import Denoise, along, ask, denoiser_of, evaluations_at, of_samples
from edm.sampling.hearing import listening, taken
from edm.sampling.noise import noise_source
from edm.sampling.pace import Pace
from edm.sampling.path import Path, path_of
from edm.sampling.settings import Sampling
from edm.solvers import SOLVERS
from edm.solvers.solver import Now

FARTHEST = 8.0  # that a unit normal number is taken to be from 0, where looking would be waiting
_Event = TypeVar("_Event")
Noise = Callable[[int, torch.Tensor], torch.Tensor]  # noise(k, x) -> unit normal like x, k = step · draws + j


@dataclass(frozen=True)
class State:
    """The solver at level i of the trajectory.

    index: i = 0 … N. t, sigma, scale: t_i, σ(t_i), s(t_i). x: the ODE's state [B, …]; x/scale = y + σ·n.
    denoised: D at the start of step i (after churn's noise, if any); at i = N, where σ = 0, it is x. Of UniPC x is what
        the step before has predicted, and D is that of it; its correction belongs to the next step.
    evaluations: of the denoiser so far; one that is guided may evaluate two networks in a call, which count as two.
    """

    index: int
    t: float
    sigma: float
    scale: float
    x: torch.Tensor
    denoised: torch.Tensor
    evaluations: int


class Ode:
    """The probability-flow ODE of one run: `slope(x, t)`. It counts in `evaluations` what its denoiser evaluates.

    asked: the denoiser that is asked now: itself, or as it is in a step, if it wants to know of them (`along`).
    path: whose schedule and scaling count; `PLAIN` for x/s itself.
    """

    def __init__(self, denoiser: Denoise, path: Path, labels: Any = None):
        self.schedule, self.scaling, self.labels = path.schedule, path.scaling, labels
        hears = SOLVERS[path.sampling.solver].hears
        self._heard: dict[int, torch.Tensor] | None = {} if hears and hears(path.sampling) else None
        self._told: tuple[torch.Tensor, torch.Tensor | None] | None = None
        self.denoiser = denoiser if self._heard is None else listening(denoiser, self._heard)
        self.asked = self.denoiser
        self.evaluations = 0
        self._pace = Pace()

    def slope(self, x: torch.Tensor, t: float) -> tuple[torch.Tensor, torch.Tensor]:
        """(dx/dt, D(x/s; σ)) at (x, t): eq. 81."""
        sigma, sigma_dot = self.schedule.sigma(t), self.schedule.sigma_dot(t)
        s, s_dot = self.scaling.s(t), self.scaling.s_dot(t)
        unscaled = x if s == 1 else x / s
        self.evaluations += evaluations_at(self.asked, sigma)
        self._pace.keep(x.device)
        denoised = ask(self.asked, unscaled, sigma, self.labels)
        if not isinstance(denoised, torch.Tensor) or denoised.shape != x.shape:
            kind = list(denoised.shape) if isinstance(denoised, torch.Tensor) else type(denoised).__name__
            raise Refused(f"the denoiser returned {kind}; it must return a tensor like its x, {list(x.shape)}")
        denoised = denoised.to(x.dtype)
        if self._heard is not None:
            self._told = denoised, taken(self._heard, x)
        slope = (x * (sigma_dot / sigma + s_dot / s)).sub_(denoised, alpha=sigma_dot * s / sigma)
        return slope, denoised

    def variance(self, now: Now) -> torch.Tensor | None:
        """v [B, …] of the network where step `now` begins; None of one that has not learned a variance."""
        if self._told is None or self._told[0] is not now.denoised:
            self.slope(now.x, now.t)
        return None if self._told is None else self._told[1]


class Run:
    """The steps of one run, to be taken in order: `begin(i, x)`, the evaluation that each begins with, and `step(now)`.

    Between the two the work can be watched; `begin` is made of `hat`, churn's noise, and `at`, for who has evaluated
    there already. noise: noise(k, x), where the path is stochastic; k = step · `path.draws` + j. given: whether it is a
    source of the caller's own, whose numbers a solver uses as they are.
    """

    def __init__(self, ode: Ode, path: Path, noise: Noise | None = None, given: bool = False):
        self.ode, self.path, self._noise, self._given = ode, path, noise or _unknown, given
        solver = SOLVERS[path.sampling.solver]
        self._draws, self._own = path.draws, solver.draws(path.sampling)
        self._step = solver.begin(path, path.sampling)
        self._at = along(ode.denoiser, path)

    def skip(self, index: int, x: torch.Tensor) -> None:
        """Draw what the steps before `index` draw, where they are not taken; x: a state [B, …]."""
        for i in range(index):
            for j in self.path.draws_of(i):
                self._noise(i * self._draws + j, x)

    def hat(self, index: int, x: torch.Tensor) -> torch.Tensor:
        """x̂ at t̂_i of x at t_i: with churn's noise, if this step has any."""
        drawn = self._noise(index * self._draws, x) if self.path.gammas[index] else None
        return x if drawn is None else self.path.churned(index, x, drawn)

    def at(self, index: int, x: torch.Tensor, slope: torch.Tensor, denoised: torch.Tensor) -> Now:
        """The beginning of step `index` at x = x̂ [B, …], where the ODE has been evaluated."""
        path, t = self.path, self.path.hats[index]
        sigma = path.schedule.sigma(t) if path.gammas[index] else path.sigmas[index]
        return Now(index, t, path.times[index + 1], sigma, path.sigmas[index + 1], x, slope, denoised)

    def begin(self, index: int, x: torch.Tensor) -> Now:
        """Step `index` from the state x [B, …] at t_i: one evaluation."""
        x = self.hat(index, x)
        self._tell(index)
        return self.at(index, x, *self.ode.slope(x, self.path.hats[index]))

    def _tell(self, index: int) -> None:
        """The denoiser which step it is in."""
        if self._at is not None:
            self.ode.asked = self._at(index)

    def step(self, now: Now) -> torch.Tensor:
        """The state [B, …] at the next level."""
        self._tell(now.index)
        first, end = (now.index + 1) * self._draws - self._own, (now.index + 1) * self._draws
        return self._step(self.ode, now, _Draws(self._noise, first, end, self._given))


class _Draws:
    """A step's own draws: noise(k, x) for k = first … end − 1, one after the other."""

    def __init__(self, noise: Noise, first: int, end: int, given: bool):
        self._noise, self._next, self._end, self.given = noise, first, end, given

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        if self._next == self._end:
            raise RuntimeError("the solver draws noise, but its entry says that it does not (`draws`), or not so often")
        self._next += 1
        return self._noise(self._next - 1, x).to(x)


def _unknown(index, x):
    raise RuntimeError("this run adds noise, but was given no source of it (`source_of`)")


def sample(
    denoiser: Denoise, latents: torch.Tensor | None, sampling: Sampling, labels: Sequence | torch.Tensor | None = None,
    noise: Noise | None = None, *, seeds: Iterable[int] | None = None, begin: tuple[int, torch.Tensor] | None = None,
) -> Iterator[State]:  # fmt: skip
    """Solve from `latents` down to σ = 0; yields N + 1 states, the last one's x being the sample.

    denoiser: D(x, sigma, labels=None), any callable. If it has `sigma_min` and `sigma_max`, levels stay between them;
        if it has `round_sigma`, they are rounded by it (see `edm.path`); if it has `shape`, latents must have it.
    latents: unit normal, floating point, [B, …]; see `edm.latents`.
    labels: handed to the denoiser as they are, one for each sample, or None.
    seeds: which samples these are, one seed for each (`edm.seeds`): where churn adds noise, it is theirs, so that
        sample k is the same in any batch. noise: a source of one's own in place of that, noise(k, x) -> unit normal
        like x. k = step · draws + j counts the draws, those that are not made too: one in each step for churn, and then
        the solver's own (`Path.draws`). One of the two is needed where noise is added.
    begin: (i, x) to begin at level i with the state x [B, …] of a run, as `sample` yields it; latents may be None then.

    Closing the generator stops the work at the next evaluation. Raises Refused (a ValueError) at once for bad
    arguments.
    """
    run, first, x = prepared(Ode, denoiser, latents, sampling, labels, noise, seeds, begin)
    return _states(run, first, x)


def prepared(
    ode: type[Ode], denoiser: Denoise, latents: Any, sampling: Sampling, labels: Any, noise: Noise | None,
    seeds: Iterable[int] | None, begin: tuple[int, torch.Tensor] | None,
) -> tuple[Run, int, torch.Tensor]:  # fmt: skip
    """(the run, the level where it begins, the state there) for the arguments of `sample`, which are checked."""
    if not isinstance(sampling, Sampling):
        raise Refused(f"sampling must be an edm.Sampling, not {type(sampling).__name__}")
    x = latents if begin is None else begin[1]
    check_latents(x, denoiser_of(denoiser).shape)
    if labels is not None and (not hasattr(labels, "__len__") or len(labels) != len(x)):
        number = len(labels) if hasattr(labels, "__len__") else repr(labels)
        raise Refused(f"there are {number} labels for {len(x)} latents; give a list of one for each")
    path, seeds = path_of(sampling, denoiser), list(seeds) if isinstance(seeds, Iterable) else seeds
    denoiser = of_samples(denoiser, sampling, labels, seeds)
    run = Run(ode(denoiser, path, labels), path, source_of(path, len(x), noise, seeds), given=noise is not None)
    if begin is not None:
        return run, _level(begin[0], path), x
    _check_type(x, path)
    return run, 0, path.begun(x)


def last(states: Iterator[_Event]) -> _Event:
    """Run to the end; its x is the sample."""
    return deque(states, maxlen=1)[0]


def source_of(path: Path, count: int, noise: Noise | None = None, seeds: Iterable[int] | None = None) -> Noise | None:
    """The noise(k, x) of a run of `count` samples; None where no noise is added. Raises Refused if it is not known."""
    if noise is not None and seeds is not None:
        raise Refused("noise and seeds are both given; the noise is that of the seeds, so give one of the two")
    if seeds is not None:
        if not hasattr(seeds, "__iter__"):
            raise Refused(f"seeds = {seeds!r:.60}: must be one for each sample, such as edm.seeds(seed, {count})")
        seeds = list(seeds)
        if len(seeds) != count:
            raise Refused(f"there are {len(seeds)} seeds for {count} samples; give one for each")
    if not path.stochastic:
        return None
    if noise is not None:
        return noise
    if seeds is None:
        cause = f"S_churn = {path.sampling.S_churn:g}" if any(path.gammas) else f"solver = {path.sampling.solver!r}"
        raise Refused(
            f"{cause} adds noise, and which depends on the samples: say which they are with "
            f"seeds=edm.seeds(sampling.seed, {count}), or give a noise source"
        )
    return noise_source(seeds)


def check_latents(latents: Any, shape: Iterable[int] | None) -> None:
    """Raises ValueError for what no run can start from: [B, …] floating point, of `shape` if that is known, and finite,
    where the numbers are on the CPU."""
    if not isinstance(latents, torch.Tensor) or not latents.is_floating_point():
        kind = latents.dtype if isinstance(latents, torch.Tensor) else type(latents).__name__
        raise Refused(f"latents must be a floating-point tensor [B, ...], not {kind}; see edm.latents")
    if latents.ndim < 2 or len(latents) == 0:
        raise Refused(f"latents have shape {list(latents.shape)}; they must be [B, ...] with B of 1 or more")
    if shape is not None and tuple(latents.shape[1:]) != tuple(shape):
        wanted = ", ".join(str(n) for n in shape)
        raise Refused(f"latents have shape {list(latents.shape)}, but this denoiser works on [B, {wanted}]")
    if latents.device.type == "cpu" and not torch.isfinite(latents).all():  # on a GPU, looking would be waiting
        raise Refused("latents contain NaN or infinity; they must be unit normal numbers, see edm.latents")


def _level(index, path):
    if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index < path.steps:
        raise Refused(f"begin = {index!r}: the levels of the {path.steps} steps are counted from 0")
    return index


def _check_type(latents, path):
    """Raises Refused if numbers of the latents' type cannot hold the states and coefficients on the way."""
    most = torch.finfo(latents.dtype).max
    if most > 1e30:
        return
    size = float(latents.abs().max()) if latents.device.type == "cpu" else FARTHEST
    t, size = torch.tensor(path.hats, dtype=torch.float64), max(size, 1.0)
    sigma, s, sigma_dot = path.schedule.sigma(t), path.scaling.s(t), path.schedule.sigma_dot(t)
    needed = torch.stack([t, size * sigma * s, size * sigma_dot * s, sigma_dot / sigma])
    if not bool((needed.abs() < most).all()):
        raise Refused(
            f"latents of {latents.dtype} hold numbers up to {most:g}, and on the way from sigma = {path.sigmas[0]:g} "
            f"there are some of {float(needed.nan_to_num(nan=torch.inf).abs().max()):.3g}; use float32"
        )


def _states(run, first, x):
    path, now = run.path, None
    for i in range(first, path.steps):
        with torch.no_grad():  # not around a `yield`, where it would be left and entered again
            if now is None:
                run.skip(first, x)
            else:
                x = run.step(now)
            now = run.begin(i, x)
        t = path.times[i]
        yield State(i, t, path.schedule.sigma(t), path.scaling.s(t), x, now.denoised, run.ode.evaluations)
    with torch.no_grad():
        x = run.step(now)
    yield State(path.steps, 0.0, 0.0, 1.0, x, x, run.ode.evaluations)
