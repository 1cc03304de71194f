"""The training loop as a generator of events. It prints nothing and writes nothing; see `edm.training.recording`.

Image k of a run is a function of the settings and k: which sample it is, its noise level, its noise, its
augmentation. So a run continues from (weights, averages, Adam's moments, k) bit for bit (on a GPU to rounding, without
`deterministic`), and its losses do not depend on how a batch is split over devices, but for dropout, whose masks belong
to what a device takes at once.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

import torch

from edm.base import precisions
from edm.base.devices import precise, precisely
from edm.base.errors import Refused, during
from edm.base.streams import Purpose, uniforms
from edm.data import identity, sources
from edm.data.split import Split, divided
from edm.files import checkpoints
from edm.networks import parameters
from edm.training import arithmetic
from edm.training.asking import Asking, Ear, never
from edm.training.augmentation import Augmentation
from edm.training.clock import Clock, Early
from edm.training.events import BUILDING, DRAWING, Checkpoint, Length, Paused, Started, Step, Tick
from edm.training.fitting import shares
from edm.training.goals import GOALS
from edm.training.later import Later
from edm.training.loader import parcels
from edm.training.parallel import World
from edm.training.parcels import Batch
from edm.training.settings import Training
from edm.training.state import RunState, header_of
from edm.training.validation import Validation

if TYPE_CHECKING:
    from edm.base.protocols import Source
    from edm.base.types import StrPath

HOLD, TURN = 0.2, 0.03  # seconds between two looks of a run that holds, or waits for its turn
UNTRAINED = 0.25  # share of the images for validation by which an untrained network is judged: it is to be seen soon
AHEAD = 2  # steps that a GPU has been given, at most, before one more is taken
_LARGE = 1e5  # stands for an infinite gradient


def train(
    settings: Training,
    world: World | None = None,
    resume: StrPath | None = None,
    stop: Callable[[], bool] | None = None,
    hold: Callable[[], bool] | None = None,
    source: Source | None = None,
    accept_data: bool = False,
    asking: Asking | None = None,
) -> Generator[Started | Step | Length | Tick | Paused | Checkpoint]:
    """Train. Yields `Started`, then a `Step` for each step, `Tick`s and `Checkpoint`s; closing it stops the run.

    world: of `edm.training.parallel`; None: this process, on the CPU. Only its first process ticks.
    resume: path of a checkpoint to continue. stop, hold: asked in each step; with stop the run ends with a
    `Checkpoint`, with hold it waits with one, and with `Paused` from time to time, until it is false again. asking: in
    their place, all that it asks (`edm.training.asking`). With minutes in the settings, `Length` tells how many images
    those are, as soon as it is known.
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
        sigma_data = sources.sigma_data(source) if header is None else header.sigma_data
    if not 0 < sigma_data < math.inf:
        raise Refused(f"the data's standard deviation is {sigma_data:g}: all samples are equal; give sigma_data")
    known = identity.identify(source, settings.data, split.held)
    new = resume is None
    settings, why = arithmetic.chosen(settings, source.shape, world.device, micro, header)
    described = header_of(settings, source, sigma_data, split.held_out, known, split.taught, new)
    arithmetic.prepare(settings)
    with during(BUILDING):
        state = RunState(settings, described, world.device)
    state.contents = identity.Contents.found_in(source)
    if resume is not None:
        state.restore(resume)
    notes = [
        note,
        precisions.note(settings.precision, world.device),
        f"computes in {settings.precision}, {why}" if new and why and settings.precision != "fp32" else "",
        "" if new else arithmetic.going_on(settings, world.device),
    ]
    note = "; ".join(filter(None, notes))
    asking = asking or Asking(stop=stop or never, hold=hold or never)
    return _events(_Steps(settings, world, state, share, micro), split, asking, note)


