"""The exact solution of the probability-flow ODE, and how it bends in each schedule's own time (Figure 3).

Along the solution x(t), with f the right side of eq. 81,

    x'' ≈ (f(x + h·x', t + h) − f(x − h·x', t − h)) / 2h,   h = step·|dt/d ln σ|.

Both positions are off by ½h²·x'', which cancels, so the error is O(step²). Euler's step across Δ ln σ = ε misses
by ½|x''|·(ε·dt/d ln σ)² + O(ε³): what makes curvature comparable between schedules is its size in ln σ, not in t.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import torch

from edm.base.devices import precisely
from edm.base.errors import Refused
from edm.diagnostics.errors import REFERENCE_SIGMA_MIN
from edm.diagnostics.sharing import Shared
from edm.sampling.denoisers import denoiser_of
from edm.sampling.loop import Ode, check_latents
from edm.sampling.path import PLAIN, known_range, path_of

if TYPE_CHECKING:
    from edm.base.types import Labels, Numbers
    from edm.sampling.denoisers import Denoise
    from edm.sampling.settings import Sampling

RESOLUTION = 8  # steps of the fourth-order method for each factor e of σ
STEP = 0.01  # in ln σ


@dataclass(frozen=True)
class Curvature:
    """The solution's second derivative at one noise level. All [B] in float64, norms being rms over coordinates.

    t: the time at which σ(t) = sigma. acceleration: |x''|, in data units per squared time unit of the schedule.
    turn: |x''|/|x'|·|dt/d ln σ|, the share of itself by which the slope changes over a factor e of σ. It has no
        unit and ignores the clock's, but means nothing where the slope itself vanishes: VP on data of variance 1
        stands still, and with σ(t) = t the slope on smooth data falls to 0 with σ while its turn goes to 1.
    departure: ½|x''|·(dt/d ln σ)²/s, in data units. A short Euler step across Δ ln σ misses the solution x/s by
        departure·(Δ ln σ)². It compares any two schedules and scalings fairly, as x/s is the same curve for all.
    """

    sigma: float
    t: float
    acceleration: torch.Tensor
    turn: torch.Tensor
    departure: torch.Tensor


def solution(
    denoiser: Denoise,
    latents: torch.Tensor,
    sigmas: Numbers,
    labels: Labels = None,
    start: float | None = None,
    resolution: int = RESOLUTION,
) -> Iterator[torch.Tensor]:
    """The ODE's exact solution x/s [B, …] in float64 at each of `sigmas`: one curve for all schedules and scalings.

    latents: unit normal [B, …]; the solution begins at start·latents. sigmas: strictly decreasing; a 0 may end them.
    start: σ where it begins, at or above sigmas[0], which is the default. resolution: steps of the classical
    Runge–Kutta method (4 evaluations) for each factor e of σ; 8 leave a relative error of about 1e-6 on sharp
    mixtures. To 0, it goes through σ = 1e-4, or the denoiser's `sigma_min` where that is higher, and D there.

    Of a `Shared` denoiser the same solution from the same latents is computed once, and must not be written into. Work
    stops where the generator is closed or the denoiser raises. Raises ValueError at once for bad arguments.
    """
    levels = _decreasing(sigmas, zero=True)
    check_latents(latents, denoiser_of(denoiser).shape)
    start = levels[0] if start is None else float(start)
    if not levels[0] <= start < math.inf:
        raise Refused(f"start = {start:g} must be finite and at least the first of sigmas, {levels[0]:g}")
    if resolution < 1:
        raise Refused(f"resolution = {resolution}: must be 1 step or more for each factor e of sigma")
    solving = partial(_solve, denoiser, latents, levels, labels, start, resolution)
    if isinstance(denoiser, Shared):
        return denoiser.once(("solution", tuple(levels), start, resolution), (latents, labels), solving)
    return solving()


@torch.no_grad()
def _solve(denoiser, latents, levels, labels, start, resolution):
    ode = Ode(denoiser, PLAIN, labels)
    x, t = precisely(latents) * start, start
    for sigma in levels:
        target = sigma or min(max(min(REFERENCE_SIGMA_MIN, t / 10), known_range(denoiser)[0]), t)
        for lower in _between(t, target, resolution):
            x, t = _runge_kutta_4(ode, x, t, lower), lower
        yield x if sigma else ode.slope(x, t)[1]


def _between(t, target, resolution):
    """Levels from below t down to `target`, even in ln σ."""
    count = math.ceil(resolution * math.log(t / target))
    return [t * (target / t) ** (k / count) for k in range(1, count)] + [target] * (target < t)


def _runge_kutta_4(ode, x, t, t_next):
    h, middle = t_next - t, (t + t_next) / 2
    first, _ = ode.slope(x, t)
    second, _ = ode.slope(x + h / 2 * first, middle)
    third, _ = ode.slope(x + h / 2 * second, middle)
    fourth, _ = ode.slope(x + h * third, t_next)
    return x + h / 6 * (first + 2 * second + 2 * third + fourth)


def paths(
    denoiser: Denoise,
    latents: torch.Tensor,
    sampling: Sampling,
    sigmas: Numbers,
    labels: Labels = None,
    start: float | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """The solution as Figure 3 draws it: (t [S] on the CPU, x(t) = s·(x/s) [S, B, …]), float64, at `sigmas`.

    Time and scaling are those of `sampling`; the rest as in `solution`.
    """
    path = path_of(sampling, denoiser)
    times = [path.time(float(sigma)) for sigma in sigmas]
    states = zip(solution(denoiser, latents, sigmas, labels, start), times, strict=True)
    x = torch.stack([state * path.scale_at(t) for state, t in states])
    return torch.tensor(times, dtype=torch.float64), x


def curvature(
    denoiser: Denoise,
    latents: torch.Tensor,
    sampling: Sampling,
    sigmas: Numbers,
    labels: Labels = None,
    step: float = STEP,
) -> Iterator[Curvature]:
    """How the solution bends at each of `sigmas` (strictly decreasing, above 0), one `Curvature` each.

    The solution begins at σ_0 of `sampling`, or at sigmas[0] if that is higher; schedule and scaling are those of
    `sampling`. step: of the differences, in ln σ; the relative error is about step²: 1e-4. A network that computes
    in float32 adds about 1e-6/step to the turn. A model with discrete levels has no derivative between them: give a
    step that spans several, such as 0.1.

    Three evaluations a level beside the solution's. Work stops where the generator is closed or the denoiser
    raises. Raises ValueError at once for bad arguments.
    """
    levels = _decreasing(sigmas)
    if not 0 < step <= 0.25:
        raise Refused(f"step = {step:g}: must be above 0 and at most 0.25, in ln sigma")
    path = path_of(sampling, denoiser)
    states = solution(denoiser, latents, levels, labels, max(path.sigmas[0], levels[0]))
    return _curvatures(Ode(denoiser, path, labels), path, levels, states, step)


@torch.no_grad()
def _curvatures(ode, path, levels, states, step):
    for sigma, state in zip(levels, states, strict=True):
        t = path.time(sigma)
        clock = sigma / path.schedule.sigma_dot(t)  # dt/d ln σ
        s, h = path.scale_at(t), step * clock
        x = s * state
        slope, _ = ode.slope(x, t)
        later, _ = ode.slope(x + h * slope, t + h)
        earlier, _ = ode.slope(x - h * slope, t - h)
        acceleration = _rms((later - earlier) / (2 * h))
        turn = acceleration / _rms(slope) * clock
        yield Curvature(sigma, t, acceleration, turn, 0.5 * acceleration * clock**2 / s)


def _rms(x):
    """Over the coordinates of each sample: [B]."""
    return x.flatten(1).square().mean(1).sqrt()


def _decreasing(sigmas, zero: bool = False) -> list[float]:
    """Checked noise levels as numbers; `zero`: whether the last may be 0."""
    levels = [float(sigma) for sigma in sigmas]
    if not levels:
        raise Refused("sigmas is empty; give at least one noise level above 0")
    for i, sigma in enumerate(levels):
        ends = zero and 0 < i == len(levels) - 1
        if not (0 < sigma < math.inf or (ends and sigma == 0)):
            raise Refused(f"sigmas[{i}] = {sigma:g} must be finite and above 0" + ", or 0 at the end" * zero)
        if i and sigma >= levels[i - 1]:
            raise Refused(f"sigmas[{i}] = {sigma:g} must be below the level before it, {levels[i - 1]:g}")
    return levels
