"""The trial on a GPU: that what was proved on a pretended one is so, and how fast. Where there is none it says so.

Every check stands alone: one that fails is said, and the next one goes on. `--device cpu` tries the trial itself.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import traceback
import warnings
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import torch

import edm
from edm import runs
from edm.base import devices
from edm.diagnostics import curvature
from edm.experiments import models
from edm.sampling.denoisers import on
from edm.sampling.noise import latents, seeds
from edm.sampling.settings import Sampling
from edm.solvers import SOLVERS
from edm.training import estimate as estimates
from edm.training.events import Step
from edm.training.loop import train
from edm.training.parallel import World
from edm.training.recording import checkpoints, record
from tests.edm.runs import points, tiny
from tests.trials.speeds import budgets, drawn, stepping
from tests.trials.waiting import in_state, tensors, until

SAME = 1e-4  # of the largest value: what two orders of adding float32 numbers differ by, after 18 steps
TRAINED = ("digits_edm", "digits_vp", "digits_ve", "digits_iddpm", "scenes_edm", "spiral_mlp")


@contextmanager
def waits(device):
    """A Counter of the places where the host has waited for the GPU; empty on the CPU, which nobody waits for."""
    counted = Counter()
    if device.type != "cuda":
        yield counted
        return
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        try:
            yield counted
        finally:
            torch.cuda.set_sync_debug_mode("default")
    for one in told:
        if "synchroniz" in str(one.message):
            counted[f"{Path(one.filename).name}:{one.lineno}"] += 1


def apart(one, other):
    """The largest difference of two tensors, as a share of the largest value."""
    return float((one.cpu().double() - other.cpu().double()).abs().max() / other.abs().max())


def samples(device, folder):
    """A sample is the same here and there, of every kind of model and by every solver."""
    for name in (*TRAINED, "eight_gaussians", "digits"):
        differ = apart(drawn(name, device), drawn(name, "cpu"))
        assert differ < SAME, f"{name} differs by {differ:.1e}"
        yield f"{name}: the CPU's samples, to {differ:.1e}"
    for name in SOLVERS:
        differ = apart(drawn("digits_edm", device, solver=name), drawn("digits_edm", "cpu", solver=name))
        assert differ < SAME, f"{name} differs by {differ:.1e}"
    yield f"{len(SOLVERS)} solvers: the CPU's samples"


def float32(device, folder):
    """float32 means float32: no TF32 in what the page and the instruments show."""
    denoiser = models.load("digits_edm").denoiser
    z, found = latents(seeds(0, 4), denoiser.shape), []
    for place in ("cpu", device):
        levels = list(curvature(on(denoiser, place), z.to(place), Sampling(), [0.3, 0.03]))
        found.append([float(level.turn.mean()) for level in levels])
    largest = max(abs(a - b) / abs(a) for a, b in zip(*found, strict=True))
    assert largest < 1e-2, f"the curvature is {found[1]}, on the CPU {found[0]}"
    yield f"curvature of digits_edm: the CPU's, to {largest:.1e}"


def sampling_waits(device, folder):
    """No wait between the first evaluation and the picture."""
    denoiser = on(models.load("digits_edm").denoiser, device)
    z = latents(seeds(0, 16), denoiser.shape, device=device)
    for settings in ({}, {"S_churn": 20}):
        edm.last(edm.sample(denoiser, z, Sampling(**settings), seeds=seeds(0, 16)))  # warm
        with waits(device) as counted:
            for _ in edm.sample(denoiser, z, Sampling(**settings), seeds=seeds(0, 16)):
                pass
        assert sum(counted.values()) <= 1, dict(counted)
        yield f"18 Heun steps {settings or ''}: {sum(counted.values())} waits"


def losses(settings, device, **given):
    return [event.loss for event in train(settings, World(0, 1, device), **given) if isinstance(event, Step)]


def training(device, folder):
    """Training there is training here, and waits for the host once a step, at most."""
    for title, settings in (("digits", tiny(tf32=False)), ("points", points(tf32=False))):
        here, there = losses(settings, torch.device("cpu")), losses(settings, device)
        differ = max(abs(a - b) / a for a, b in zip(here, there, strict=True))
        assert differ < 1e-2, f"{title}: losses differ by {differ:.1e}"
        yield f"{title}: {len(here)} losses as on the CPU, to {differ:.1e}"
    for precision in ("fp32", "bf16", "fp16"):
        settings = tiny(images=16 * 40, micro_batch=4, tick=10**9, checkpoint=10**9, precision=precision)
        events = train(settings, World(0, 1, device))
        for _ in range(10):
            next(events)
        with waits(device) as counted:
            for _ in range(20):
                next(events)
        events.close()
        assert sum(counted.values()) <= 20, dict(counted)
        yield f"{precision}, four micro-batches a step: {sum(counted.values()) / 20:.2g} waits a step"


def repeatable(device, folder):
    """Bit for bit where the settings ask for it: twice, and in two parts."""
    settings = tiny(deterministic=True)
    first, second = losses(settings, device), losses(settings, device)
    assert first == second, "two runs of the same settings differ"
    for _ in record(train(settings.changed(images=48), World(0, 1, device)), folder / "half"):
        pass
    (half,) = checkpoints(folder / "half")
    assert losses(settings, device, resume=half) == first[3:], "a run that was resumed differs"
    yield "deterministic: two runs are equal, and one in two parts, bit for bit"


def choices(device, folder):
    """What else a run can be told: each trains, and ends with a loss that is a number."""
    for change in ({"compile": True}, {"checkpointing": True}, {"tf32": True}, {"precision": "bf16"}):
        found = losses(tiny(**change), device)
        assert all(0 < loss < 100 for loss in found), found
        yield f"{change}: {found[0]:.3f} → {found[-1]:.3f}"


def background(device, folder):
    """A run that is queued for "auto" finds the GPU when it starts, and is stopped, resumed and finished there."""
    path = runs.start(tiny(images=9600, checkpoint=960, tick=960), folder, "auto", "there")
    runs.advance(folder)
    until(lambda: runs.read(path).images, "its first step")
    runs.stop(path)
    until(in_state(path, "stopped", "finished", folder=folder), "it to stop")
    if runs.read(path).state == "stopped":
        runs.resume(path)
    _, found = until(in_state(path, "finished", folder=folder), "its end")
    assert device.type in (found.device or ""), found.device
    yield f"a run on {found.device}: started, stopped, resumed, finished"


def commands(device, folder):
    """The commands, with what they take beside the settings."""
    out = Path(folder, "many")
    line = ["sample", "--model", "digits_edm", "--steps", "9", "--count", "64", "--batch", "32", f"--device={device}"]
    for flags in (["--out", str(out)], ["--out", str(out) + ".png", "--precision", "bf16"]):
        done = subprocess.run([sys.executable, "-m", "edm", *line, *flags], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-800:]
    made = list(out.rglob("*.png"))
    assert len(made) == 64, len(made)
    yield "sample: 64 images in a folder, and a picture of 64 in bf16"


def several(device, folder):
    """torchrun on every GPU there is."""
    count = torch.cuda.device_count() if device.type == "cuda" else 2
    out = Path(folder, "several")
    line = [f"--nproc-per-node={count}", "-m", "edm", "train", f"--device={device.type}", f"--out={out}"]
    flags = ["--dataset=two_moons", "--channels=16", "--images=6400", f"--batch={64 * count}", "--tick=3200"]
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", *line, *flags]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-800:]
    assert len(tensors(sorted((out / "checkpoints").glob("*.safetensors"))[-1])) > 0
    yield f"torchrun: {count} processes trained"


def estimated(device, folder):
    """What a run is said to take is what it takes, within a factor of 2."""
    settings = tiny(images=16 * 400, tick=10**9, checkpoint=10**9)
    said = estimates.estimate(settings, str(device))
    events = train(settings, World(0, 1, device))
    rates = [event.rate for event in events if isinstance(event, Step)][100:]
    factor = said.rate / statistics.median(rates)
    assert 0.5 < factor < 2, f"said {said.rate:.0f} images/s, took {statistics.median(rates):.0f}"
    yield f"{said.rate:.0f} images/s said, {statistics.median(rates):.0f} are so"


def memory(device, folder):
    """What is no longer used leaves the GPU."""
    if device.type != "cuda":
        yield "memory: not counted on the CPU"
        return
    before = torch.cuda.memory_allocated(device)
    for name in TRAINED:
        drawn(name, device, count=1)
    held, free = torch.cuda.memory_allocated(device) - before, torch.cuda.mem_get_info(device)[0]
    assert held <= free / 8, f"{held / 2**20:.0f} MiB stay"
    yield f"{len(TRAINED)} models asked once each: {held / 2**20:.0f} MiB stay"


CHECKS = (
    samples, float32, sampling_waits, training, repeatable, choices, background, commands, several, estimated, memory,
    stepping, budgets,
)  # fmt: skip


def gpu(folder, dice, device="cuda"):
    """Every check on the GPU. Raises AssertionError, at the end, with the names of those that failed."""
    if device == "cuda" and not torch.cuda.is_available():
        yield "there is no GPU here, so nothing was tried"
        return
    place, failed = devices.device("cuda:0" if device == "cuda" else device), []
    if place.type == "cuda":
        yield f"{torch.cuda.get_device_name(place)}, torch {torch.__version__}"
    for check in CHECKS:
        try:
            for line in check(place, folder):
                yield f"{check.__name__:15} {line}"
        except Exception as error:
            failed.append(check.__name__)
            yield f"{check.__name__:15} FAILED: {error}\n{traceback.format_exc(limit=-3)}"
    assert not failed, f"on {place} these failed: {', '.join(failed)}"
