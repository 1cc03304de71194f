"""Methods that remember: each step is one linear combination of the state and of what was evaluated before.

    x⁺ = keep·x + Σ_j weights_j·m₋ⱼ + noise·ξ

m₋₀ is evaluated at the step's own beginning, m₋₁ at the beginning of the step before. A method is the `Row` of each
step, numbers of the levels alone, and what m is.

A run begins with nothing to remember, in the middle of its path too, so that its first steps are of order 1, 2, …: the
order of step i is min(p, steps taken + 1). Where churn adds noise, what was evaluated before is of another state, and
extrapolating from it multiplies the noise (by 10⁶ at N = 64 with S_churn = 40): such a step begins anew too, at t̂_i and
σ̂_i, which is where it is remembered. The step to σ = 0 gives D.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import torch

from edm.solvers.coefficients import lagrange, phi
from edm.solvers.solver import Draw, Now, Step

if TYPE_CHECKING:
    from edm.base.protocols import OdeLike, PathLike, SamplingLike

NEAREST = 0.01  # of the coming step: what is remembered nearer than that says nothing of it, but multiplies errors
LMS_ORDER, IPNDM_ORDER, DEIS_ORDER = 3, 4, 3  # each one's own
IPNDM_WEIGHTS = (
    (1.0,),
    (3 / 2, -1 / 2),
    (23 / 12, -16 / 12, 5 / 12),
    (55 / 24, -59 / 24, 37 / 24, -9 / 24),
)


class Row(NamedTuple):
    """The numbers of one step. weights: of m₋₀, m₋₁, …; noise: of a fresh unit normal ξ, 0: none is drawn."""

    keep: float
    weights: tuple[float, ...]
    noise: float = 0.0


Remembered = Callable[[Now], torch.Tensor]


def remembering(path: PathLike, most: int, of: Remembered, row: Callable[[int, int], Row]) -> Step:
    """A step that remembers `most` values, the present one included; with fresh noise it forgets those before.

    of(now): what is remembered of a step's beginning. row(i, known): of step i, where `known` are remembered.
    """
    history: deque[torch.Tensor] = deque(maxlen=most)

    def step(ode: OdeLike, now: Now, draw: Draw) -> torch.Tensor:
        if now.sigma_next == 0:
            return now.denoised
        if path.gammas[now.index]:
            history.clear()
        history.appendleft(of(now))
        keep, weights, noise = row(now.index, len(history))
        x = combined(now.x, keep, weights, history)
        return x.add_(draw(x), alpha=noise) if noise else x

    return step


def combined(x: torch.Tensor, keep: float, weights: Sequence[float], history: Sequence[torch.Tensor]) -> torch.Tensor:
    """keep·x + Σ weights_j·m₋ⱼ, a tensor of its own."""
    found = x * keep if keep != 1 else x.add(history[0], alpha=weights[0])
    for weight, remembered in list(zip(weights, history, strict=False))[keep == 1 :]:
        found.add_(remembered, alpha=weight)
    return found


def denoised(now: Now) -> torch.Tensor:
    """D(x/s; σ)."""
    return now.denoised


def slope(now: Now) -> torch.Tensor:
    """dx/dt."""
    return now.slope


def hat_sigmas(path: PathLike) -> list[float]:
    """σ̂_i of each step: σ_i itself where churn adds nothing."""
    return [
        path.schedule.sigma(hat) if gamma else sigma
        for sigma, gamma, hat in zip(path.sigmas[:-1], path.gammas, path.hats, strict=True)
    ]


def order_at(path: PathLike, sampling: SamplingLike, own: int, index: int, known: int) -> int:
    """min(p, known); with `lower_order_final` it falls to 1 on the step to the last level above 0."""
    order = min(sampling.order or own, known)
    return min(order, max(path.steps - 1 - index, 1)) if sampling.lower_order_final else order


def apart(nodes: Sequence[float], index: int, h: float, order: int) -> int:
    """Of the `order` last nodes, back from nodes[index], how many are far enough from one another for a step of h."""
    for k in range(1, order):
        if abs(nodes[index - k] - nodes[index - k + 1]) < NEAREST * abs(h):
            return k
    return order


def lms(path: PathLike, sampling: SamplingLike) -> Step:
    """Adams–Bashforth with variable steps, in t: the slopes' polynomial through the last p, integrated from t to t⁺."""
    times = path.hats

    def row(index: int, known: int) -> Row:
        h = path.times[index + 1] - times[index]
        order = apart(times, index, h, order_at(path, sampling, LMS_ORDER, index, known))
        nodes = [(times[index - j] - times[index]) / h for j in range(order)]
        weights = lagrange(nodes, [1 / (k + 1) for k in range(order)])
        return Row(1.0, tuple(h * weight for weight in weights))

    return remembering(path, sampling.order or LMS_ORDER, slope, row)


def ipndm(path: PathLike, sampling: SamplingLike) -> Step:
    """Adams–Bashforth with the weights of equal steps, in t, whatever the steps are."""

    def row(index: int, known: int) -> Row:
        order = order_at(path, sampling, IPNDM_ORDER, index, known)
        h = path.times[index + 1] - path.hats[index]
        return Row(1.0, tuple(h * weight for weight in IPNDM_WEIGHTS[order - 1]))

    return remembering(path, sampling.order or IPNDM_ORDER, slope, row)


def deis(path: PathLike, sampling: SamplingLike) -> Step:
    """On (x/s, σ): d = (x/s − D)/σ as a polynomial in ln σ through the last p, integrated from σ to σ⁺."""
    sigmas, scales = hat_sigmas(path), [path.scale_at(t) for t in path.hats]
    logs = [math.log(sigma) for sigma in sigmas]

    def d(now: Now) -> torch.Tensor:
        return (now.x * (1 / (now.sigma * scales[now.index]))).sub_(now.denoised, alpha=1 / now.sigma)

    def row(index: int, known: int) -> Row:
        h = math.log(sigmas[index] / path.sigmas[index + 1])
        order = apart(logs, index, h, order_at(path, sampling, DEIS_ORDER, index, known))
        nodes = [-math.log(sigmas[index - j] / sigmas[index]) / h for j in range(order)]
        moments = [math.factorial(k) * math.exp(-h) * phi(k + 1, h) for k in range(order)]
        ahead = path.scale(index + 1)
        weights = tuple(-sigmas[index] * h * ahead * weight for weight in lagrange(nodes, moments))
        return Row(ahead / scales[index], weights)

    return remembering(path, sampling.order or DEIS_ORDER, d, row)
