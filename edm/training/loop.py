"""The training loop as a generator of events. It prints nothing and writes nothing; see `edm.training.recording`.

Image k of a run is a function of the settings and k: which sample it is, its noise level, its noise, its
augmentation. So a run continues from (weights, averages, Adam's moments, k) bit for bit, and its losses do not
depend on how a batch is split over devices, but for dropout, whose masks belong to what a device takes at once.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

import numpy as np
import torch

from edm.base.errors import Refused
from edm.base.streams import DROPOUT, uniforms
from edm.data import identity, sources
from edm.data.classes import turns
from edm.data.split import divided
from edm.files import checkpoints
from edm.files.checkpoints import Metrics
from edm.networks import parameters
from edm.preconditioning import Denoiser
from edm.sampling import noise
from edm.sampling.loop import last, sample
from edm.sampling.settings import Sampling
from edm.training.augmentation import Augmentation
from edm.training.loader import batches
from edm.training.loss import Loss, per_sigma
from edm.training.parallel import World
from edm.training.settings import Training
from edm.training.state import RunState, header_of

SIGMAS = tuple(float(s) for s in np.geomspace(0.005, 80, 15))  # where validation measures
_AMP = {"bf16": torch.bfloat16, "fp16": torch.float16}
HOLD = 0.2  # seconds between two looks of a run that holds
_LARGE = 1e5  # stands for an infinite gradient


@dataclass(frozen=True)
class Started:
    """state: of the run, at its first or restored image. parameters: of the network. held_out: validation images
    are not trained on. note: what has to be known of its data, in a sentence, or ""."""

    state: RunState
    parameters: int
    sigma_data: float
    held_out: bool
    note: str = ""


@dataclass(frozen=True)
class Step:
    """One step of Adam. images: seen so far; loss: mean over the batch; lr; rate: images/s; left: seconds."""

    images: int
    loss: float
    lr: float
    rate: float
    left: float


@dataclass(frozen=True)
class Tick:
    """A report: validation[i]: mean squared error at sigmas[i], of the first average; loss: mean since the last
    tick; samples [n, …] of that average, from the same latents every time; labels of them, or None. held_out:
    whether the validation images are not trained on."""

    images: int
    seconds: float
    loss: float
    sigmas: tuple[float, ...]
    validation: tuple[float, ...]
    rate: float
    left: float
    nonfinite: int
    samples: torch.Tensor
    labels: torch.Tensor | None
    held_out: bool = True


@dataclass(frozen=True)
class Paused:
    """The run holds, as it was asked to; comes again and again until it goes on."""

    images: int


@dataclass(frozen=True)
class Checkpoint:
    """The state is worth saving now; `last` tells that the run is over."""

    images: int
    state: RunState
    last: bool


def train(
    settings: Training,
    world: World | None = None,
    resume=None,
    stop: Callable[[], bool] | None = None,
    hold: Callable[[], bool] | None = None,
    source=None,
    accept_data: bool = False,
) -> Iterator[Started | Step | Tick | Paused | Checkpoint]:
    """Train. Yields `Started`, then a `Step` for each step, `Tick`s and `Checkpoint`s; closing it stops the run.

    world: of `edm.training.parallel`; None: this process, on the CPU. Only its first process ticks.
    resume: path of a checkpoint to continue. stop, hold: asked in each step; with stop the run ends with a
    `Checkpoint`, with hold it waits with one, and with `Paused` from time to time, until it is false again.
    source: the data of the settings (`edm.data.sources.open_source`), if it is open already. accept_data: resume,
    though the data are not those that the checkpoint has learned; `Started.note` then says what is no longer true.
    Raises ValueError or OSError at once, with a sentence, for settings, data or checkpoints that do not fit.
    """
    world = world or World(0, 1, torch.device("cpu"))
    share, micro = shares(settings, world.size)
    settings = settings.changed(data=sources.placed(settings.data).model_dump())
    header = None if resume is None else checkpoints.read_header(resume)
    source = source or sources.open_source(settings.data)
    source, split, note = divided(source, settings, header, resume, accept_data)
    sigma_data = settings.design.sigma_data
    if sigma_data is None:  # measured once in the life of a run
        sigma_data = sources.spread(source) if header is None else header.sigma_data
    if not 0 < sigma_data < math.inf:
        raise Refused(f"the data's standard deviation is {sigma_data:g}: all samples are equal; give sigma_data")
    known = identity.of(source, settings.data, split.held)
    new = resume is None
    described = header_of(settings, source, sigma_data, split.held_out, known, split.taught, new)
    state = RunState(settings, described, world.device)
    state.contents = identity.Contents.of(source)
    if resume is not None:
        state.restore(resume)
    return _events(settings, world, split, state, share, micro, stop or _never, hold or _never, note)


def _events(settings, world, split, state, share, micro, stop, hold, note):
    augmentation = Augmentation(settings.design.augment) if settings.design.augment else None
    loss_of = Loss(settings.design, settings.seed, state.header.sigma_data, augmentation)
    network = torch.compile(state.network) if settings.compile else state.network
    wrapped = world.wrap(network)
    denoiser = Denoiser(wrapped, state.header.preconditioning.build(), state.header.shape)
    conditional = state.header.classes > 0
    judge = _Judge(settings, split, state, conditional)
    yield Started(state, parameters(state.network), state.header.sigma_data, split.held_out, note)

    def spans():
        for first in range(state.images, settings.images, settings.batch):
            yield from _spans(first + world.rank * share, share, micro)

    state.network.train()
    loader = batches(split, settings.seed, spans())
    clock = _Clock(state, settings)
    while state.images < settings.images:
        state.optimizer.param_groups[0]["lr"] = lr = _learning_rate(settings, state.images)
        state.optimizer.zero_grad()
        total = 0.0
        for number in range(0, share, micro):
            numbers, y, labels = next(loader)
            y = y.to(world.device, non_blocking=True)
            labels = labels.to(world.device) if conditional else None
            final = number + micro >= share
            with nullcontext() if final or world.size == 1 else wrapped.no_sync():
                with _masks(settings.seed, int(numbers[0]), world.device), _autocast(settings, world.device):
                    losses = loss_of(denoiser, y, labels, numbers)
                state.scaler.scale(losses.sum() / share).backward()
            total += losses.detach().double().sum()
        _step(state)
        state.ema.update(state.network, state.images, settings.batch)
        before, state.images, state.steps = state.images, state.images + settings.batch, state.steps + 1
        total, asked, held = world.total(float(total), float(stop()), float(hold()))
        loss = total / settings.batch
        state.losses = state.losses[0] + loss, state.losses[1] + 1
        clock.stop()
        yield Step(state.images, loss, lr, clock.rate, clock.left)

        over = state.images >= settings.images
        if world.rank == 0 and (over or _passed(before, state.images, settings.tick)):
            state.network.eval()
            mean, state.losses = state.losses[0] / state.losses[1], (0.0, 0)
            state.metrics = Metrics(
                images=state.images, seconds=state.seconds, loss=mean, sigmas=SIGMAS, validation=judge.validation(),
                rate=clock.rate, left=clock.left, nonfinite=state.nonfinite, held_out=split.held_out,
            )  # fmt: skip
            yield Tick(**state.metrics.model_dump(exclude={"evaluation"}), samples=judge.samples(), labels=judge.labels)
            state.network.train()
        if over or asked or held or _passed(before, state.images, settings.checkpoint):
            yield Checkpoint(state.images, state, over)
        while held and not (over or asked):
            yield Paused(state.images)
            time.sleep(HOLD)
            asked, held = world.total(float(stop()), float(hold()))
        if asked:
            return
        clock.start()


def _never() -> bool:
    return False


def shares(settings: Training, size: int = 1) -> tuple[int, int]:
    """(images of a step on each of `size` devices, images at once). Raises ValueError if they do not come out even."""
    if settings.batch % size:
        raise Refused(f"batch = {settings.batch} cannot be shared evenly by {size} processes; make it a multiple")
    share = settings.batch // size
    micro = min(settings.micro_batch or share, share)
    if share % micro:
        raise Refused(f"micro_batch = {micro} must divide the {share} images that each of {size} devices takes")
    return share, micro


def _spans(first, share, micro):
    for start in range(first, first + share, micro):
        yield start, start + micro


def _passed(before, after, every) -> bool:
    return after // every > before // every


def _learning_rate(settings, images) -> float:
    """lr · min(images / ramp, 1), counted at the end of the step, so that the first one is not lost."""
    return settings.lr * min((images + settings.batch) / max(settings.lr_ramp, 1e-8), 1)


@contextmanager
def _masks(seed, image, device):
    """Torch's own random numbers, of which only dropout takes any, as a function of the image; restored afterwards."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(int(uniforms(seed, DROPOUT, [image], 1)[0, 0] * 2**53))
        yield


