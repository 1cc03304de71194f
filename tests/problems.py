"""Test problems with exact solutions."""

import torch

import edm


def gaussian(std, dim=1, mean=0.0):
    """N(mean, std² I): D(x; σ) = (mean·σ² + x·std²)/(σ² + std²)."""
    return edm.exact.GaussianMixture(torch.full((1, dim), mean, dtype=torch.float64), std)


def smooth_mixture():
    """Wide enough for the asymptotic order to show at a few dozen steps."""
    return edm.exact.GaussianMixture([[-0.9, 0.2], [0.7, -0.5], [0.3, 0.9]], [0.5, 0.6, 0.45], [0.5, 0.3, 0.2])


def latents(count, dim=2, seed=0, dtype=torch.float64):
    return edm.latents(edm.seeds(seed, count), (dim,), dtype=dtype)


class Counting:
    """A denoiser that counts its calls and refuses σ = 0."""

    def __init__(self, denoiser):
        self.denoiser, self.calls = denoiser, 0

    def __call__(self, x, sigma):
        assert sigma > 0
        self.calls += 1
        return self.denoiser(x, sigma)
