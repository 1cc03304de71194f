"""The worker's side of a run: it says how it is (status.json), hears what it is asked, and ends with a sentence.

A thread writes the status once a second and looks for requests; the training loop only sets and reads attributes, so
that watching a run costs it nothing.
"""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edm.base.errors import Refused
from edm.base.paths import expanded
from edm.files import saved
from edm.runs import beginnings, causes, keeping, launchers, places, queue, retries, turns
from edm.runs.failures import Diverged, Failure, Superseded, disk_full, explain
from edm.runs.lease import Lease
from edm.runs.signals import Signals
from edm.runs.turns import Turns
from edm.runs.usage import Usage, memory, most
from edm.training.asking import Asking
from edm.training.settings import Training

if TYPE_CHECKING:
    from edm.base.types import StrPath

BEAT = 1.0  # seconds between two signs of life
CARDS = 5  # such signs between two looks at the GPUs
ECHO = 2.0  # seconds in which torchrun passes on what the terminal has sent
PATIENCE = 50  # steps whose losses may be NaN before the run is given up
RESERVE = 1 << 15  # bytes kept free, for the last words of a run that has filled its disk


class Worker:
    """A context in which a run is trained.

    folder: of the run. number: of its beginning, which has been taken; None: take the next one. settings: its
    `edm.Training`; share: a device's images of a step. leader: the handle of what ends all others of the run; None:
    of this process; others: those. fixed: what its status says beside the progress. Entering raises ValueError if the
    run is running, or waits in a queue. On an error the status says why, as a sentence, before the error goes on.
    """

    def __init__(
        self, folder: StrPath, number: int | None, settings: Training | None, share: int | None = None,
        leader: dict | None = None, others: Sequence[dict] = (), **fixed: Any,
    ):  # fmt: skip
        self._folder, self._settings, self._share = expanded(folder), settings, share
        self._number = number or 0  # 0: it has yet to be taken
        handles = {"process": leader or launchers.launcher_of(folder).own(), "others": [*others]}
        total = {} if settings is None else {"total": None if settings.minutes else settings.images}
        self._status = {"state": "running", **total, **handles, **fixed}
        self._asked = self._held = self._superseded = False
        self._signals = Signals(ECHO if others else 0.0)
        self._bad = 0
        self._turns: Turns | None = None  # with others on its device, if it was asked for like that
        self._device = str(fixed.get("device", "cpu"))
        self._usage, self._beats = Usage(self._device), 0
        self._over, self._writing = threading.Event(), threading.Lock()
        self._thread = threading.Thread(target=self._live, name="status", daemon=True)

    def asked(self) -> bool:
        """Whether the run shall end at the next step, with a checkpoint."""
        return self._asked or self._superseded or self._signals.asked()

    @property
    def heard(self) -> int | None:
        """The signal that has asked the run to end."""
        return self._signals.heard

    def held(self) -> bool:
        """Whether the run shall wait at the next step."""
        return self._held and not self.asked()

    def waits(self) -> bool:
        """Whether it is the turn of another run, one with which this one shares its device."""
        if self._turns and (self._held or self.asked()):
            self._turns.leave()
            return False
        return self._turns is not None and not self._turns.mine()

    def agree(self, images: int, tick: int) -> tuple[int, int]:
        """The length of a run of minutes, (images, tick): that which one has found that takes turns with it, or its
        own, so that they can be compared."""
        others = (places.read(path / "config.json") for path in turns.partners(self._folder))
        known = [(other.get("images"), other.get("tick")) for other in others if other.get("minutes") is None]
        return next(((int(a), int(b)) for a, b in known if type(a) is int and type(b) is int), (images, tick))

    def measured(self) -> dict:
        """What its GPUs have done since this was asked last, for its metrics: see `edm.runs.usage.Usage.since`."""
        return self._usage.since()

    def __enter__(self):
        if not self._number:
            self._number = beginnings.take(self._folder, {})
        self._status |= {"number": self._number, "started": time.time()}
        self._lease = Lease(self._folder, self._number)
        self._look()
        self.check()
        try:
            for half in keeping.halves(self._folder, keeping.STATUS):
                half.unlink(missing_ok=True)
            self._reserve().write_bytes(os.urandom(RESERVE))
            self._lease.renew(partial(self._write, durable=True))
        except OSError as error:
            self._end(error)
            raise
        self._signals.__enter__()
        if turns.partners(self._folder):
            self._turns = Turns(places.home(self._folder), self._device)
        self._thread.start()
        return self

    def __exit__(self, kind, error, trace):
        self._over.set()
        self._thread.join()
        with suppress(OSError):
            self._look()  # one of several processes may have asked for the next beginning
        try:
            with suppress(OSError):  # its file server is away
                if not self._superseded and self._lease.holds():
                    self._end(error)
        finally:
            if self._turns:
                self._turns.leave()
            self._signals.__exit__()

    def check(self) -> None:
        """Wait until this worker may write the run's files. Raises Superseded once it may not any more."""
        while not self._superseded:
            try:
                self._superseded = not self._lease.holds()
                break
            except OSError:  # its file server is away, and another may be seen as the run's worker meanwhile
                time.sleep(BEAT)
        if self._superseded:
            raise Superseded(f"the run in {self._folder} is another worker's by now, or deleted; this one ends")

    def smaller(self, error: BaseException, checkpoint: Path | None = None) -> tuple[Training, Path | None]:
        """(the settings, the checkpoint) with which the run goes on though this error has ended it, which its status
        and its log say. checkpoint: from where, while it has none of its own. Raises the error if it cannot go on.

        Of several processes, this one ends, and all begin anew.
        """
        settings, checkpoint = retries.smaller(error, self._training(), self._share), self._checkpoint() or checkpoint
        if self._status["others"] and retries.hand_over(self._folder, self._number, settings):
            retries.leave(settings)
        if settings is None or self._status["others"]:
            raise error
        self._note(retries.sentence(settings, checkpoint))
        self._settings, self._bad = settings, 0
        return settings, checkpoint

    def _training(self) -> Training:
        assert self._settings is not None  # as of a run; a task has none
        return self._settings

    def _note(self, *said):
        """What is to be known of the run, each once."""
        known = [*(self._status.get("note") or "").split("; "), *said]
        self._status["note"] = "; ".join(dict.fromkeys(filter(None, known))) or None

    def watch(self, events: Iterator) -> Iterator:
        """Pass events on, and hold back checkpoints of weights that are not numbers, or whose losses are not.

        Raises Diverged after PATIENCE such steps, or at the end of the run; Superseded if another has the run.
        """
        from edm.training.events import Checkpoint, Length, Paused, Started, Step, Tick

        last = None  # step, whose loss is read when the next one has been given to a GPU
        for event in events:
            self.check()
            if last is not None:
                self._heed(last)
            last = event if isinstance(event, Step) else None
            if isinstance(event, Started):
                self._settings = event.state.settings  # with what they have left open
                self._status |= {"parameters": event.parameters, "images": event.state.images}
                self._status |= {"seconds": event.state.seconds, "held_out": event.held_out}
                self._status["most"] = most(event.state.header, self._training(), self._device)
                self._note(event.note)
            elif isinstance(event, Step):
                pace = self._turns.pace if self._turns else 1.0
                self._status |= {"state": "running", "waits": False, "images": event.images}
                self._status |= {"rate": _number(event.rate), "left": _number(event.left * pace)}
            elif isinstance(event, Length):
                self._settings = event.settings
                self._status["total"] = event.settings.images
                self._note(event.note)
            elif isinstance(event, Paused):
                self._status |= {"waits": True} if event.turn else {"state": "paused", "waits": False}
            elif isinstance(event, Tick):
                self._status |= {"seconds": event.seconds, "nonfinite": event.nonfinite}
            elif isinstance(event, Checkpoint) and (self._bad or not event.state.finite()):
                if event.last:
                    raise Diverged(self._bad, self._checkpoint())
                continue
            yield event
            if isinstance(event, Checkpoint):
                self._status |= {"checkpoint": event.images, "seconds": event.state.seconds}

    def _heed(self, step):
        """Say what its loss was; raises Diverged after PATIENCE steps whose losses are no numbers."""
        self._bad = 0 if math.isfinite(step.loss) else self._bad + 1
        if self._bad >= PATIENCE:
            raise Diverged(self._bad, self._checkpoint())
        self._status["loss"] = _number(step.loss)

    def _end(self, error):
        """Say how it ended, and see to the queue: nobody else may be there to do so."""
        if error is None:
            early = self._status["total"] is None or self._status.get("images", 0) < self._status["total"]
            self._status["state"] = "stopped" if early else "finished"
        else:
            failure = self._explained(error)
            if failure.reason == "lost":  # which of its fellows knows why
                failure = causes.told(self._folder, self._number) or failure
            self._status |= {"state": "stopped" if failure.reason == "stopped" else "failed", **vars(failure)}
        with suppress(OSError):  # on a disk without a single free block: readers will see that nobody lives here
            self._reserve().unlink(missing_ok=True)
            self._write(durable=True)
        taken = places.read(places.request(self._folder, self._number, "taken"))
        if "at_once" in taken and not self._signals.asked() and self._status.get("reason") != "disk":
            with suppress(OSError, Refused):
                queue.advance(places.home(self._folder), taken["at_once"])

    def _explained(self, error) -> Failure:
        return explain(error, self._settings, self._share, self._checkpoint())

    def _checkpoint(self):
        with suppress(OSError):
            return saved.newest(self._folder)

    def _reserve(self):
        return self._folder / ".reserve"

    def _live(self):
        while not self._over.wait(BEAT):
            if self._beats % CARDS == 0:
                self._status |= self._usage.look()
            self._beats += 1
            with suppress(OSError):  # a server of files that is away for a while, or a full disk
                self._look()
                self._superseded = self._superseded or not self._lease.renew(self._sign)
                if self._superseded:
                    return

    def _sign(self):
        """Give a sign of life, also on a full disk."""
        try:
            self._write()
        except OSError as error:
            if not disk_full(error):
                raise
            os.utime(self._folder / "status.json")

    def _look(self):
        """See what is asked. A run that was deleted has no beginnings any more."""
        self._superseded = places.newest(self._folder, strict=True) != self._number
        self._asked = self._asked or places.request(self._folder, self._number, "stop").exists()
        self._held = places.request(self._folder, self._number, "pause").exists()

    def _write(self, durable=False):
        with self._writing:
            document = {**self._status, "heartbeat": time.time(), "memory": memory(self._device)}
            document["lapses"] = self._lease.lapses
            places.write(self._folder / "status.json", document, durable)


def asking(worker: Callable[[], Worker], began: float) -> Asking:
    """What training asks its worker, which may be made later. began: since when its minutes count."""
    return Asking(
        stop=lambda: worker().asked(),
        hold=lambda: worker().held(),
        wait=lambda: worker().waits(),
        agree=lambda images, tick: worker().agree(images, tick),
        began=began,
    )


def _number(value):
    """None for what JSON has no word for."""
    return value if math.isfinite(value) else None
