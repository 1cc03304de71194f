"""Requests to end that come as signals: Ctrl-C, a terminal that closes, `kill`.

The first one is heard: the run ends after its step, with a checkpoint. Ctrl-C after that ends at once. What was ignored
when the program began stays ignored, as nohup and a shell's & have it.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from contextlib import suppress

HEARD = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
_SAID = b"\nending after this step, with a checkpoint; Ctrl-C again ends at once\n"


class Signals:
    """A context in which they are heard. echo: seconds in which one counts once, as torchrun passes on to its processes
    what the terminal has sent them already. Outside the main thread nothing is heard."""

    def __init__(self, echo: float = 0.0):
        self.heard: int | None = None
        self._echo, self._when, self._former = echo, 0.0, {}

    def asked(self) -> bool:
        """Whether one of them has come."""
        return self.heard is not None

    def __enter__(self):
        if threading.current_thread() is threading.main_thread():
            known = {number: signal.getsignal(number) for number in HEARD}
            self._former = {number: former for number, former in known.items() if former is not signal.SIG_IGN}
            for number in self._former:
                signal.signal(number, self._hear)
        return self

    def __exit__(self, *_):
        for number, former in self._former.items():
            signal.signal(number, former)

    def _hear(self, number, _frame):
        now = time.monotonic()
        if self.heard is None:
            self.heard, self._when = number, now
            if number == signal.SIGINT:
                with suppress(OSError, ValueError, AttributeError):  # print() may be under way already
                    os.write(sys.stderr.fileno(), _SAID)
        elif number == signal.SIGINT and now - self._when >= self._echo:
            raise KeyboardInterrupt
