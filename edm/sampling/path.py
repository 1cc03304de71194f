"""What an `edm.Sampling` means for a denoiser, worked out once: every level, time and amount of fresh noise of a run.

    σ_0 > … > σ_{N−1} > σ_N = 0,   t_i = σ⁻¹(σ_i),   σ̂_i = (1 + γ_i)·σ_i,   t̂_i = σ⁻¹(σ̂_i)
    γ_i = min(S_churn/N, √2 − 1) where S_tmin ≤ σ_i ≤ S_tmax, else 0              (Algorithm 2)

A denoiser knows a range of σ, and may know discrete levels only: levels are cut to the range and rounded to those, and
where several become one, one step is taken.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch

from edm import schedules, timesteps
from edm.base.errors import Refused
from edm.sampling.denoisers import Denoise, along, denoiser_of, evaluations_at
from edm.sampling.settings import Sampling
from edm.schedules import MAX_CHURN, Scaling, Schedule
from edm.solvers import SOLVERS

MAX_GAMMA = MAX_CHURN - 1
_WRITTEN = 1e-5  # a level by hand may be off a bound by this share of it: what writing it with few digits loses


@dataclass(frozen=True)
class Path:
    """sampling: the settings, their range cut to the denoiser's. schedule, scaling: fitted to that range.

    sigmas, times: σ_i and t_i of i = 0 … N, the last ones 0; all are asked of the denoiser as they stand here.
    gammas, hats: γ_i and t̂_i of the steps i = 0 … N − 1; t̂_i = t_i where γ_i = 0.
    notes: sentences about what differs from what the settings ask for. passes: what a call of the denoiser evaluates
    in each step, where that is not 1 in all of them.
    """

    sampling: Sampling
    schedule: Schedule
    scaling: Scaling
    sigmas: tuple[float, ...]
    times: tuple[float, ...]
    gammas: tuple[float, ...]
    hats: tuple[float, ...]
    notes: tuple[str, ...] = ()
    passes: tuple[int, ...] = ()

    @property
    def steps(self) -> int:
        """N, the steps that are taken."""
        return len(self.sigmas) - 1

    @property
    def stochastic(self) -> bool:
        """Whether any step adds noise, by churn or by the solver itself."""
        return self.draws > 0

    @property
    def draws(self) -> int:
        """Numbers of noise of a step, whether it uses them or not: churn's one, where there is any, then the solver's.
        Draw j of step i is k = i·draws + j."""
        return any(self.gammas) + SOLVERS[self.sampling.solver].draws(self.sampling)

    def draws_of(self, index: int) -> range:
        """The j that step `index` draws."""
        solver, churn = SOLVERS[self.sampling.solver], any(self.gammas)
        own = index < self.steps - 1 and solver.draws_at(self, self.sampling, index)
        return range(0 if self.gammas[index] else churn, self.draws if own else churn)

    @property
    def calls(self) -> int:
        """How often a sample's denoiser is called."""
        return SOLVERS[self.sampling.solver].cost(self.steps, self.sampling)

    @property
    def evaluations(self) -> int:
        """What a sample takes: calls of the denoiser, each of which may evaluate two networks where it is guided."""
        if not self.passes:
            return self.calls
        solver = SOLVERS[self.sampling.solver]
        return sum(passes * solver.share(self, self.sampling, i) for i, passes in enumerate(self.passes))

    def time(self, sigma: float) -> float:
        """t at which σ(t) is `sigma`, at the levels or between them; 0 for 0."""
        return self.schedule.inverse(sigma) if sigma > 0 else 0.0

    def scale(self, index: int) -> float:
        """s(t_i); 1 where σ = 0."""
        return self.scale_at(self.times[index])

    def scale_at(self, t: float) -> float:
        """s(t), 1 at t = 0."""
        return self.scaling.s(t) if t > 0 else 1.0

    def begun(self, latents: torch.Tensor) -> torch.Tensor:
        """Unit normal latents [B, …] as the state at t_0: times σ_0·s."""
        return latents * (self.schedule.sigma(self.times[0]) * self.scaling.s(self.times[0]))

    def churned(self, index: int, x: torch.Tensor, drawn: torch.Tensor) -> torch.Tensor:
        """x [B, …] at t_i with Algorithm 2's noise: x̂ = x·s(t̂)/s(t) + √(σ̂² − σ²)·s(t̂)·S_noise·n at t̂_i.

        drawn: n, unit normal, like x.
        """
        t, t_hat = self.times[index], self.hats[index]
        sigma, sigma_hat, s_hat = self.schedule.sigma(t), self.schedule.sigma(t_hat), self.scaling.s(t_hat)
        added = math.sqrt(max(sigma_hat**2 - sigma**2, 0.0)) * s_hat * self.sampling.S_noise
        return (x * (s_hat / self.scaling.s(t))).add_(drawn.to(x), alpha=added)


