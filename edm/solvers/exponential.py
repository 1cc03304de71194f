"""Exponential integrators in λ = −ln σ that remember: DPM-Solver++, its SDE forms, and UniPC.

They work on x/s and σ, which are the same curve under every schedule and scaling, with D as a polynomial in λ:

    x⁺ = e^(−h)·x + ∫ e^(−(h−u))·D(λ + u) du over [0, h],   h = λ⁺ − λ

e = 1 − e^(−h) = h·φ₁(−h),   φ₂ = 1 − e/h = h·φ₂(−h) below,   r_k = (λ − λ₋ₖ)/h.
DPM-Solver++(3M) as published takes −φ₃·d₂ for its quadratic part, φ₃ = φ₂/h − ½, where the integral is −2φ₃·d₂.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING

import torch

from edm.solvers.coefficients import phi, vandermonde
from edm.solvers.multistep import Row, apart, combined, denoised, hat_sigmas, order_at, remembering
from edm.solvers.solver import Draw, Now, Step

if TYPE_CHECKING:
    from edm.base.protocols import OdeLike, PathLike, SamplingLike

UNIPC_ORDER = 2
FEW = 10  # levels, up to which the published code lowers the order of DPM-Solver++ at the end
Weights = tuple[float, ...]


class Levels:
    """The levels of a path as steps in λ, of the state's own coordinates: x/s·s⁺ goes into the weights."""

    def __init__(self, path: PathLike):
        self.path, self.sigmas = path, hat_sigmas(path)
        self._logs = [math.log(sigma) for sigma in self.sigmas]

    def h(self, index: int) -> float:
        """λ⁺ − λ̂ of step `index`."""
        return math.log(self.sigmas[index] / self.path.sigmas[index + 1])

    def r(self, index: int, k: int) -> float:
        """(λ̂ − λ̂₋ₖ)/h."""
        return math.log(self.sigmas[index - k] / self.sigmas[index]) / self.h(index)

    def order(self, index: int, order: int) -> int:
        """`order`, or as many as are far enough from one another."""
        return apart(self._logs, index, self.h(index), order)

    def row(self, index: int, keep: float, weights: Weights, noise: float = 0.0) -> Row:
        """A row for x/s as one for the state."""
        ahead = self.path.scale(index + 1)
        here = self.path.scale_at(self.path.hats[index])
        return Row(keep * ahead / here, tuple(ahead * weight for weight in weights), ahead * noise)


def _quadratic(r: Sequence[float], first: float, second: float) -> list[float]:
    """The weights of D, D₋₁, D₋₂ in first·d₁ + second·d₂, where d₁ is h·(the derivative of their parabola) and d₂ is
    h²·(their second divided difference): a = (D − D₋₁)/r₀, b = (D₋₁ − D₋₂)/r₁, d₂ = (a − b)/(r₀ + r₁), d₁ = a + r₀·d₂.
    """
    a, b = [1 / r[0], -1 / r[0], 0.0], [0.0, 1 / r[1], -1 / r[1]]
    of_a, of_second = first, (first * r[0] + second) / (r[0] + r[1])
    return [of_a * x + of_second * (x - y) for x, y in zip(a, b, strict=True)]


def _plus_plus(levels: Levels, index: int, order: int, factor: float) -> Row:
    """DPM-Solver++ of order 1, 2, 3 (factor: of the quadratic part)."""
    h = levels.h(index)
    e = -math.expm1(-h)
    if order == 1:
        weights: Weights = (e,)
    elif order == 2:
        half = e / (2 * levels.r(index, 1))
        weights = (e + half, -half)
    else:
        r0 = levels.r(index, 1)
        now, *before = _quadratic([r0, levels.r(index, 2) - r0], h * phi(2, -h), factor * h * phi(3, -h))
        weights = (e + now, *before)
    return levels.row(index, math.exp(-h), weights)


def _plus_plus_begun(path, sampling, most, factor) -> Step:
    levels = Levels(path)
    lowered = sampling.lower_order_final and path.steps <= FEW

    def row(index: int, known: int) -> Row:
        order = min(most, known, max(path.steps - 1 - index, 1) if lowered else most)
        return _plus_plus(levels, index, levels.order(index, order), factor)

    return remembering(path, most, denoised, row)


def dpmpp_2m(path: PathLike, sampling: SamplingLike) -> Step:
    """D + (D − D₋₁)/(2r) in the place of D."""
    return _plus_plus_begun(path, sampling, 2, 1.0)


def dpmpp_3m(path: PathLike, sampling: SamplingLike) -> Step:
    """As published; variant "exact": with the factor 2 of the quadratic part."""
    return _plus_plus_begun(path, sampling, 3, 2.0 if sampling.variant == "exact" else 1.0)


