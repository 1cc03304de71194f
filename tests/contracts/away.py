"""Asking the same here and on a pretended device, small denoisers to ask, and what they give side by side."""

import dataclasses
from collections.abc import Iterator

import numpy as np
import torch

import edm
from edm import networks
from edm.exact import GaussianMixture
from edm.preconditioning import PRECONDITIONINGS, Denoiser
from tests import pretended


def mixture():
    return GaussianMixture([[-0.9, 0.2], [0.7, -0.5], [0.3, 0.9]], [0.5, 0.6, 0.45], [0.5, 0.3, 0.2], [0, 1, 1])


def network(name, pre="edm", **options):
    """A tiny denoiser of random weights, not zero where a network begins with zeros."""
    images = networks.NETWORKS[name].images
    shape = (3, 8, 8) if images else (2,)
    sizes = {"resolution": 8, "channel_mult": (1, 2), "attention": (4,)} if images else {}
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        made = networks.build(
            name, in_channels=shape[0], out_channels=shape[0], channels=8, blocks=1, **sizes, **options
        )
        for weights in made.parameters():
            weights.add_(torch.randn_like(weights), alpha=0.1)
    return Denoiser(made.eval(), PRECONDITIONINGS[pre](), shape)


def parts(thing):
    """The tensors and numbers of a result, in their order."""
    if isinstance(thing, torch.Tensor | np.ndarray | float):
        yield thing
    elif isinstance(thing, Iterator | list | tuple):
        for part in thing:
            yield from parts(part)
    elif isinstance(thing, dict):
        yield from parts(list(thing.values()))
    elif dataclasses.is_dataclass(thing):
        yield from parts([getattr(thing, field.name) for field in dataclasses.fields(thing)])


def numbers(thing):
    return [
        part.detach().cpu().double().numpy() if isinstance(part, torch.Tensor) else np.asarray(part)
        for part in parts(thing)
    ]


def assert_there_as_here(ask, *, away=True, near=1e-5, rough=2e-3):
    """ask(device) gives the same everywhere, its tensors on the device; `away`: all of them, else none.

    Differences are shares of the largest number of a tensor, or of 1. rough: how far float32 may be from float64.
    """
    expected = numbers(ask(torch.device("cpu")))
    assert expected and all(np.isfinite(part).all() for part in expected)
    for without in (False, True):
        with pretended.gpu(count=2, no_float64=without) as gpu:
            device = gpu.devices[1]
            found = list(parts(ask(device)))
            places = {part.device for part in found if isinstance(part, torch.Tensor)}
            assert places <= {device if away else torch.device("cpu")}
            found = numbers(found)
        assert [part.shape for part in found] == [part.shape for part in expected]
        for one, other in zip(found, expected, strict=True):
            size = np.abs(other).max(initial=1.0)
            np.testing.assert_allclose(one, other, rtol=0, atol=size * (rough if without else near))


def sampled(denoiser, settings, device, shape=(2,), labels=None):
    """Every state of three samples."""
    seeds = edm.seeds(settings.seed, 3)
    latents = edm.latents(seeds, shape, device=device)
    return [(state.x, state.denoised) for state in edm.sample(denoiser, latents, settings, labels, seeds=seeds)]


def points(device, count=3):
    return edm.latents(edm.seeds(4, count), (2,), device=device)


def smooth(x, sigma, labels=None):
    """The exact denoiser of a Gaussian, in few operations."""
    sigma = torch.as_tensor(sigma, device=x.device).to(x.dtype).view(-1, 1)
    return x * 0.25 / (sigma**2 + 0.25)
