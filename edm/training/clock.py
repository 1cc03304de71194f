"""How long a run takes: how fast it is, what is left, when it reports at first, and how many images its minutes are.

Minutes are wall time, from the beginning of the run's process on, reports included, without the time for which the run
holds or waits for its turn. They become images once, when its steps and one report have been measured; from then on
the run is one of so many images, which its files say, and which it goes on with.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edm.training.state import RunState

WARM = 3  # steps at the beginning of a process, which are slower than all others
RECENT = 50, 5.0  # steps, and seconds, at least, by which the speed is told
MEASURED = 0.1, 3.0, 20.0  # share of the minutes after which they become images; at least and at most so many seconds
REPORTS, FEWEST = 0.25, 3  # share of its minutes that a run reports, at most; reports, at least
SOON, GROWTH = 0.5, 1.4  # seconds between the first reports by time, at least; from when to when of the others
DRAWN = 4  # times as long as the last samples took are between them and the next ones, at least


class Clock:
    """Of the run in a state, from now on. now: () -> seconds. began: since when, by that, its minutes count."""

    def __init__(self, state: RunState, now: Callable[[], float] = time.perf_counter, began: float | None = None):
        self._state, self._now = state, now
        self._first = self._mark = self._step = now()
        self._began = (self._first if began is None else began) - state.seconds
        self._recent: deque[float] = deque()
        self._lately = 0.0  # the sum of those
        self._steps, self._report, self._held = 0, 0.0, 0.0

    def start(self, reported: bool = False) -> None:
        """A step begins. reported: since the last one, the run has measured and drawn all that it does at a tick."""
        self._step = self._now()
        if reported:
            self._report = self._step - self._mark

    def stop(self) -> None:
        """It has ended."""
        self._mark = self._now()
        took = self._mark - self._step
        self._state.seconds += took
        self._steps += 1
        if self._steps == WARM + 1:
            self._recent.clear()
            self._lately = 0.0
        self._recent.append(took)
        self._lately += took
        number, seconds = RECENT
        while len(self._recent) > number and self._lately - self._recent[0] > seconds:
            self._lately -= self._recent.popleft()

    @contextmanager
    def holding(self) -> Iterator[None]:
        """While the run holds, which is no time of its own."""
        since = self._now()
        yield
        waited = self._now() - since
        self._held, self._mark = self._held + waited, self._mark + waited

    @property
    def seconds(self) -> float:
        """Of training and reports, in this process."""
        return self._now() - self._first - self._held

    @property
    def spent(self) -> float:
        """Seconds of its minutes."""
        return self._now() - self._began - self._held

    @property
    def rate(self) -> float:
        """Images per second, within steps."""
        return self._state.settings.batch * len(self._recent) / max(self._lately, 1e-9)

    @property
    def left(self) -> float:
        """Seconds until the run is over, as far as it is known by now."""
        settings, images = self._state.settings, self._state.images
        if settings.minutes is not None:
            return max(60 * settings.minutes - self.spent, 0)
        ticks = max(math.ceil(settings.images / settings.tick) - images // settings.tick, 0)
        rate = self.rate
        return max(settings.images - images, 0) / rate + ticks * self._report if rate else math.inf

    @property
    def ripe(self) -> bool:
        """Whether the run's minutes can become images, once it has reported."""
        minutes = self._state.settings.minutes
        if minutes is None or not self._steps:
            return False
        share, least, most = MEASURED
        enough = self._steps > WARM and self.seconds >= min(max(share * 60 * minutes, least), most)
        return enough or self.spent >= 60 * minutes * (1 - REPORTS)

    def lengths(self) -> tuple[int, int]:
        """(images, tick) with which the run takes its minutes: a tick keeps its share of the run, as far as there is
        time for so many reports."""
        settings, seen = self._state.settings, self._state.images
        seconds = 60 * (settings.minutes or 0)
        reports, left = math.ceil(settings.images / settings.tick), max(seconds - self.spent, 0)
        if self._report:
            fitting = min(max(int(REPORTS * seconds / self._report), FEWEST), int(left / 2 / self._report))
            reports = max(min(reports, fitting), 1)
        training = max(left - (reports + 1) * self._report, 0)  # and what may still be drawn by time
        images = seen + max(int(self.rate * training // settings.batch), 1) * settings.batch
        return images, math.ceil(images / reports / settings.batch) * settings.batch


class Early:
    """Reports by time, until the first one by images. on: whether there are any."""

    def __init__(self, on: bool):
        self._next, self._draw = (0.0, 0.0) if on else (math.inf, math.inf)

    def due(self, seconds: float) -> str:
        """What the run reports after so many seconds: "" nothing, "loss" how it learns, "all" samples, too."""
        if seconds < self._next:
            return ""
        self._next = max(seconds + SOON, seconds * GROWTH) if seconds else 0.0
        return "all" if seconds >= self._draw else "loss"

    def drawn(self, began: float, ended: float) -> None:
        """Samples were drawn from this second on until that one."""
        self._draw = ended + DRAWN * (ended - began)

    def over(self) -> None:
        """From now on the run reports by images."""
        self._next = math.inf
