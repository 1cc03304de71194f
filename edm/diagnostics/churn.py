"""Algorithm 2 in slow motion, and repeated addition and removal of noise (Appendix E)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from edm.base.errors import Refused
from edm.sampling.denoisers import denoiser_of
from edm.sampling.loop import Ode, Run, check_latents, prepared
from edm.sampling.noise import noise_source, seeds
from edm.sampling.path import MAX_GAMMA, round_trip
from edm.sampling.settings import Sampling
from edm.solvers import SOLVERS

if TYPE_CHECKING:
    from edm.base.types import Labels
    from edm.sampling.denoisers import Denoise
    from edm.sampling.loop import Noise


@dataclass(frozen=True)
class Moment:
    """A part of one step from level i to i + 1.

    name: "start", x_i; "noise", x̂ after fresh noise, if any is added; "denoised", the point D(x̂; σ̂) at σ = 0 that
        the slope is made of; "euler", the first slope followed (to t̂ + αh, where the solver has a second stage);
        "corrected", the mean slope followed, if there is a second stage. The last one's x is the sampler's next.
    t, sigma, scale: of this moment. x: the ODE's state [B, …]; x/scale = y + σ·n.
    denoised: D(x/s; σ) here; at σ = 0 it is x. slope: dx/dt here, None at σ = 0.
    direction: dx/dt that leads here straight from x̂, None for those before and for "denoised".
    """

    name: str
    t: float
    sigma: float
    scale: float
    x: torch.Tensor
    denoised: torch.Tensor
    slope: torch.Tensor | None
    direction: torch.Tensor | None = None


class _Watched(Ode):
    """An ODE that remembers where it was evaluated last."""

    seen: tuple | None = None

    def forget(self):
        self.seen = None

    def slope(self, x, t):
        slope, denoised = super().slope(x, t)
        self.seen = x, t, slope, denoised
        return slope, denoised

    def moment(self, name, x, t, direction=None, known=None) -> Moment:
        """The moment at (x, t); known: (slope, D) there, if evaluated already."""
        if t == 0:
            return Moment(name, 0.0, 0.0, 1.0, x, x, None, direction)
        slope, denoised = known or self.slope(x, t)
        return Moment(name, t, self.schedule.sigma(t), self.scaling.s(t), x, denoised, slope, direction)


def slow_motion(
    denoiser: Denoise,
    latents: torch.Tensor,
    sampling: Sampling,
    index: int,
    labels: Labels = None,
    noise: Noise | None = None,
    x: torch.Tensor | None = None,
    *,
    seeds: Iterable[int] | None = None,
) -> Iterator[Moment]:
    """Step `index` of `edm.sample(denoiser, latents, sampling, labels, noise, seeds=seeds)` in its parts, as `Moment`s.

    index: 0 … N − 1. x: the state at that level [B, …], as `sample` yields it; without it the sampler is run up to
    there. Either way the step's noise is the sampler's own, and the last moment's x is its next state, bit for bit; but
    with x, a solver that remembers earlier steps begins with nothing to remember. noise, seeds: as in `sample`; a
    source of its own, at its beginning.

    Each moment is computed when it is asked for. "start" before noise, and the last one above σ = 0, need an
    evaluation that the sampler does not make in this step. Raises ValueError at once for bad arguments.
    """
    run, _, begun = prepared(_Watched, denoiser, latents, sampling, labels, noise, seeds, None)
    if not 0 <= index < run.path.steps:
        raise Refused(f"index = {index}: the {run.path.steps} steps are counted from 0")
    if x is not None and x.shape != latents.shape:
        raise Refused(f"x has shape {list(x.shape)}, but the latents {list(latents.shape)}; give a state of theirs")
    return _moments(run, index, begun, x)


@torch.no_grad()
def _moments(run, index, begun, x):
    path, ode = run.path, run.ode
    if x is None:
        x = begun
        for i in range(index):
            x = run.step(run.begin(i, x))
    else:
        run.skip(index, x)
    start = ode.moment("start", x, path.times[index])
    yield start
    t, t_next = path.hats[index], path.times[index + 1]
    if path.gammas[index]:
        x = run.hat(index, x)
        start = ode.moment("noise", x, t)
        yield start
    yield ode.moment("denoised", start.denoised, 0.0)
    ode.forget()
    x_next = run.step(run.at(index, x, start.slope, start.denoised))
    if ode.seen is None:
        yield ode.moment("euler", x_next, t_next, start.slope)
        return
    between, t_between, *known = ode.seen
    yield ode.moment("euler", between, t_between, start.slope, known)
    yield ode.moment("corrected", x_next, t_next, (x_next - x) / (t_next - t))


@dataclass(frozen=True)
class Round:
    """After `index` rounds of noise added and removed: x [B, …] at noise level `sigma`, and D(x; sigma)."""

    index: int
    sigma: float
    x: torch.Tensor
    denoised: torch.Tensor


def churn_cycles(
    denoiser: Denoise,
    x: torch.Tensor,
    sigma: float,
    rounds: int,
    *,
    gamma: float = MAX_GAMMA,
    S_noise: float = 1.0,
    solver: str = "heun",
    steps: int = 1,
    seed: int = 0,
    labels: Labels = None,
) -> Iterator[Round]:
    """Noise added and removed again and again at a fixed σ (Appendix E); yields `rounds` + 1 `Round`s, 0 being x.

    Each round raises σ to σ̂ = (1 + γ)·σ by fresh noise, times S_noise, and returns by `steps` steps of `solver`,
    even in ln σ, on the ODE with σ(t) = t. With the exact denoiser and exact removal p(x; σ) does not change.
    x: [B, …], y + σ·n. gamma: above 0, at most √2 − 1, Algorithm 2's most. seed: sample k's noise depends on
    (seed, k) only. A model with discrete levels gets those nearest.

    One evaluation for each round's picture, beside the steps'. Work stops where the generator is closed or the
    denoiser raises. Raises ValueError at once for bad arguments.
    """
    check_latents(x, denoiser_of(denoiser).shape)
    if not 0 < sigma < math.inf:
        raise Refused(f"sigma = {sigma:g} must be finite and above 0")
    if not 0 < gamma <= MAX_GAMMA:
        raise Refused(f"gamma = {gamma:g} must be above 0 and at most sqrt(2) - 1 = {MAX_GAMMA:.6f}")
    if not 0 <= S_noise < math.inf:
        raise Refused(f"S_noise = {S_noise:g} must be finite and at least 0")
    if solver not in SOLVERS:
        raise Refused(f"there is no solver {solver!r}; there are {', '.join(SOLVERS)}")
    if rounds < 0 or steps < 1:
        raise Refused(f"rounds = {rounds} and steps = {steps}: rounds must be at least 0, and steps at least 1")
    settings = Sampling(solver=solver, steps=steps, S_noise=S_noise)
    source = noise_source(seeds(seed, len(x)))
    return _rounds(denoiser, x, round_trip(settings, denoiser, sigma, gamma), rounds, source, labels)


@torch.no_grad()
def _rounds(denoiser, x, path, rounds, noise, labels):
    ode, sigma = Ode(denoiser, path, labels), path.sigmas[0]
    for index in range(rounds + 1):
        if index:
            run = Run(ode, path, noise)
            for i in range(path.steps):
                x = run.step(run.begin(i, x))
        yield Round(index, sigma, x, ode.slope(x, sigma)[1])
