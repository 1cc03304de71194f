"""Sampling as a generator of states (Algorithms 1 and 2, generalized to any schedule and scaling).

The state x is float32 unless the latents say otherwise; every coefficient is a float64 scalar.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import torch

from edm import schedules, timesteps
from edm.errors import Refused
from edm.noise import noise_source, seeds
from edm.settings import Sampling
from edm.solvers import SOLVERS

Denoise = Callable[..., torch.Tensor]  # D(x, sigma, labels=None) -> x0


@dataclass(frozen=True)
class State:
    """The solver at level i of the trajectory.

    index: i = 0 … N. t, sigma, scale: t_i, σ(t_i), s(t_i). x: the ODE's state [B, …]; x/scale = y + σ·n.
    denoised: D at the start of step i (after churn's noise, if any); at i = N, where σ = 0, it is x.
    evaluations: calls of the denoiser so far.
    """

    index: int
    t: float
    sigma: float
    scale: float
    x: torch.Tensor
    denoised: torch.Tensor
    evaluations: int


class Ode:
    """The probability-flow ODE of one run: `slope(x, t)`. It counts its calls of the denoiser in `evaluations`."""

    def __init__(self, denoiser, schedule, scaling, labels):
        self.denoiser, self.schedule, self.scaling, self.labels = denoiser, schedule, scaling, labels
        self.evaluations = 0

    def slope(self, x, t):
        """(dx/dt, D(x/s; σ)) at (x, t): eq. 81."""
        sigma, sigma_dot = self.schedule.sigma(t), self.schedule.sigma_dot(t)
        s, s_dot = self.scaling.s(t), self.scaling.s_dot(t)
        unscaled = x if s == 1 else x / s
        self.evaluations += 1
        if self.labels is None:
            denoised = self.denoiser(unscaled, sigma)
        else:
            denoised = self.denoiser(unscaled, sigma, self.labels)
        if not isinstance(denoised, torch.Tensor) or denoised.shape != x.shape:
            kind = list(denoised.shape) if isinstance(denoised, torch.Tensor) else type(denoised).__name__
            raise Refused(f"the denoiser returned {kind}; it must return a tensor like its x, {list(x.shape)}")
        denoised = denoised.to(x.dtype)
        slope = (x * (sigma_dot / sigma + s_dot / s)).sub_(denoised, alpha=sigma_dot * s / sigma)
        return slope, denoised


def sample(denoiser: Denoise, latents, sampling: Sampling, labels=None, noise=None) -> Iterator[State]:
    """Solve from `latents` down to σ = 0; yields N + 1 states, the last one's x being the sample.

    denoiser: D(x, sigma, labels=None), any callable. If it has `sigma_min` and `sigma_max`, computed levels stay
        between them; if it has `round_sigma`, they are rounded by it; if it has `shape`, latents must have it.
    latents: unit normal, floating point, [B, …]; see `edm.latents`.
    labels: handed to the denoiser as they are, one for each sample, or None.
    noise: noise(i, x) -> unit normal like x for step i; None: the streams of samples 0 … B−1 of `sampling.seed`.
        Called only where churn adds noise.

    Closing the generator stops the work at the next evaluation. Raises ValueError at once for bad arguments.
    """
    if not isinstance(sampling, Sampling):
        raise Refused(f"sampling must be an edm.Sampling, not {type(sampling).__name__}")
    check_latents(latents, getattr(denoiser, "shape", None))
    if labels is not None and (not hasattr(labels, "__len__") or len(labels) != len(latents)):
        number = len(labels) if hasattr(labels, "__len__") else repr(labels)
        raise Refused(f"there are {number} labels for {len(latents)} latents; give a list of one for each")
    return _states(denoiser, latents, within(sampling, denoiser), labels, noise)


def within(sampling, denoiser):
    """The settings with their range cut to what the denoiser is for. A list made by hand stays as it is."""
    low, high = sampling.range
    inside = max(low, getattr(denoiser, "sigma_min", low)), min(high, getattr(denoiser, "sigma_max", high))
    if sampling.sigmas is not None or inside == (low, high) or inside[0] >= inside[1]:
        return sampling
    return sampling.changed(sigma_min=inside[0], sigma_max=inside[1])


def last(states: Iterator[State]) -> State:
    """Run to the end; its x is the sample."""
    return deque(states, maxlen=1)[0]


def check_latents(latents, shape):
    """Raises ValueError for what no run can start from: [B, …] floating point, finite, of `shape` if that is known."""
    if not isinstance(latents, torch.Tensor) or not latents.is_floating_point():
        kind = latents.dtype if isinstance(latents, torch.Tensor) else type(latents).__name__
        raise Refused(f"latents must be a floating-point tensor [B, ...], not {kind}; see edm.latents")
    if latents.ndim < 2 or len(latents) == 0:
        raise Refused(f"latents have shape {list(latents.shape)}; they must be [B, ...] with B of 1 or more")
    if shape is not None and tuple(latents.shape[1:]) != tuple(shape):
        wanted = ", ".join(str(n) for n in shape)
        raise Refused(f"latents have shape {list(latents.shape)}, but this denoiser works on [B, {wanted}]")
    if not torch.isfinite(latents).all():
        raise Refused("latents contain NaN or infinity; they must be unit normal numbers, see edm.latents")


@torch.no_grad()
def _states(denoiser, latents, sampling, labels, noise):
    schedule, scaling = schedules.of(sampling)
    round_sigma = getattr(denoiser, "round_sigma", None)
    levels = timesteps.sigmas(sampling, round_sigma).tolist()
    steps = len(levels) - 1
    times = [schedule.inverse(sigma) for sigma in levels[:-1]] + [0.0]
    solver = SOLVERS[sampling.solver]
    ode = Ode(denoiser, schedule, scaling, labels)
    gamma_max = min(sampling.S_churn / steps, schedules.MAX_CHURN - 1)
    if noise is None and gamma_max > 0:
        noise = noise_source(seeds(sampling.seed, len(latents)))

    x = latents * (schedule.sigma(times[0]) * scaling.s(times[0]))
    for i, (t, t_next) in enumerate(pairwise(times)):
        x_hat, t_hat = x, t
        if gamma_max > 0 and sampling.S_tmin <= levels[i] <= sampling.S_tmax:
            x_hat, t_hat = add_churn(x, t, i, gamma_max, sampling.S_noise, schedule, scaling, noise, round_sigma)
        slope, denoised = ode.slope(x_hat, t_hat)
        yield State(i, t, schedule.sigma(t), scaling.s(t), x, denoised, ode.evaluations)
        x = solver.step(ode, x_hat, t_hat, t_next, slope, sampling.alpha)
    yield State(steps, 0.0, 0.0, 1.0, x, x, ode.evaluations)


def add_churn(x, t, index, gamma, S_noise, schedule, scaling, noise, round_sigma):
    """Algorithm 2's noise: from σ to σ̂ = (1 + γ)·σ, in the scaled variable. Returns (x̂, t̂)."""
    sigma = schedule.sigma(t)
    raised = (1 + gamma) * sigma
    if round_sigma is not None:
        raised = float(round_sigma(torch.tensor(raised, dtype=torch.float64)))
    t_hat = schedule.inverse(raised)
    added = math.sqrt(max(schedule.sigma(t_hat) ** 2 - sigma**2, 0.0)) * scaling.s(t_hat) * S_noise
    return (x * (scaling.s(t_hat) / scaling.s(t))).add_(noise(index, x).to(x), alpha=added), t_hat
