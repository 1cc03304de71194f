"""Uploads on their way: how slow they may be, how many there are, and what reading images may cost each visitor."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from cachetools import LRUCache

from app.sentences.denials import UNLIMITED, Denied
from app.transport.presence import Left
from app.work.slots import CORES, Slots
from edm.base.errors import Refused

YOUNG = 2.0  # seconds before an upload is told by its rate


@dataclass(frozen=True)
class Pace:
    """silence: seconds without a byte; longest: in all. least: bytes a second, on average, once `grace` seconds are
    over. at_once: uploads that are being received; when they are more, the slowest goes."""

    silence: float = 10.0
    grace: float = 10.0
    least: float = 16_000.0
    longest: float = 300.0
    at_once: int = 32


@dataclass(frozen=True)
class Budget:
    """What one visitor's images may cost within `window` seconds: seconds of decoding, and pixels decoded."""

    seconds: float = 120.0
    pixels: int = 1 << 32
    window: float = 600.0

    @classmethod
    def endless(cls) -> Budget:
        """For the owner of the machine."""
        return cls(float("inf"), 1 << 62)


class Arrival:
    """One upload. key: whose it is. gone: set once its sender has left."""

    def __init__(self, key):
        self.key, self.begun, self.bytes = key, time.monotonic(), 0
        self.receiving, self.gone = True, threading.Event()
        self._pushed, self._alarm = False, None

    @property
    def age(self) -> float:
        return time.monotonic() - self.begun

    @property
    def rate(self) -> float:
        return self.bytes / max(self.age, 0.1)

    def push(self) -> None:
        """Out: another one needs the place."""
        self._pushed, self.receiving = True, False
        if self._alarm:
            self._alarm.reschedule(asyncio.get_running_loop().time())

    async def pieces(self, stream, pace: Pace, most: int) -> AsyncIterator[bytes]:
        """What comes of `stream`. Raises Denied once that is more than `most` bytes, or too slow."""
        while (piece := await self._next(stream, min(pace.silence, pace.longest - self.age))) is not None:
            self.bytes += len(piece)
            if self._pushed:
                raise Denied(429, "others needed the place of this upload, which was the slowest; send it again later")
            if self.bytes > most:
                most_there = f"{most / 1e6:,.1f} MB, the most there can be"
                raise Denied(413, f"this upload is larger than {most_there}; shrink it, or train on it {UNLIMITED}")
            if self.age > pace.grace and self.rate < pace.least:
                told = f"{self.rate / 1000:.2g} kB/s, and at least {pace.least / 1000:g} are needed"
                raise Denied(408, f"the upload was too slow ({told}); try again, or send less")
            yield piece
        self.receiving = False

    async def _next(self, stream, seconds) -> bytes | None:
        try:
            async with asyncio.timeout(max(seconds, 0)) as self._alarm:
                return await anext(stream, None)
        except TimeoutError:
            if self._pushed:
                return b""
            raise Denied(408, "the upload stood still, or took too long; try again") from None
        finally:
            self._alarm = None


class Arrivals:
    """All uploads on their way: of each visitor one. Lives in the event loop's thread; reading images does not."""

    def __init__(self, pace: Pace | None = None, budget: Budget | None = None):
        self.pace, self._budget = pace or Pace(), budget or Budget()
        self._here: dict = {}
        # images are decoded on half of the cores, one at a time of each visitor whose turn it is
        self._slots = Slots(max(1, CORES // 2))
        self._spent: LRUCache = LRUCache(10_000)  # visitor -> (share of the budget that is used up, when)
        self._lock = threading.Lock()

    def enter(self, key) -> Arrival:
        """A visitor's upload begins, in the place of one that stands still. Raises Denied if another is on its way."""
        before = self._here.get(key)
        if before and before.receiving and before.age > YOUNG and before.rate < self.pace.least:
            before.push()
        elif before:
            raise Denied(429, "an upload of yours is still on its way; try again when it is over")
        receiving = [one for one in self._here.values() if one.receiving]
        if len(receiving) >= self.pace.at_once:
            min(receiving, key=lambda one: (one.age < YOUNG, one.rate)).push()
        self._here[key] = Arrival(key)
        return self._here[key]

    def leave(self, arrival: Arrival) -> None:
        arrival.gone.set()
        if self._here.get(arrival.key) is arrival:
            del self._here[arrival.key]

    @contextmanager
    def reader(self, arrival: Arrival) -> Iterator[Callable]:
        """A function that runs decode() -> (value, pixels) when it is this visitor's turn, and returns the value.

        Raises Left once the sender is gone, and Refused once the visitor's images have cost too much. The turn goes
        on from one image to the next, until somebody waits who has had less: a hundred small ones do not wait a
        hundred times for a large one of others. For one thread.
        """
        with ExitStack() as turn:
            here = False

            def read(decode):
                nonlocal here
                if arrival.gone.is_set():
                    raise Left
                if not here:
                    turn.enter_context(self._slots.turn(arrival.key))
                    here = True
                self._slots.breathe()
                if arrival.gone.is_set():  # while it waited
                    raise Left
                begun = time.perf_counter()
                value, pixels = decode()
                self._spend(arrival.key, time.perf_counter() - begun, pixels)
                return value

            yield read

    def _spend(self, key, seconds, pixels):
        allowed, now = self._budget, time.monotonic()
        with self._lock:
            share, when = self._spent.get(key, (0.0, now))
            share = max(share - (now - when) / allowed.window, 0) + max(
                seconds / allowed.seconds, pixels / allowed.pixels
            )
            self._spent[key] = share, now
        if share > 1:
            raise Refused(
                f"your images take too long to read: {allowed.seconds:g} s, or {allowed.pixels / 1e6:,.0f} megapixels, "
                f"are there for you in {allowed.window / 60:g} minutes; send fewer or smaller ones, or wait, or train "
                f"on them {UNLIMITED}"
            )
