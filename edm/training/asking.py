"""What a run asks whoever has begun it while it goes on, and how several processes hear the same answers."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from edm.training.parallel import World


def never() -> bool:
    """Nobody asks for anything."""
    return False


def _own(images: int, tick: int) -> tuple[int, int]:
    return images, tick


@dataclass(frozen=True)
class Asking:
    """stop, hold: whether it shall end, or wait with a checkpoint. wait: whether it is another run's turn. agree:
    (images, tick) that a run of minutes would have -> those that it gets. now: a clock, in seconds; began: since when
    its minutes count, None: from the first step on."""

    stop: Callable[[], bool] = never
    hold: Callable[[], bool] = never
    wait: Callable[[], bool] = never
    agree: Callable[[int, int], tuple[int, int]] = _own
    now: Callable[[], float] = time.perf_counter
    began: float | None = None

    def answers(self) -> tuple[float, float, float]:
        """Of stop, hold and wait."""
        return float(self.stop()), float(self.hold()), float(self.wait())


@dataclass(frozen=True)
class Heard:
    """What all processes of a run have said together: whether it is to stop, to hold, to wait; its length (images,
    tick) where that has just become known, (0, 0) where it has not."""

    stop: bool
    hold: bool
    wait: bool
    length: tuple[int, int] = (0, 0)

    @classmethod
    def of(cls, stop: float, hold: float, wait: float, images: float = 0, tick: float = 0) -> Heard:
        return cls(stop > 0, hold > 0, wait > 0, (round(images), round(tick)))


class Ear:
    """Of one of several processes. On several GPUs what is asked in a step is heard a step later: nobody waits."""

    def __init__(self, world: World, asking: Asking):
        self._world, self._asking = world, asking
        self._late = world.size > 1 and world.device.type != "cpu"
        self._before: Callable[[], list[float]] = _nothing

    def step(self, loss: torch.Tensor, length: tuple[int, int]) -> tuple[torch.Tensor, Heard]:
        """(the sum of a step's losses over all processes, what they have heard). length: which one of them tells."""
        loss, told = self._world.shared(loss, *self._asking.answers(), *map(float, length))
        now, self._before = self._before if self._late else told, told
        return loss, Heard.of(*now())

    def between(self) -> Heard:
        """The same while the run takes no steps."""
        self._before = _nothing
        return Heard.of(*self._world.total(*self._asking.answers()))


def _nothing() -> list[float]:
    return [0.0] * 5
