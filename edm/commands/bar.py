"""How far a run has come, in a terminal."""

from __future__ import annotations

import time
from collections.abc import Collection
from contextlib import suppress
from typing import Any, TextIO

from edm.training.settings import Training

BAR = 24


def say(text: object, stream: TextIO) -> None:
    """Print, where anybody can still read it: a terminal that was closed must not end a run."""
    with suppress(OSError, ValueError):
        print(text, file=stream, flush=True)


class Bar:
    """A line that is written over on a terminal; elsewhere, one line at each tick."""

    def __init__(self, settings: Training, stream: TextIO, chosen: Collection[str] = ()):
        self._settings, self._stream, self._live, self._drawn = settings, stream, stream.isatty(), 0.0
        self._chosen = chosen  # names of fields that somebody has given
        self.images = 0

    @property
    def early(self) -> bool:
        """Whether the run has not come to its end."""
        return self._settings.minutes is not None or self.images < self._settings.images

    def show(self, event: Any) -> None:
        from edm.training.events import Length, Started, Step, Tick
        from edm.training.fitting import idle

        if isinstance(event, Started):
            self.images = event.state.images
            say(
                f"{event.parameters:,} parameters, sigma_data {event.sigma_data:.4f}, on {event.state.device}, "
                f"validated on images {'held out' if event.held_out else 'of the training'}, "
                f"from image {event.state.images:,} {self._length}{_seen(event.state.header)}",
                self._stream,
            )
            header = event.state.header
            for name, sentence in idle(self._settings, header.shape, header.classes).items():
                if name in self._chosen:
                    say(sentence, self._stream)
            if event.note:
                say(event.note, self._stream)
        elif isinstance(event, Step):
            self.images = event.images
            if self._live and time.monotonic() > self._drawn + 0.2:
                self._drawn = time.monotonic()
                self._print(event, event.loss, end="")
        elif isinstance(event, Length):
            self._settings = event.settings
            say(event.note, self._stream)
        elif isinstance(event, Tick) and event.sigmas and event.images:
            self._print(event, event.loss, end="\n")

    @property
    def _length(self) -> str:
        minutes = self._settings.minutes
        return f"of {self._settings.images:,}" if minutes is None else f"for {minutes:g} min"

    def _print(self, event, loss, end):
        share = 0.0 if self._settings.minutes else min(event.images / self._settings.images, 1)
        bar = ("█" * round(share * BAR)).ljust(BAR, "·")
        left = (
            time.strftime("%H:%M:%S", time.gmtime(event.left)) if event.left < 86400 else f"{event.left / 86400:.1f} d"
        )
        bad = f", {event.nonfinite} steps not finite" if getattr(event, "nonfinite", 0) else ""
        start = "\r" if self._live else ""
        text = f"{bar} {event.images:>11,}  loss {loss:.4f}  {event.rate:,.0f} images/s  {left} left{bad}"
        with suppress(OSError, ValueError):
            print(f"{start}{text}  ", end=end, file=self._stream, flush=True)


def _seen(header) -> str:
    """What is to be said of classes without images."""
    if not header.taught:
        return ""
    return f"; only {len(header.taught)} of {header.classes} classes have images to train on, and no other is drawn"
