"""The worker's side of a run: it says how it is (status.json), hears what it is asked, and ends with a sentence.

A thread writes the status once a second and looks for requests; the training loop only sets and reads attributes, so
that watching a run costs it nothing.
"""

from __future__ import annotations

import math
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from edm.runs import places
from edm.runs.failures import Diverged, Superseded, explain
from edm.runs.processes import machine, this, uptime
from edm.runs.reading import LIVE, read

BEAT = 1.0  # seconds between two signs of life
PATIENCE = 50  # steps whose losses may be NaN before the run is given up
RESERVE = 1 << 15  # bytes kept free, for the last words of a run that has filled its disk


class Worker:
    """A context in which a run is trained.

    folder: of the run. number: of its beginning, which a launcher has taken; None: take the next one. fixed: what its
    status says beside the progress. Entering raises ValueError if the run is running, or waits in a queue. On an error
    the status says why, as a sentence, before the error goes on its way.
    """

    def __init__(self, folder, number: int | None, **fixed):
        self._folder, self._number = Path(folder), number
        self._status = {"state": "running", "process": vars(this()), "alone": _alone(), **fixed}
        self._asked = self._superseded = self._signalled = False
        self._launched = number is not None
        self._bad = 0
        self._over, self._writing = threading.Event(), threading.Lock()
        self._thread = threading.Thread(target=self._live, name="status", daemon=True)

    def asked(self) -> bool:
        """Whether the run shall end at the next step, with a checkpoint."""
        return self._asked

    def __enter__(self):
        (self._folder / "requests").mkdir(parents=True, exist_ok=True)
        if self._number is None:
            self._number = _take(self._folder)
        self._status["number"] = self._number
        for torn in self._folder.glob(".*.json.*"):  # of a worker that was killed while it wrote
            torn.unlink(missing_ok=True)
        self._status["started"] = time.time()
        self._reserve().write_bytes(os.urandom(RESERVE))
        self._signals = {}
        if threading.current_thread() is threading.main_thread():
            self._signals[signal.SIGTERM] = signal.signal(signal.SIGTERM, self._hear)
        self._write(durable=True)
        self._thread.start()
        return self

    def __exit__(self, kind, error, trace):
        self._over.set()
        self._thread.join()
        for number, handler in self._signals.items():
            signal.signal(number, handler)
        if self._superseded:
            return
        if error is None:
            self._status["state"] = "stopped" if self._stopped_early() else "finished"
        else:
            reason, sentence = explain(error)
            state = "stopped" if reason == "stopped" else "failed"
            self._status |= {"state": state, "reason": reason, "sentence": sentence}
        self._reserve().unlink(missing_ok=True)
        with suppress(OSError):  # on a disk without a single free block: readers will see that nobody lives here
            self._write(durable=True)
        if self._launched and not self._signalled and self._status.get("reason") != "disk":
            self._start_next()

    def watch(self, events: Iterator) -> Iterator:
        """Pass events on, and hold back checkpoints of weights whose losses are not numbers.

        Raises Diverged after PATIENCE such steps, or at the end of the run; Superseded if another has the run.
        """
        from edm.training.loop import Checkpoint, Started, Step, Tick

        for event in events:
            if self._superseded:
                raise Superseded(f"another worker goes on with the run in {self._folder}; this one ends")
            if isinstance(event, Started):
                settings = event.state.settings
                self._status |= {"parameters": event.parameters, "total": settings.images, "images": event.state.images}
            elif isinstance(event, Step):
                self._bad = 0 if math.isfinite(event.loss) else self._bad + 1
                if self._bad >= PATIENCE:
                    raise Diverged(self._bad)
                self._status |= {"images": event.images, "loss": _number(event.loss), "rate": _number(event.rate)}
                self._status["left"] = _number(event.left)
            elif isinstance(event, Tick):
                self._status |= {"seconds": event.seconds, "nonfinite": event.nonfinite}
            elif isinstance(event, Checkpoint) and self._bad:
                if event.last:
                    raise Diverged(self._bad)
                continue
            yield event
            if isinstance(event, Checkpoint):
                self._status["checkpoint"] = event.images

    def _start_next(self):
        """Nobody else may be there to look after the queue."""
        from edm.runs.queue import advance

        taken = places.load(places.request(self._folder, self._number, "taken")) or {}
        with suppress(OSError, ValueError):
            advance(self._folder.parent, taken.get("at_once", 1))

    def _stopped_early(self):
        return self._status.get("images", 0) < self._status.get("total", 0)

    def _hear(self, *signal_and_frame):
        self._asked = self._signalled = True

    def _reserve(self):
        return self._folder / ".reserve"

    def _live(self):
        stop = places.request(self._folder, self._number, "stop")
        while not self._over.wait(BEAT):
            with suppress(OSError):  # a server of files that is away for a while, or a full disk
                self._superseded = places.newest(self._folder) > self._number
                if self._superseded:
                    return
                self._asked = self._asked or stop.exists()
                self._write()

    def _write(self, durable=False):
        with self._writing:
            document = {**self._status, "heartbeat": time.time(), "memory": _memory()}
            places.write(self._folder / "status.json", document, durable)


def _take(folder) -> int:
    """Make this process the one worker of the run in `folder`; returns the number of its beginning."""
    state, number = read(folder, details=False).state, places.newest(folder) + 1
    claim = {"machine": machine(), "uptime": uptime(), "time": time.time()}
    if state in (*LIVE, "queued") or not places.create(places.request(folder, number, "taken"), claim):
        raise ValueError(
            f"the run in {folder} is {state} already; stop it first: python -m edm runs stop {folder.name}"
        )
    places.create(places.request(folder, number, "worker"), {**vars(this()), "time": time.time()})
    return number


def _alone() -> bool:
    """Whether the group of this process is its own to end, as of those that a queue starts."""
    return hasattr(os, "getsid") and os.getsid(0) == os.getpid()


def _number(value):
    """None for what JSON has no word for."""
    return value if math.isfinite(value) else None


def _memory() -> int | None:
    """Bytes: the most that was taken on the GPU, or of main memory where none is used."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        return torch.cuda.max_memory_allocated()
    try:
        import resource
    except ImportError:
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
