"""Every solver of the ODE, at equal numbers of evaluations: how far it ends from the exact solution.

    python -m tests.trials solvers           # the tables of `edm.solvers.measured`; about ten minutes
    python -m tests.trials.solved DATA …     # those of some data

RMS over coordinates against 1,000 steps of Heun in float64, of samples of the seeds 0, 1, …. "EDM": ρ = 7, σ(t) = t,
s = 1. "flow": its even time shifted by α = ½, in its own coordinates. "found": the levels that `optimized` of
`edm.diagnostics` finds for LMS-4 in flow's coordinates, from other seeds. Of exact digits an error says little but
whether it is another image at the end: the share of those is told. Images have classes by turns.
"""

from __future__ import annotations

import sys

import torch

import edm
from edm import diagnostics
from edm.data.classes import turns
from edm.experiments import models
from edm.sampling import noise
from edm.solvers import SOLVERS

DATA = {"eight_gaussians": 400, "two_moons": 400, "spiral": 400, "digits": 192, "digits_edm": 24}  # samples
BUDGETS = (6, 9, 12, 18, 36)
EDM = {"discretization": "edm", "schedule": "linear", "scaling": "none"}
FLOW = {"discretization": "flow", "schedule": "flow", "scaling": "flow", "shift": 0.5}
FOUND = {"solver": "lms", "order": 4}


def methods() -> dict[str, dict]:
    """name -> the fields of `Sampling` of every method without noise."""
    found = {}
    for name, solver in SOLVERS.items():
        if solver.draws(edm.Sampling(solver=name)):
            continue
        orders = (2, 3, 4) if name in ("lms", "ipndm") else (2, 3) if solver.orders else (None,)
        for order in orders:
            found[f"{solver.title}{f'-{order}' if order else ''}"] = {"solver": name, "order": order}
        for variant in solver.variants:
            found[variant.title if variant.title.startswith(solver.title) else f"{solver.title} {variant.title}"] = {
                "solver": name, **variant.values,
            }  # fmt: skip
    return found


class Measured:
    """The errors of samplers of one kind of data."""

    def __init__(self, name: str, count: int, seed: int = 0):
        model = models.load(name)
        self.name, self.denoiser = name, model.denoiser
        images = len(model.shape) == 3
        kind = torch.float32 if name not in edm.data.DATASETS else torch.float64
        self.latents = noise.latents(noise.seeds(seed, count), model.shape, dtype=kind)
        self.labels = torch.tensor(turns(range(model.classes), count)) if images and model.classes else None
        self.exact = diagnostics.reference(self.denoiser, self.latents, edm.Sampling(), self.labels, 1000)

    def end(self, sampling) -> torch.Tensor:
        return edm.last(edm.sample(self.denoiser, self.latents, sampling, self.labels)).x

    def told(self, sampling) -> str:
        """The error in three digits, or where images flip, the share that does."""
        end = self.end(sampling)
        if self.name != "digits":
            return f"{diagnostics.rms_error(end, self.exact):.2g}"
        points = self.denoiser.points.double().flatten(1)
        nearest, exact = (torch.cdist(x.double().flatten(1), points).argmin(1) for x in (end, self.exact))
        return f"{100 * float((nearest != exact).double().mean()):.0f} %"


def lines(name: str, count: int):
    """The table of some data, line by line."""
    measured = Measured(name, count)
    heun = measured.told(edm.Sampling(steps=18))
    yield f"{name} ({count} samples; EDM's own settings, 35 evaluations: {heun})"
    yield f"{'':14}" + f"{'EDM':>8}" + f"{'':32}" + f"{'flow':>8}"
    yield f"{'':14}" + 2 * "".join(f"{budget:>8}" for budget in BUDGETS)
    for title, values in methods().items():
        cells = []
        for space in (EDM, FLOW):
            for budget in BUDGETS:
                sampling = diagnostics.with_evaluations(edm.Sampling(**values, **space), budget)
                cells.append(measured.told(sampling))
        yield f"{title:14}" + "".join(f"{cell:>8}" for cell in cells)
    if name == "digits":
        return
    others, cells = Measured(name, min(count, 128), seed=1), []
    for budget in BUDGETS[:3]:
        sampling = edm.Sampling(**FOUND, **FLOW, steps=budget)
        found = diagnostics.optimized(measured.denoiser, sampling, others.latents, others.labels, others=others.latents)
        cells.append(measured.told(found.sampling))
    yield f"{'LMS-4, found':14}" + 5 * f"{'':>8}" + "".join(f"{cell:>8}" for cell in cells)


def solvers(folder, dice):
    """How far every solver is from the exact solution, by evaluations."""
    for name, count in DATA.items():
        yield from ["", *lines(name, count)]


if __name__ == "__main__":
    for name in sys.argv[1:] or DATA:
        for line in lines(name, DATA[name]):
            print(line, flush=True)
        print()
