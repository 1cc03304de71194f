"""One side of a comparison: a process with the code of one tree, which computes what it is asked to, and how long.

Started by `tests.benchmarks.sides` with PYTHONPATH at the tree, so that nothing here may be imported from elsewhere
than `edm`, and only what both commits have. A line of JSON comes in, and a line goes back.
"""

from __future__ import annotations

import json
import os
import sys
import time
import zlib
from itertools import islice

import torch


def toy(model: str, solver: str, steps: int):
    """A picture's arithmetic, on one core as on the page."""
    import edm

    torch.set_num_threads(1)
    denoiser = edm.models.load(model).denoiser
    seeds = edm.seeds(0, 400 if len(denoiser.shape) == 1 else 16)
    latents = edm.latents(seeds, denoiser.shape)
    sampling = edm.Sampling(solver=solver, steps=steps)

    def run():
        return edm.last(edm.sample(denoiser, latents, sampling, seeds=seeds)).x

    return run, run()


def network(kind: str, sizes: dict, precision: str, device: str, batch: int = 16):
    """A call of a denoiser as sampling calls it, of images of 32 × 32."""
    from edm import networks
    from edm.preconditioning import EDM, Denoiser
    from edm.sampling.computing import Computing, prepared

    torch.set_num_threads(os.cpu_count() or 1)
    built = networks.build(kind, in_channels=3, resolution=32, classes=10, **sizes).eval().requires_grad_(False)
    weigh(built)
    denoiser = prepared(Denoiser(built, EDM(0.5), (3, 32, 32), 10), Computing(precision=precision), device)
    x = torch.randn(batch, 3, 32, 32, generator=torch.Generator().manual_seed(0)).to(device)
    labels = (torch.arange(batch) % 10).to(device)

    def run():
        with torch.no_grad():
            return settled(denoiser(x, 0.7, labels))

    return run, run()


def images(model: str, precision: str, device: str, count: int = 16, steps: int = 3):
    """A few steps of Heun of a model that ships. Compared is D at several levels: in half precision, a path from
    pure noise leads elsewhere."""
    import edm
    from edm.sampling.computing import Computing, prepared

    torch.set_num_threads(os.cpu_count() or 1)
    denoiser = prepared(edm.models.load(model).denoiser, Computing(precision=precision), device)
    seeds = edm.seeds(0, count)
    latents = edm.latents(seeds, denoiser.shape).to(device)
    labels = (torch.arange(count) % denoiser.classes).to(device) if denoiser.classes else None

    def run():
        return settled(edm.last(edm.sample(denoiser, latents, edm.Sampling(steps=steps), labels, seeds=seeds)).x)

    with torch.no_grad():
        calls = [denoiser(latents * (sigma**2 + 0.25) ** 0.5, sigma, labels) for sigma in (20, 2, 0.2, 0.02)]
    return run, torch.stack(calls)


def training(channels: int, precision: str, device: str, batch: int = 16):
    """A step of a run as the page and the command line make it: data, noise, gradients, Adam, averages."""
    from edm.training.loop import train
    from edm.training.parallel import World
    from edm.training.settings import Training

    torch.set_num_threads(os.cpu_count() or 1)
    sizes = {"channels": channels, "channel_mult": [1, 2, 2], "blocks": 1, "attention": [16, 8]}
    document = {"data": {"dataset": "scenes"}, "architecture": sizes, "batch": batch, "precision": precision}
    settings = Training.parse({**document, "images": 10**8, "tick": 10**8, "checkpoint": 10**8})
    events = train(settings, World(0, 1, torch.device(device)))
    losses = torch.tensor([float(event.loss) for event in islice(events, 1, 4)])

    def run():
        return float(next(events).loss)

    return run, losses


FIGURES = {"toy": toy, "network": network, "images": images, "training": training}


def weigh(network) -> None:
    """The same weights in whichever tree: each a function of its name; none is zero, as many are at first."""
    for name, tensor in network.state_dict().items():
        if tensor.is_floating_point() and not name.endswith(("filter", "freqs")):
            dice = torch.Generator().manual_seed(zlib.crc32(name.encode()))
            spread = 0.5 / max(tensor[0].numel(), 1) ** 0.5 if tensor.dim() > 1 else 0.1
            tensor.copy_(spread * torch.randn(tensor.shape, generator=dice) + name.endswith("norm.weight"))


def settled(x):
    if x.device.type == "cuda":
        torch.cuda.synchronize(x.device)
    return x


def answered(question: dict, going: dict) -> dict:
    """{"prepare": figure, "with": arguments} -> {"check": numbers}; {"times": n} -> {"seconds": of one of n}."""
    if figure := question.get("prepare"):
        going["run"], check = FIGURES[figure](**question["with"])
        flat = check.double().flatten().cpu()
        return {"check": flat[:: max(1, len(flat) // 200)].tolist()}
    begun = time.perf_counter()
    for _ in range(question["times"]):
        going["run"]()
    return {"seconds": (time.perf_counter() - begun) / question["times"]}


def main():
    out, sys.stdout = sys.stdout, sys.stderr
    going: dict = {}
    for line in sys.stdin:
        print(json.dumps(answered(json.loads(line), going)), file=out, flush=True)


if __name__ == "__main__":
    main()