def path_of(sampling: Sampling, denoiser: Denoise | None = None) -> Path:
    """The path of these settings for a denoiser, any callable; its `sigma_min`, `sigma_max` and `round_sigma` count,
    where it has them. Raises Refused if its levels and those of the settings have nothing in common."""
    denoiser = denoiser_of(denoiser)
    low, high = known_range(denoiser)
    settings, notes = _cut(sampling, low, high)
    schedule, scaling = schedules.of(settings)
    levels = timesteps.sigmas(settings).tolist()[:-1]
    if settings.sigmas is not None:
        levels = [_checked(i, sigma, low, high) for i, sigma in enumerate(levels)]
    else:  # flow's time steps know no σ_min
        levels = [low if sigma < low * (1 - _WRITTEN) else sigma for sigma in levels]
    levels, merged = _distinct(levels, denoiser)
    gammas = tuple(_gamma(settings, sigma, len(levels)) for sigma in levels)
    if settings.S_churn > 0 and not any(gammas):
        merged.append("No noise level lies between S_tmin and S_tmax, so that no fresh noise is added")
    if any(gammas) and SOLVERS[settings.solver].remembers:
        merged.append("A step with fresh noise is Euler's: what the solver remembers is of a state without it")
    times = tuple(schedule.inverse(sigma) for sigma in levels)
    hats = times
    if any(gammas):
        raised = nearest([(1 + gamma) * sigma for gamma, sigma in zip(gammas, levels, strict=True)], denoiser)
        hats = tuple(schedule.inverse(s) if g else t for s, g, t in zip(raised, gammas, times, strict=True))
    path = Path(settings, schedule, scaling, (*levels, 0.0), (*times, 0.0), gammas, hats, (*notes, *merged))
    return replace(path, passes=_passes(path, denoiser))


def _passes(path, denoiser) -> tuple[int, ...]:
    """What a call evaluates in each step; () where it is 1 in all."""
    at = along(denoiser, path)
    found = [evaluations_at(denoiser if at is None else at(i), sigma) for i, sigma in enumerate(path.sigmas[:-1])]
    return () if set(found) == {1} else tuple(found)


def round_trip(sampling: Sampling, denoiser: Denoise | None, sigma: float, gamma: float) -> Path:
    """From `sigma` back to it: churn raises it to σ̂ = (1 + γ)·σ, and N steps, even in ln σ, remove the noise again.

    σ(t) = t and s = 1; of the settings count solver, N and S_noise. A denoiser with discrete levels gets σ and σ̂ on
    those nearest.
    """
    (sigma,), (raised,) = nearest([sigma], denoiser), nearest([(1 + gamma) * sigma], denoiser)
    between, t = [], raised
    for k in range(sampling.steps, 0, -1):
        t = sigma * (t / sigma) ** ((k - 1) / k)
        between.append(t)
    levels, later = (sigma, *between), (0.0,) * (sampling.steps - 1)
    return Path(sampling, PLAIN.schedule, PLAIN.scaling, levels, levels, (gamma, *later), (raised, *between[:-1]))


def known_range(denoiser: Denoise | None) -> tuple[float, float]:
    """(σ_min, σ_max) of a denoiser, any callable."""
    known = denoiser_of(denoiser)
    return known.sigma_min, known.sigma_max


def nearest(sigmas: list[float], denoiser: Denoise | None) -> list[float]:
    """The levels themselves, or those nearest to them of a denoiser that knows discrete ones only."""
    rounded = denoiser_of(denoiser).round_sigma(torch.tensor(sigmas, dtype=torch.float64))
    return torch.as_tensor(rounded, dtype=torch.float64).tolist()


def _cut(sampling, low, high):
    """(the settings with their range cut to [low, high], notes). A list made by hand stays as it is."""
    asked = sampling.range
    inside = max(low, asked[0]), min(high, asked[1])
    if sampling.sigmas is not None or inside == asked:
        return sampling, []
    if inside[0] > inside[1] or (inside[0] == inside[1] and sampling.steps > 1):
        raise Refused(
            f"sigma_min = {asked[0]:g} and sigma_max = {asked[1]:g}: this model knows noise levels from {low:g} to "
            f"{high:g}; choose a range that has more than one of them"
        )
    given = {"sigma_min": sampling.sigma_min, "sigma_max": sampling.sigma_max}
    used = dict(zip(given, inside, strict=True))
    notes = [
        f"{name} = {value:g} is beyond what this model knows, so that {used[name]:g} is taken"
        for name, value in given.items()
        if value is not None and value != used[name]
    ]
    return sampling.changed(**used), notes


def _checked(index, sigma, low, high):
    """A level that was given by hand, if the denoiser knows it."""
    if not low * (1 - _WRITTEN) <= sigma <= high * (1 + _WRITTEN):
        raise Refused(
            f"sigmas[{index}] = {sigma:g}: this model knows noise levels from {low:g} to {high:g}; stay within them"
        )
    return min(max(sigma, low), high)


def _distinct(levels, denoiser):
    """(levels as the denoiser knows them, each once, notes)."""
    rounded = nearest(levels, denoiser)
    distinct = [sigma for i, sigma in enumerate(rounded) if i == 0 or sigma < rounded[i - 1]]
    if distinct[-1] <= 0:
        raise Refused(f"sigma = {levels[-1]:g} is nearer to 0 than to any noise level of this model; raise sigma_min")
    if len(distinct) == len(levels):
        return distinct, []
    return distinct, [
        f"Of {len(levels)} steps {len(distinct)} are taken: to this model the others have the same noise level"
    ]


def _gamma(sampling, sigma, steps):
    inside = sampling.S_tmin <= sigma <= sampling.S_tmax
    return min(sampling.S_churn / steps, MAX_GAMMA) if inside else 0.0


PLAIN = path_of(Sampling(schedule="linear", scaling="none"))  # σ(t) = t and s = 1: there the state is x/s, and t is σ