def _autocast(settings, device):
    dtype = _AMP.get(settings.precision)
    return nullcontext() if dtype is None else torch.autocast(device.type, dtype)


def _step(state):
    """Adam's step. Gradients that are not finite are counted, and replaced: NaN by 0, ±∞ by ±10⁵. With fp16 the
    scaler leaves such a step out, and lowers its scale."""
    gradients = [p.grad for p in state.network.parameters() if p.grad is not None]
    total = torch.stack(torch._foreach_norm(gradients)).sum()
    if not torch.isfinite(total):
        state.nonfinite += 1
        if not state.scaler.is_enabled():
            for gradient in gradients:
                torch.nan_to_num(gradient, nan=0, posinf=_LARGE, neginf=-_LARGE, out=gradient)
    state.scaler.step(state.optimizer)
    state.scaler.update()


class _Judge:
    """Validation and samples of the first average, on images, noise and latents that stay the same."""

    def __init__(self, settings, split, state, conditional):
        self._state, device = state, state.device
        images, labels = sources.read(split.source, split.validation(settings.validation))
        self._images, self._labels = images.to(device), labels.to(device) if conditional else None
        self._latents = noise.latents(noise.seeds(settings.seed, settings.samples), split.source.shape).to(device)
        self.labels = None
        if conditional:
            self.labels = torch.tensor(turns(state.header.drawn, settings.samples), device=device)

    def validation(self) -> list[float]:
        return per_sigma(self._state.denoisers()[0], self._images, self._labels, SIGMAS)

    def samples(self) -> torch.Tensor:
        return last(sample(self._state.denoisers()[0], self._latents, Sampling(), self.labels)).x.cpu()


class _Clock:
    """Images per second over the last steps, and seconds left. Only time inside steps counts."""

    def __init__(self, state, settings):
        self._state, self._settings = state, settings
        self._recent: list[float] = []
        self.start()

    def start(self):
        self._started = time.perf_counter()

    def stop(self):
        took = time.perf_counter() - self._started
        self._state.seconds += took
        self._recent = [*self._recent[-49:], took]
        self._started = time.perf_counter()

    @property
    def rate(self) -> float:
        return self._settings.batch * len(self._recent) / sum(self._recent)

    @property
    def left(self) -> float:
        return max(self._settings.images - self._state.images, 0) / self.rate
