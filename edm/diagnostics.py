"""Measures of a sampling result: its distance to the ODE's exact solution, and to the data."""

from __future__ import annotations

import numpy as np
import torch

from edm.sampling import last, sample
from edm.settings import Sampling

REFERENCE_STEPS = 256
REFERENCE_SIGMA_MIN = 1e-4


def reference(denoiser, latents, sampling: Sampling, labels=None, steps: int = REFERENCE_STEPS) -> torch.Tensor:
    """The end of the probability-flow ODE from the same latents [B, …], solved finely in float64.

    x/s as a function of σ is the same curve for every schedule and scaling, so it depends on the settings
    through σ_0 alone: Heun on σ(t) = t from there to 1e-4 with ρ = 7, then the last step to 0.
    """
    from edm.timesteps import sigmas

    start = float(sigmas(sampling, getattr(denoiser, "round_sigma", None))[0])
    fine = Sampling(steps=steps, sigma_max=start, sigma_min=min(REFERENCE_SIGMA_MIN, start / 10))
    return last(sample(denoiser, latents.double(), fine, labels)).x


def rms_error(x, exact) -> float:
    """Root-mean-square difference of two tensors [B, …], over samples and coordinates, in the data's units."""
    if x.shape != exact.shape:
        raise ValueError(f"cannot compare shapes {list(x.shape)} and {list(exact.shape)}")
    return float((x.double() - exact.double()).square().mean().sqrt())


def sampling_error(denoiser, latents, sampling: Sampling, labels=None) -> float:
    """RMS error of the sampler against `reference`, from the same latents.

    With S_churn > 0 there is no single ODE solution to compare with: raises ValueError.
    """
    if sampling.S_churn > 0:
        raise ValueError("S_churn > 0: a stochastic path has no ODE solution of its own to compare with")
    end = last(sample(denoiser, latents, sampling, labels)).x
    return rms_error(end, reference(denoiser, latents, sampling, labels))


def sliced_wasserstein(x, y, projections: int = 64, seed: int = 0) -> float:
    """Sliced 2-Wasserstein distance between point clouds [A, d] and [B, d], in the data's units.

    The root mean square, over random directions, of the 1-D distance, which is exact between sorted
    projections; clouds of different size meet through their quantiles. In 1-D it is the 2-Wasserstein distance.
    """
    x, y = (torch.as_tensor(cloud).double().flatten(1) for cloud in (x, y))
    if x.shape[1] != y.shape[1] or not len(x) or not len(y):
        raise ValueError(f"cannot compare clouds of shapes {list(x.shape)} and {list(y.shape)}")
    directions = torch.from_numpy(np.random.default_rng(seed).standard_normal((x.shape[1], projections)))
    directions = directions / directions.norm(dim=0)
    x, y = (x.cpu() @ directions).sort(0).values, (y.cpu() @ directions).sort(0).values
    if len(x) != len(y):
        # the quantile functions are step functions: cut [0, 1] where either jumps
        cuts = torch.cat([torch.arange(1, n + 1, dtype=torch.float64) / n for n in (len(x), len(y))]).unique()
        middle = (cuts + torch.cat([cuts.new_zeros(1), cuts[:-1]])) / 2
        width = torch.diff(cuts, prepend=cuts.new_zeros(1))
        x, y = (c[(middle * len(c)).long().clamp(max=len(c) - 1)] for c in (x, y))
    else:
        width = torch.full((len(x),), 1 / len(x), dtype=torch.float64)
    return float(((x - y).square() * width[:, None]).sum(0).mean().sqrt())


def data_floor(dataset, count: int, truth, repeats: int = 4) -> float:
    """What `sliced_wasserstein` to `truth` [M, d] is on average for `count` true samples: the least to hope for."""
    return sum(sliced_wasserstein(dataset.sample(count, seed=k), truth) for k in range(repeats)) / repeats


def window_grid(half_width: float, half_height: float, columns: int, rows: int) -> torch.Tensor:
    """Centres of a columns × rows grid over [−half_width, half_width] × [−half_height, half_height]: [·, 2]."""
    across = (torch.arange(columns) + 0.5) / columns * 2 * half_width - half_width
    up = (torch.arange(rows) + 0.5) / rows * 2 * half_height - half_height
    return torch.cartesian_prod(across, up)


def direction_field(denoiser, positions, sigmas, follow: float | None = None, labels=None) -> torch.Tensor:
    """Where the probability flow moves points as σ falls: −dx/d ln σ = D(x; σ) − x, at positions [G, d], for each σ.

    follow: a σ_data for which positions and directions are in u = x/√(σ² + σ_data²) instead, where
    −du/d ln σ = (D − x)/√(σ² + σ_data²) + u·σ²/(σ² + σ_data²). Returns [len(sigmas), G, d].
    """
    field = []
    for sigma in sigmas:
        total = 1.0 if follow is None else (sigma**2 + follow**2) ** 0.5
        x = positions * total
        direction = (denoiser(x, sigma, labels) - x) / total
        field.append(direction if follow is None else direction + positions * (sigma / total) ** 2)
    return torch.stack(field)
