"""Test problems with exact solutions."""

import torch

import edm
from edm.sampling.loop import Ode, Run


def gaussian(std, dim=1, mean=0.0):
    """N(mean, std² I): D(x; σ) = (mean·σ² + x·std²)/(σ² + std²)."""
    return edm.exact.GaussianMixture(torch.full((1, dim), mean, dtype=torch.float64), std)


def smooth_mixture():
    """Wide enough for the asymptotic order to show at a few dozen steps."""
    return edm.exact.GaussianMixture([[-0.9, 0.2], [0.7, -0.5], [0.3, 0.9]], [0.5, 0.6, 0.45], [0.5, 0.3, 0.2])


def mixture_on_a_line():
    return edm.exact.GaussianMixture([[-0.9], [0.7], [0.3]], [0.5, 0.6, 0.45], [0.5, 0.3, 0.2])


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


def variance(sampling, std=1.3, given=True):
    """The variance of what a sampler makes of N(0, std²), over std²: exact, since there it is linear in its latents and
    its draws. Sample k gets 1 for draw k alone, the last one for its latent alone. given: whether as a noise source of
    one's own, whose numbers are used as they are."""
    path = edm.path_of(sampling)
    count = path.steps * path.draws
    z = torch.zeros(count + 1, 1, dtype=torch.float64)
    z[count] = 1

    def noise(k, x):
        return torch.zeros_like(x).index_fill_(0, torch.tensor([k]), 1.0)

    run, x = Run(Ode(gaussian(std), path), path, noise if path.draws else None, given=given), path.begun(z)
    for i in range(path.steps):
        x = run.step(run.begin(i, x))
    return float(x.square().sum()) / std**2
