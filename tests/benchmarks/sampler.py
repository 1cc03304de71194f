"""The arithmetic of a picture beside the commit before, and the sampler's loop beside bare calls of its denoiser."""

from __future__ import annotations

import os
from pathlib import Path

import torch

import edm
from edm.solvers import SOLVERS
from tests.benchmarks.plain import side_by_side
from tests.benchmarks.sides import sides
from tests.benchmarks.table import Row

MODELS = {"eight_gaussians": 40, "spiral": 40, "digits": 5}  # steps
BOTH = ("euler", "heun")  # solvers that the commit before knows, too
STEPS = 4  # of the loop that is compared with its calls


def around_calls(solver: str):
    """(time of a run over the time of as many bare calls, of each repeat; parameters): a convolutional stand-in."""
    torch.set_num_threads(os.cpu_count() or 1)
    layers = [torch.nn.Conv2d(3, 128, 3, padding=1)]
    for _ in range(8):
        layers += [torch.nn.SiLU(), torch.nn.Conv2d(128, 128, 3, padding=1)]
    network = torch.nn.Sequential(*layers, torch.nn.Conv2d(128, 3, 3, padding=1)).eval()
    latents = edm.latents(edm.seeds(0, 8), (3, 16, 16))
    sampling = edm.Sampling(solver=solver, steps=STEPS)

    def denoiser(x, sigma):
        return network(x) * 1e-3

    def ours():
        return edm.last(edm.sample(denoiser, latents, sampling, seeds=edm.seeds(0, 8)))

    calls = ours().evaluations

    def bare():
        with torch.no_grad():
            for _ in range(calls):
                denoiser(latents, 1.0)

    ratios, _, _ = side_by_side(bare, ours)
    return ratios, sum(p.numel() for p in network.parameters())


def rows(options, tree: Path | None):
    with sides(tree) as both:
        for model, steps in MODELS.items():
            for solver in BOTH:
                title = f"a picture's arithmetic, {model}, {steps} steps of {solver}, one core"
                sampling = {"model": model, "solver": solver, "steps": steps}
                yield both.compare("toy", sampling, tolerance=1e-5).row(title)
    for solver in SOLVERS:
        ratios, parameters = around_calls(solver)
        yield Row(
            f"sampler loop / bare calls, {solver}, {parameters / 1e6:.1f} M, batch 8", None, "", 1.02, ratios=ratios
        )
