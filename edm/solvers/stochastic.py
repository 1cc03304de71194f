"""One-step methods that add noise of their own: to σ_dn by the ODE, then fresh noise of σ_up.

    σ_up = σ⁺·min(1, η·√(1 − (σ⁺/σ)²)),   σ_dn = √(σ⁺² − σ_up²)

With η = 0 each is the ODE's own method. They work on x/s and σ, which are the same under every schedule and scaling.
The step to σ = 0 gives D and draws nothing.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from edm.solvers.solver import Draw, Now, Step
from edm.solvers.two_stage import Plain, mixed, two_s

if TYPE_CHECKING:
    from edm.base.protocols import OdeLike, PathLike, SamplingLike


def down_and_up(sigma: float, sigma_next: float, eta: float) -> tuple[float, float]:
    """(σ_dn, σ_up) of a step from σ to σ⁺."""
    ratio = sigma_next / sigma
    down = math.sqrt(max(1 - eta * eta * (1 - ratio * ratio), 0.0))
    return sigma_next * down, sigma_next * min(1.0, eta * math.sqrt(1 - ratio * ratio))


def drawn_with_eta(sampling: SamplingLike) -> int:
    """One draw a step, but for η = 0."""
    return int(sampling.eta > 0)


def drawn_twice_with_eta(sampling: SamplingLike) -> int:
    return 2 * drawn_with_eta(sampling)


LOWER, UPPER, LEARNED = VARIANCES = ("lower", "upper", "learned")


def bounds(sigma: float, sigma_next: float) -> tuple[float, float]:
    """ln of the least and of the largest variance of x at σ⁺ given x at σ, of data of variance 0 and of 1: β̃ and β of
    DDPM times 1 + σ⁺²."""
    gap = sigma**2 - sigma_next**2
    lower = sigma_next**2 * gap / sigma**2
    return math.log(lower), math.log(gap * (1 + sigma_next**2) / (1 + sigma**2))


def hears(sampling: SamplingLike) -> bool:
    """Whether the network's variance is asked for."""
    return sampling.variant == LEARNED and sampling.eta > 0


def ddim(path: PathLike, sampling: SamplingLike) -> Step:
    """Euler in σ to σ_dn, then fresh noise of σ_up."""
    return _ancestral(path, sampling.eta, LOWER)


def euler_ancestral(path: PathLike, sampling: SamplingLike) -> Step:
    """The same, which is DDIM with its η. As variants, the fresh noise has η times another size: by the upper bound of
    the variance, or as the network says that has learned it (arXiv 2102.09672), ln variance = ½(1 + v)·ln upper +
    ½(1 − v)·ln lower; of one that has not, by the lower bound, which is σ_up.
    """
    return _ancestral(path, sampling.eta, sampling.variant or LOWER)


def _ancestral(path, eta, form) -> Step:
    plain = Plain(path)

    def step(ode: OdeLike, now: Now, draw: Draw) -> torch.Tensor:
        if now.sigma_next == 0:
            return now.denoised
        down, up = down_and_up(now.sigma, now.sigma_next, eta)
        u = mixed(plain.here(now), now.denoised, now.sigma, down)
        v = ode.variance(now) if form == LEARNED and eta else None
        if v is None and form != UPPER:
            return plain.state(now, _noisy(u, draw, up))
        low, high = bounds(now.sigma, now.sigma_next)
        if v is None:
            return plain.state(now, _noisy(u, draw, eta * math.exp(high / 2)))
        std = v.mul((high - low) / 4).add_((high + low) / 4).exp_()
        return plain.state(now, u.addcmul_(std, draw(u), value=eta))

    return step


def dpmpp_2s_ancestral(path: PathLike, sampling: SamplingLike) -> Step:
    """DPM-Solver++(2S) to σ_dn; where that is 0, which only η > 1 can make it, D."""
    plain, eta = Plain(path), sampling.eta

    def step(ode: OdeLike, now: Now, draw: Draw) -> torch.Tensor:
        if now.sigma_next == 0:
            return now.denoised
        down, up = down_and_up(now.sigma, now.sigma_next, eta)
        u = two_s(plain, ode, now, down) if down > 0 else now.denoised.clone()
        return plain.state(now, _noisy(u, draw, up))

    return step


def dpmpp_sde(path: PathLike, sampling: SamplingLike) -> Step:
    """DPM-Solver++(SDE), r = ½: ancestral to the middle, then to σ⁺ with D there.

    Both draws are of one Brownian path: what is added until the middle is a part of what is added until the end. With
    η = 1 the noise at σ is σ²·W(1/σ²), hence the correlation below; a noise source of one's own is used as it is.
    """
    plain, eta = Plain(path), sampling.eta

    def step(ode: OdeLike, now: Now, draw: Draw) -> torch.Tensor:
        if now.sigma_next == 0:
            return now.denoised
        x, middle = plain.here(now), math.sqrt(now.sigma * now.sigma_next)
        down, up = down_and_up(now.sigma, middle, eta)
        first = draw(x) if up else None
        u = mixed(x, now.denoised, now.sigma, down)
        between = plain.denoised(ode, u if first is None else u.add_(first, alpha=up), middle)
        down, up = down_and_up(now.sigma, now.sigma_next, eta)
        u = mixed(x, between, now.sigma, down)
        if first is not None:
            share = 1.0 if draw.given else 1 / (1 + now.sigma / now.sigma_next)
            whole = draw(x)
            u.add_(whole, alpha=up if draw.given else up * math.sqrt(1 - share))
            if not draw.given:
                u.add_(first, alpha=up * math.sqrt(share))
        return plain.state(now, u)

    return step


def _noisy(u, draw, up) -> torch.Tensor:
    """u with fresh noise of σ_up, in place."""
    return u.add_(draw(u), alpha=up) if up else u