def dpmpp_2m_sde(path: PathLike, sampling: SamplingLike) -> Step:
    """2M of the SDE: g = (1 + η)·h in the place of h where D counts, and noise of σ⁺·√(1 − e^(−2ηh))."""
    heun = sampling.variant == "heun"

    def row(levels: Levels, index: int, order: int) -> Row:
        g = (1 + sampling.eta) * levels.h(index)
        e = -math.expm1(-g)
        c = (g * phi(2, -g) if heun else e / 2) / levels.r(index, 1) if order > 1 else 0.0
        return _with_noise(levels, index, sampling.eta, (e + c, -c)[:order])

    return _sde_begun(path, 2, row)


def dpmpp_3m_sde(path: PathLike, sampling: SamplingLike) -> Step:
    """3M of the SDE, as published."""

    def row(levels: Levels, index: int, order: int) -> Row:
        g = (1 + sampling.eta) * levels.h(index)
        weights: Weights = (-math.expm1(-g),)
        if order == 2:
            c = g * phi(2, -g) / levels.r(index, 1)
            weights = (weights[0] + c, -c)
        elif order == 3:
            r0 = levels.r(index, 1)
            now, *before = _quadratic([r0, levels.r(index, 2) - r0], g * phi(2, -g), g * phi(3, -g))
            weights = (weights[0] + now, *before)
        return _with_noise(levels, index, sampling.eta, weights)

    return _sde_begun(path, 3, row)


def _with_noise(levels, index, eta, weights) -> Row:
    h = levels.h(index)
    noise = levels.path.sigmas[index + 1] * math.sqrt(-math.expm1(-2 * eta * h))
    return levels.row(index, math.exp(-(1 + eta) * h), weights, noise)


def _sde_begun(path, most, row: Callable[[Levels, int, int], Row]) -> Step:
    levels = Levels(path)
    return remembering(
        path, most, denoised, lambda index, known: row(levels, index, levels.order(index, min(most, known)))
    )


def unipc(path: PathLike, sampling: SamplingLike) -> Step:
    """UniPC-p: each step ends at its prediction, where D is evaluated; the next one begins by correcting that with this
    D, and then predicts with it.

    So N steps are N evaluations, the state between two steps is the predicted one, and D is that of it. A state that
    is not the one that the last step has predicted, as with churn's noise, is not corrected; nor is the last one, which
    gives D.
    """
    levels, most = Levels(path), sampling.order or UNIPC_ORDER
    remembered: deque[torch.Tensor] = deque(maxlen=most + 1)
    predicted: torch.Tensor | None = None

    def order(index: int, known: int) -> int:
        return levels.order(index, order_at(path, sampling, UNIPC_ORDER, index, known))

    def step(ode: OdeLike, now: Now, draw: Draw) -> torch.Tensor:
        nonlocal predicted
        if now.sigma_next == 0:
            return now.denoised
        if path.gammas[now.index]:
            remembered.clear()
        remembered.appendleft(now.denoised)
        index, known = now.index, len(remembered)
        weights = _prediction(levels, index, order(index, min(known, most)), sampling.variant)
        s = math.exp(-levels.h(index))
        if now.x is predicted:
            added = _correction(levels, index - 1, order(index - 1, known - 1), sampling.variant)
            weights = [w + s * a for w, a in zip_longest(weights, added, fillvalue=0.0)]
        row = levels.row(index, s, tuple(weights))
        predicted = combined(now.x, row.keep, row.weights, remembered)
        return predicted

    return step


def _prediction(levels, index, order, variant) -> list[float]:
    """The weights of D, D₋₁, … in the predictor of step `index`."""
    now, *before, _ = _differences(levels, index, order, variant, corrects=False)
    return [-math.expm1(-levels.h(index)) + now, *before]


def _correction(levels, index, order, variant) -> list[float]:
    """The weights of D⁺, D, D₋₁, … in what the corrector of step `index` adds to its prediction."""
    *corrected, ahead = _differences(levels, index, order, variant, corrects=True)
    *predicted, _ = _differences(levels, index, order, variant, corrects=False)
    return [ahead, *(x - y for x, y in zip(corrected, predicted, strict=True))]


def _differences(levels, index, order, variant, corrects) -> list[float]:
    """−B·Σ_k ρ_k·(D₋ₖ − D)/r_k as weights of D, D₋₁, …, and D⁺, where r = 1, which counts if it `corrects`.

    Σ_k r_k^(j−1)·ρ_k = j!·ψ_j/B, ψ_j = −h·φ_{j+1}(−h), r_k < 0 for what is remembered. Where one is left, ρ = ½.
    """
    h = levels.h(index)
    b = -h if variant == "bh1" else math.expm1(-h)
    r = [-levels.r(index, k) for k in range(1, order)] + [1.0] * corrects
    rho = [0.5] * len(r)
    if len(r) > 1:
        rho = vandermonde(r, [math.factorial(j) * -h * phi(j + 1, -h) / b for j in range(1, len(r) + 1)])
    shares = [-b * share / ratio for share, ratio in zip(rho, r, strict=True)]
    return [-sum(shares), *shares, *[0.0] * (not corrects)]