def _events(steps: _Steps, split: Split, asking: Asking, note):
    """One step after the other, and what there is to say after each."""
    world, state, ear = steps.world, steps.state, Ear(steps.world, asking)
    first, tick = world.rank == 0, partial(_tick, Validation(steps.settings, split, state))
    yield Started(state, parameters(state.network), state.header.sigma_data, split.held_out, note)

    state.network.train()
    clock = Clock(state, asking.now, asking.began)
    early = Early(first and steps.settings.early and state.images < steps.settings.tick)
    if early.due(0) and not state.images:
        yield tick(clock, UNTRAINED)
        early.drawn(0, clock.seconds)
    reported = False
    with closing(steps.parcels(split)) as ready:
        while not steps.over:
            before = state.images
            clock.start(reported)
            wish = asking.agree(*clock.lengths()) if first and reported and clock.ripe else (0, 0)
            lr, loss = steps.take(next(ready)())
            loss, heard = ear.step(loss, wish)
            loss = loss / steps.settings.batch
            state.learn(loss)
            if heard.length[0] and steps.open:
                yield steps.fixed(*heard.length)
            regular = steps.over or steps.passed("tick", before)
            if regular:
                early.over()
            ripe = first and clock.ripe
            due = "all" if regular or ripe else early.due(clock.seconds)
            saves = steps.over or heard.stop or heard.hold or ripe or steps.passed("checkpoint", before)
            if due or saves:
                steps.settle()
            clock.stop()
            yield Step(state.images, Later(loss), lr, clock.rate, clock.left)

            reported, began = due == "all", clock.seconds
            if first and due:
                yield tick(clock, float(reported))
                if reported:
                    early.drawn(began, clock.seconds)
            if saves:
                yield Checkpoint(state.images, state, steps.over)
            with clock.holding():
                while (heard.hold or heard.wait) and not (steps.over or heard.stop):
                    yield Paused(state.images, turn=not heard.hold)
                    time.sleep(HOLD if heard.hold else TURN)
                    heard = ear.between()
            if heard.stop:
                return


def _tick(validation: Validation, clock: Clock, share: float) -> Tick:
    """A report, of that share of what is validated."""
    with during(DRAWING):
        return validation.tick(clock.rate, clock.left, share)


