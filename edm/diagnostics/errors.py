"""How far a sampling result is from the ODE's exact solution."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from edm.base.devices import precisely
from edm.base.errors import Refused
from edm.sampling.loop import last, sample
from edm.sampling.path import path_of
from edm.sampling.settings import Sampling
from edm.solvers import SOLVERS

if TYPE_CHECKING:
    from edm.base.types import Labels
    from edm.sampling.denoisers import Denoise

REFERENCE_STEPS = 256
REFERENCE_SIGMA_MIN = 1e-4
_REFERENCE = Sampling(solver="heun", alpha=1.0, discretization="edm", rho=7.0, schedule="linear", scaling="none")


def reference(
    denoiser: Denoise, latents: torch.Tensor, sampling: Sampling, labels: Labels = None, steps: int = REFERENCE_STEPS
) -> torch.Tensor:
    """The end of the probability-flow ODE from the same latents [B, …], solved finely in float64.

    x/s as a function of σ is the same curve for every schedule and scaling, so it depends on the settings
    through σ_0 alone: Heun on σ(t) = t from there to 1e-4 with ρ = 7, then the last step to 0.
    """
    start = path_of(sampling, denoiser).sigmas[0]
    fine = _REFERENCE.changed(steps=steps, sigma_max=start, sigma_min=min(REFERENCE_SIGMA_MIN, start / 10))
    return last(sample(denoiser, precisely(latents), fine, labels)).x


def rms_error(x: torch.Tensor, exact: torch.Tensor) -> float:
    """Root-mean-square difference of two tensors [B, …], over samples and coordinates, in the data's units."""
    if x.shape != exact.shape:
        raise Refused(f"cannot compare shapes {list(x.shape)} and {list(exact.shape)}")
    return float((precisely(x) - precisely(exact)).square().mean().sqrt())


def reference_evaluations(steps: int = REFERENCE_STEPS) -> int:
    """Calls of the denoiser that `reference` with so many steps takes."""
    return SOLVERS[_REFERENCE.solver].evaluations(steps)


def check_deterministic(sampling: Sampling, why: str) -> None:
    """Raises Refused for settings that add fresh noise; why: what is not to be had then."""
    if sampling.stochastic:
        cause = "S_churn > 0" if sampling.S_churn > 0 else f"solver = {sampling.solver!r}"
        raise Refused(f"{cause}: {why}; {remedy(sampling)}")


def remedy(sampling: Sampling) -> str:
    """What to do about the fresh noise of stochastic settings."""
    if sampling.S_churn > 0:
        return "set it to 0"
    quiet = " and ".join(f"{name} = {value:g}" for name, value in SOLVERS[sampling.solver].quiet.items())
    return f"set {quiet}, or take another" if quiet else "take another"


def sampling_error(denoiser: Denoise, latents: torch.Tensor, sampling: Sampling, labels: Labels = None) -> float:
    """RMS error of the sampler against `reference`, from the same latents.

    With S_churn > 0 there is no single ODE solution to compare with: raises ValueError.
    """
    check_deterministic(sampling, "a stochastic path has no ODE solution of its own to compare with")
    end = last(sample(denoiser, latents, sampling, labels)).x
    return rms_error(end, reference(denoiser, latents, sampling, labels))
