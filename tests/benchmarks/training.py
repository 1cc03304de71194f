"""A step of training beside the commit before and beside a plain loop, and how its data come."""

from __future__ import annotations

import copy
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from edm import networks
from edm.objective import Design
from edm.preconditioning import EDM, Denoiser
from edm.training.ema import Ema
from edm.training.loss import Loss
from tests.benchmarks.network import SIZES, asked_of, devices
from tests.benchmarks.plain import plain, side_by_side
from tests.benchmarks.sides import sides
from tests.benchmarks.table import Row

CHANNELS = {"1.3 M": 32, "5 M": 64}
ASKED = 1.2


def beside_plain(sizes, batch=16):
    """A step of ours against a plain loop: no channels-last, no fused optimizer, averages parameter by parameter."""
    torch.manual_seed(0)
    ours = networks.build("ddpmpp", in_channels=3, resolution=32, classes=10, **sizes).train()
    other = plain(ours).train()
    loss, indices = Loss(Design(), 0, 0.5), np.arange(batch)
    y, labels = torch.randn(batch, 3, 32, 32) / 2, torch.arange(batch) % 10
    fused = torch.optim.Adam(ours.parameters(), lr=1e-3, fused=True)
    simple = torch.optim.Adam(other.parameters(), lr=1e-3, foreach=False)
    ema, average = Ema(ours, [1000], None), copy.deepcopy(other).eval()

    def step(network, optimizer):
        optimizer.zero_grad(set_to_none=True)
        loss(Denoiser(network, EDM(0.5)), y, labels, indices).mean().backward()

    def fast():
        step(ours, fused)
        torch.stack(torch._foreach_norm([p.grad for p in ours.parameters()])).sum()
        fused.step()
        ema.update(ours, 1000, batch)

    def slow():
        step(other, simple)
        for parameter in other.parameters():
            torch.nan_to_num(parameter.grad, nan=0, posinf=1e5, neginf=-1e5, out=parameter.grad)
        simple.step()
        with torch.no_grad():
            for mean, parameter in zip(average.parameters(), other.parameters(), strict=True):
                mean.copy_(parameter.lerp(mean, 0.9))

    return side_by_side(fast, slow)


def folder(count=10_000):
    """(MB that `count` images of 256 × 256 and their loader take while they are read, at most; MB of the process
    before; images/s of the loader)."""
    from PIL import Image

    script = """
import sys, time, resource
import numpy as np, torch
from edm.data.folders import ImageFolder
from edm.training.loader import Split, batches
torch.set_num_threads(2)
def resident():
    return int(open('/proc/self/statm').read().split()[1]) * 4096 / 1e6
before = most = resident()
split = Split(ImageFolder(sys.argv[1]), 0)
loader = batches(split, 0, ((i, i + 32) for i in range(0, 2048, 32)))
start, seen = time.perf_counter(), 0
for numbers, images, labels in loader:
    seen, most = seen + len(images), max(most, resident())
print(most - before, before, seen / (time.perf_counter() - start))
"""
    with tempfile.TemporaryDirectory() as place:
        random = np.random.default_rng(0)
        pictures = [random.integers(0, 255, (16, 16, 3), dtype=np.uint8) for _ in range(16)]
        encoded = []
        for k, picture in enumerate(pictures):
            path = Path(place, f"{k}.jpg")
            Image.fromarray(picture).resize((256, 256), Image.Resampling.BICUBIC).save(path, quality=90)
            encoded.append(path.read_bytes())
            path.unlink()
        for k in range(count):
            Path(place, f"{k:05}.jpg").write_bytes(encoded[k % 16])
        command = [sys.executable, "-c", script, place]
        done = subprocess.run(
            command, capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": "."}
        )
    return tuple(float(word) for word in done.stdout.split())


def starving(steps=12):
    """Share of a step's time that the loop waits for its data, on scenes, which are rendered as they are read."""
    from edm.data import sources
    from edm.data.settings import Data
    from edm.data.split import Split
    from edm.training.loader import batches

    network = networks.build("ddpmpp", in_channels=3, resolution=32, classes=6, **SIZES).train()
    denoiser, loss = Denoiser(network, EDM(0.5)), Loss(Design(), 0, 0.5)
    optimizer = torch.optim.Adam(network.parameters(), fused=True)
    loader = batches(
        Split(sources.open_source(Data(dataset="scenes")), None), 0, ((i, i + 32) for i in range(0, 10**6, 32))
    )
    waited = total = 0.0
    for number in range(steps):
        start = time.perf_counter()
        indices, y, labels = next(loader)
        ready = time.perf_counter()
        optimizer.zero_grad()
        loss(denoiser, y, labels, indices).mean().backward()
        optimizer.step()
        if number > 2:
            waited, total = waited + ready - start, total + time.perf_counter() - start
    loader.close()
    return waited / total


def rows(options, tree: Path | None):
    with sides(tree) as both:
        for device in devices():
            for title, channels in CHANNELS.items():
                what = f"training step, {title}, 16 scenes"
                yield from both.rows("training", what, {"channels": channels}, device, asked_of(device, ASKED))
    torch.set_num_threads(os.cpu_count() or 1)
    for title, channels in CHANNELS.items():
        ratios, ours, other = beside_plain({**SIZES, "channels": channels})
        what = f"training step, {title}, 16 of 32×32 ({other:.0f} ms when plain): plain / ours"
        yield Row(what, ours, ratios=ratios, more=True)
    more, before, rate = folder()
    title = f"folder of 10,000 images of 256×256, read at {rate:.0f}/s: memory (torch: {before:.0f} MB)"
    yield Row(title, more, "MB", 500)
    yield Row("share of a step that waits for its scenes", starving(), "×", 0.05)