class _Steps:
    """Steps of Adam, of which each has a batch of its own.

    share: images of a step on this device; micro: how many of them it takes at once.
    """

    def __init__(self, settings: Training, world: World, state: RunState, share: int, micro: int):
        self.settings, self.world, self.state = settings, world, state
        self._share, self._micro = share, micro
        augmentation = Augmentation(settings.design.augment) if settings.design.augment else None
        self._beside: Any = state.uncertainty and world.wrap(state.uncertainty)
        goal = GOALS[settings.learns]
        self._loss = goal(settings.design, settings.seed, state.header.sigma_data, augmentation, self._beside)
        network: Any = torch.compile(state.network) if settings.compile else state.network
        self._network: Any = world.wrap(network)  # of several processes, with no_sync
        self._model = checkpoints.model(self._network, state.header)
        self._running: deque[Later] = deque()  # the losses of steps that a GPU may not have done yet

    @property
    def open(self) -> bool:
        """Whether it is a run of minutes, whose images are not known yet."""
        return self.settings.minutes is not None

    @property
    def over(self) -> bool:
        return not self.open and self.state.images >= self.settings.images

    def passed(self, what: str, before: int) -> bool:
        """Whether so many images were passed since there were `before`, as the settings name: tick, checkpoint."""
        every = getattr(self.settings, what)
        return not self.open and self.state.images // every > before // every

    def fixed(self, images: int, tick: int) -> Length:
        """Its minutes become images, and a tick's; checkpoints keep their share."""
        former = self.settings
        steps = math.ceil(former.checkpoint / former.tick * tick / former.batch)
        made = former.changed(minutes=None, images=images, tick=tick, checkpoint=steps * former.batch)
        self.settings = self.state.settings = made
        self.state.header = self.state.header.changed(training=made.document(complete=True))
        return Length(self.state.images, made, f"{former.minutes:g} min are {images:,} images here")

    def parcels(self, split: Split) -> Generator[Callable[[], list[Batch]]]:
        """What each step needs on this device, from where the run is on."""
        shape, settings = self.state.header.shape, self.settings

        def draw(numbers):
            return self._loss.draw(self._model, numbers, shape)

        return parcels(split, settings.seed, self._spans(), draw, self.world.device)

    def _spans(self) -> Iterator[list[tuple[int, int]]]:
        """Of each step: (first, last) numbers k of the images that this device takes at once."""
        for first in count(self.state.images, self.settings.batch):
            if not self.open and first >= self.settings.images:
                return
            own = first + self.world.rank * self._share
            yield [(start, start + self._micro) for start in range(own, own + self._share, self._micro)]

    def take(self, batches: list[Batch]) -> tuple[float, torch.Tensor]:
        """Take a step of these batches. Returns (learning rate, sum of this device's losses)."""
        state, settings = self.state, self.settings
        state.optimizer.param_groups[0]["lr"] = lr = _learning_rate(settings, state.images)
        state.optimizer.zero_grad()
        loss = torch.zeros((), dtype=precise(self.world.device), device=self.world.device)
        with arithmetic.switched(settings):
            for part, batch in enumerate(batches, 1):
                loss += self._gradients(batch, final=part == len(batches))
            _adam(state)
            state.ema.update(state.network, state.images, settings.batch)
        state.images, state.steps = state.images + settings.batch, state.steps + 1
        self._running.append(Later(loss))
        if len(self._running) > AHEAD:
            self._running.popleft().wait()
        return lr, loss

    def settle(self) -> None:
        """Until a GPU has done all steps that it was given."""
        while self._running:
            self._running.popleft().wait()

    def _gradients(self, batch: Batch, final: bool) -> torch.Tensor:
        """Add the gradients of a batch to those that are there. Returns the sum of its losses.

        final: it is the step's last one, after which the gradients of all devices are averaged.
        """
        settings, device = self.settings, self.world.device
        y, loss = sources.scaled(batch.samples), self._loss.of(batch.drawn)
        labels = batch.labels if self.state.header.classes > 0 else None
        with ExitStack() as apart:
            if not final and self.world.size > 1:
                for wrapped in filter(None, (self._network, self._beside)):
                    apart.enter_context(wrapped.no_sync())
            with _masks(settings.seed, int(batch.numbers[0]), device), precisions.autocast(settings.precision, device):
                losses = loss(self._model, y, labels, batch.numbers)
            self.state.scaler.scale(losses.sum() / self._share).backward()
        return precisely(losses.detach()).sum()


def _learning_rate(settings: Training, images: int) -> float:
    """lr · min(images / ramp, 1), counted at the end of the step, so that the first one is not lost; with annealing
    times the share of the run that is left at its beginning, once the run's length is known."""
    lr = settings.lr * min((images + settings.batch) / max(settings.lr_ramp, 1e-8), 1)
    anneal = settings.anneal and settings.minutes is None
    return lr * max(1 - images / settings.images, 0) if anneal else lr


@contextmanager
def _masks(seed, image, device):
    """Torch's own random numbers, of which only dropout takes any, as a function of the image; restored afterwards."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(int(uniforms(seed, Purpose.DROPOUT, [image], 1)[0, 0] * 2**53))
        yield


def _adam(state):
    """Adam's step. Gradients that are not finite are counted, and replaced: NaN by 0, ±∞ by ±10⁵. With fp16 the
    scaler leaves such a step out, and lowers its scale. All of that is decided where the gradients are."""
    gradients = [p.grad for p in state.trained.values() if p.grad is not None]
    # One call for all tensors; torch has no public name for it
    total = torch.stack(torch._foreach_norm(gradients)).sum()  # pyright: ignore[reportPrivateImportUsage]
    finite = torch.isfinite(total)
    state.doubt(~finite)
    known = finite.device.type == "cpu" and bool(finite)  # elsewhere one would have to wait for it
    if not (known or state.scaler.is_enabled()):
        for gradient in gradients:
            torch.nan_to_num(gradient, nan=0, posinf=_LARGE, neginf=-_LARGE, out=gradient)
    state.scaler.step(state.optimizer)
    state.scaler.update()
