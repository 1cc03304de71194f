"""How fast a GPU is, beside the budgets, and beside what estimates say of it. Used by the trial of a GPU."""

from __future__ import annotations

import statistics
import time

import torch

import edm
from edm.experiments import models, runner
from edm.experiments.experiment import Experiment
from edm.sampling.compiling import compiled
from edm.sampling.denoisers import on
from edm.sampling.noise import latents, seeds
from edm.sampling.settings import Sampling
from edm.training.estimate import estimate
from edm.training.loop import train
from edm.training.parallel import World
from edm.training.settings import Training
from tests.benchmarks.network import SIZES
from tests.benchmarks.plain import plain

CIFAR = {"channels": 128, "channel_mult": [2, 2, 2], "blocks": 4, "attention": [16]}  # the paper's, 55.7 M


def settled(device):
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def seconds(device, act, repeats=7):
    """The median of what `act` takes until the device has done it."""
    took = []
    for _ in range(repeats + 2):
        settled(device)
        began = time.perf_counter()
        act()
        settled(device)
        took.append(time.perf_counter() - began)
    return statistics.median(took[2:])


def drawn(model, device, count=4, **settings):
    experiment = Experiment(model=model, count=count, sampling=Sampling(**settings))
    return edm.last(runner.states(experiment, device)).x


def budgets(device, folder):
    """The table of budgets, as far as a GPU decides them."""
    print(f"{'what':64} {'got':>9} {'asked':>9}")
    for model, first, whole in (("digits_edm", 150, 300), ("scenes_edm", 150, 500)):
        for title, settings, asked in (("6 steps", {"steps": 6}, first), ("18 steps", {}, whole)):
            got = 1000 * seconds(device, lambda model=model, s=settings: drawn(model, device, count=16, **s).cpu())
            yield said(f"16 of {model}, {title}", got, asked, "ms")
    other = torch.contiguous_format if device.type == "cpu" else torch.channels_last
    for title, name, channels in (("DDPM++", "ddpmpp", 32), ("ADM", "adm", 64)):
        network = built(device, name, {**SIZES, "channels": channels})
        ours, beside = forward(device, network), forward(device, plain(network))
        yield said(f"{title}, plain / ours, batch 16", beside / ours, 2, "×", more=True)
        turned = forward(device, network.to(memory_format=other))  # what the device does not like as well
        yield said(f"{title}, other layout / ours, batch 16", turned / ours, 1, "×", more=True)
    yield said("sampler loop / bare calls, batch 8", loop_cost(device), 1.02, "×")
    yield said("16 of digits_edm, eager / compiled", *compiling(device), "×", more=True)


def stepping(device, folder):
    """Steps of the paper's network for CIFAR-10, beside what an estimate says of them."""
    for change in ({}, {"precision": "bf16"}, {"precision": "bf16", "checkpointing": True}):
        whole = {"data": {"dataset": "scenes"}, "architecture": CIFAR, "batch": 128 if device.type == "cuda" else 1}
        settings = Training.parse({**whole, "images": 10**6, "tick": 10**9, "checkpoint": 10**9, **change})
        told = estimate(settings, str(device))
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
        events = train(settings, World(0, 1, device))
        for _ in range(4):
            next(events)
        took = seconds(device, lambda events=events: next(events).loss, repeats=9 if device.type == "cuda" else 1)
        events.close()
        line = f"{change}: {1000 * took:.0f} ms a step, {1000 * settings.batch / told.rate:.0f} said"
        if device.type == "cuda":
            got = torch.cuda.max_memory_reserved(device)
            line += f"; {got / 1e9:.1f} GB taken, {told.bytes / 1e9:.1f} said"
            assert 0.5 < got / told.bytes < 1.5, line
        yield line
        assert 0.5 < told.rate * took / settings.batch < 2, f"{line}: off by more than a factor of 2"


def said(what, got, asked, unit, more=False):
    missed = got < asked if more else got > asked
    return f"{what:54} {got:7.3g} {unit:2} {asked:6g} {unit:2}{'  missed' if missed else ''}"


def built(device, name, sizes):
    torch.manual_seed(0)
    return edm.networks.build(name, in_channels=3, resolution=32, classes=10, **sizes).to(device)


def forward(device, network):
    """Seconds of a network on 16 images, as it computes float32."""
    x, c_noise = torch.randn(16, 3, 32, 32, device=device), torch.zeros(16, device=device)
    labels = torch.arange(16, device=device) % 10
    with torch.no_grad():
        return seconds(device, lambda: network(x, c_noise, labels))


def compiling(device):
    """(time of an eager sampling / of a compiled one, what is asked: that it is worth its waiting)."""
    denoiser = on(models.load("digits_edm").denoiser, device)
    z = latents(seeds(0, 16), denoiser.shape, device=device)
    took = [
        seconds(device, lambda one=one: edm.last(edm.sample(one, z, Sampling())))
        for one in (denoiser, compiled(denoiser))
    ]
    return took[0] / took[1], 1


def loop_cost(device):
    """time(sampling) / time(as many bare calls of the denoiser)."""
    denoiser = on(models.load("scenes_edm").denoiser, device)
    z = latents(seeds(0, 8), denoiser.shape, device=device)
    labels = torch.zeros(8, dtype=torch.long, device=device) if denoiser.classes else None

    def bare():
        for _ in range(35):
            denoiser(z, 1.0, labels)

    with torch.no_grad():
        calls = seconds(device, bare)
    return seconds(device, lambda: edm.last(edm.sample(denoiser, z, Sampling(), labels))) / calls
