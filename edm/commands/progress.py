"""How far a command is, on a line that is written over where there is a terminal."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TextIO

from edm.base.rates import Rate

OFTEN, SELDOM = 0.2, 60.0  # seconds between two lines, on a terminal and in a log


class Line:
    """ "scenes: 1,200 of 50,000 samples, 130/s, 6:15 left". of: what it is of, in front of it; what: is counted."""

    def __init__(self, stream: TextIO, of: str = "", what: str = "samples"):
        self._stream, self._of, self._what = stream, f"{of}: " if of else "", what
        self._live, self._drawn, self._rate, self._text = stream.isatty(), time.monotonic(), Rate(), ""

    def show(self, done: int, total: int) -> None:
        """Say it, if it is time to."""
        now = time.monotonic()
        if now < self._drawn + (OFTEN if self._live else SELDOM):
            return
        self._drawn = now
        self._rate.add(done)
        rate, left = self._rate.each_second, self._rate.left(total)
        speed = "" if rate is None or left is None else f", {rate:,.3g}/s, {_clock(left)} left"
        self._print(f"{self._of}{done:,} of {total:,} {self._what}{speed}")

    def end(self, text: str = "") -> None:
        """Say that in its place; "": leave what was said."""
        if text:
            self._print(text)
        if self._live and self._text:
            self._write("\n")

    def _print(self, text):
        self._write(f"\r{text.ljust(len(self._text))}" if self._live else f"{text}\n")
        self._text = text

    def _write(self, text):
        with suppress(OSError, ValueError):  # a terminal that was closed ends no work
            self._stream.write(text)
            self._stream.flush()


def _clock(seconds: float) -> str:
    if seconds >= 86400:
        return f"{seconds / 86400:.1f} d"
    hours, rest = divmod(round(seconds), 3600)
    minutes, seconds = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
