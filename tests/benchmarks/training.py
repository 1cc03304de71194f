"""Networks and the training step, beside plain ones that compute the same."""

from __future__ import annotations

import copy
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from edm import networks
from edm.networks.blocks import Attention, Resample
from edm.objective import Design
from edm.preconditioning import EDM, Denoiser
from edm.training.ema import Ema
from edm.training.loss import Loss

SIZES = {"channels": 32, "channel_mult": (1, 2, 2), "blocks": 1, "attention": (16, 8)}


class PlainAttention(nn.Module):
    """The same attention, with the weights of all pixels written out."""

    def __init__(self, attention: Attention):
        super().__init__()
        self.norm, self.qkv, self.proj, self.heads = attention.norm, attention.qkv, attention.proj, attention.heads

    def forward(self, x):
        batch, channels = x.shape[:2]
        q, k, v = self.qkv(self.norm(x)).view(batch, 3, self.heads, channels // self.heads, -1).unbind(1)
        weights = torch.einsum("bhcq,bhck->bhqk", q, k / (channels // self.heads) ** 0.5).softmax(3)
        return self.proj(torch.einsum("bhqk,bhck->bhcq", weights, v).reshape(x.shape))


class PlainResample(nn.Module):
    """The same resampling, as a convolution with its filter."""

    def __init__(self, resample: Resample):
        super().__init__()
        self.up = resample.up

    def forward(self, x):
        kernel = torch.full((x.shape[1], 1, 2, 2), 1.0 if self.up else 0.25, dtype=x.dtype, device=x.device)
        convolve = functional.conv_transpose2d if self.up else functional.conv2d
        return convolve(x, kernel, stride=2, groups=x.shape[1])


def plain(network):
    """The network as one would write it first: NCHW, attention and resampling written out."""
    network = copy.deepcopy(network).to(memory_format=torch.contiguous_format)
    for module in list(network.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, Attention):
                setattr(module, name, PlainAttention(child))
            elif isinstance(child, Resample):
                setattr(module, name, PlainResample(child))
    return network


def side_by_side(one, other, repeats):
    """Median of time(other) / time(one), the two taking turns."""
    ratios, times = [], []
    for run in (one, other):
        run()
    for _ in range(repeats):
        taken = []
        for run in (one, other, other, one):
            start = time.perf_counter()
            run()
            taken.append(time.perf_counter() - start)
        ratios.append((taken[1] + taken[2]) / (taken[0] + taken[3]))
        times.append((taken[0] + taken[3]) / 2)
    return statistics.median(ratios), statistics.median(times)


def forward_speed(name, sizes, batch, repeats=9):
    torch.manual_seed(0)
    network = networks.build(name, in_channels=3, resolution=32, classes=10, **sizes)
    other = plain(network)
    x, c_noise, labels = torch.randn(batch, 3, 32, 32), torch.zeros(batch), torch.arange(batch) % 10
    with torch.no_grad():
        torch.testing.assert_close(network(x, c_noise, labels), other(x, c_noise, labels), rtol=1e-3, atol=1e-4)
        ratio, seconds = side_by_side(lambda: network(x, c_noise, labels), lambda: other(x, c_noise, labels), repeats)
    return ratio, seconds, networks.parameters(network)


def training_speed(sizes, batch, repeats=7):
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

    return side_by_side(fast, slow, repeats)


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


def rows(options):
    """(what, got, asked, unit) for each budget."""
    torch.set_num_threads(os.cpu_count() or 1)
    for title, name, sizes in (
        ("DDPM++", "ddpmpp", SIZES),
        ("DDPM++, wider", "ddpmpp", {**SIZES, "channels": 64}),
        ("ADM", "adm", {**SIZES, "channels": 64}),
    ):
        ratio, seconds, count = forward_speed(name, sizes, batch=16)
        text = f"{title}, {count / 1e6:.1f} M, batch 16 at 32×32 ({1000 * seconds:.0f} ms): plain / ours"
        yield text, ratio, 1.4, "× faster"
    for title, sizes in (("1.3 M", SIZES), ("5 M", {**SIZES, "channels": 64})):
        ratio, seconds = training_speed(sizes, batch=16)
        yield (
            f"training step, {title}, batch 16 at 32×32 ({1000 * seconds:.0f} ms): plain / ours",
            ratio,
            1.3,
            "× faster",
        )
    more, before, rate = folder()
    title = f"folder of 10,000 images of 256 × 256, read at {rate:.0f}/s: memory (beside {before:.0f} MB of torch)"
    yield title, more, 500, "MB"
    yield "share of a step that waits for its scenes", starving(), 0.05, "×"
