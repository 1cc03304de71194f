"""One visitor: which request is the newest, and settings to and from the address bar."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from cachetools import LRUCache

from app.cores import divided
from app.instruments import INSTRUMENTS, TABS, tab_of
from edm import presets
from edm.fields import SettingsError
from edm.flat import unflatten
from edm.settings import Experiment

PIN = "pin."  # prefix of the pinned result's settings in the address
VIEW = "view."  # prefix of what only concerns the picture: coordinates, arrows, …
SHOW = "show"  # the instrument that is shown; its settings are named "<instrument>.<knob>"
FIGURE = "figure"  # or a preset of the folder figures
TAB = "tab"
TRAIN = "train"  # the tab whose state is named "train.<…>"


class Superseded(Exception):
    """A newer request of the same visitor has arrived; this one ends at its next evaluation."""


class Newest:
    """The newest request of each visitor and lane. Thread-safe; it forgets the visitors of long ago."""

    def __init__(self, visitors: int = 10_000):
        self._newest: LRUCache = LRUCache(visitors)
        self._lock = threading.Lock()

    def guard(self, visitor: str, lane: str, serial: int) -> Guard:
        """A guard that raises Superseded once a request with a higher serial has come."""
        key = (visitor, lane)
        with self._lock:
            self._newest[key] = max(serial, self._newest.get(key, serial))

        def check():
            with self._lock:
                if self._newest.get(key, serial) > serial:
                    raise Superseded

        check()
        return Guard((check,))

    def stop(self, visitor: str):
        """The visitor has left: whatever still runs for them ends. A later request of theirs works again."""
        with self._lock:
            for key in [key for key in self._newest if key[0] == visitor]:
                self._newest[key] += 0.5


@dataclass(frozen=True)
class Guard:
    """Wraps the denoisers of one request: each check is called before each evaluation, and may end it or wait.

    visitor: whose request it is, for `app.slots`.
    """

    checks: tuple[Callable, ...] = ()
    visitor: object = None

    def check(self) -> None:
        for each in self.checks:
            each()

    def __call__(self, denoiser):
        return _Guarded(denoiser, self.check)


class _Guarded:
    def __init__(self, denoiser, check):
        self._denoiser, self._check = denoiser, check

    def __call__(self, *arguments):
        self._check()
        return divided(self._denoiser, *arguments)

    def __getattr__(self, name):
        return getattr(self._denoiser, name)


def opened_from(query: dict[str, str]) -> dict:
    """What an address says, for the page: settings of the Sampler tab, the pinned ones, and the instrument shown.

    {values, pinned, notice, show: None or {tab, name, values}}; a bad address gives defaults and a sentence.
    """
    try:
        show = _shown(query)
        experiment, pinned = _experiments(query)
        notice = None
    except SettingsError as error:
        experiment, pinned, show = Experiment(), None, None
        notice = f"This link could not be read, so here is the default instead. {error}"
    return {
        "values": experiment.document(complete=True),
        "pinned": pinned and pinned.document(complete=True),
        "notice": notice,
        "show": show,
    }


def _experiments(query):
    others = ("__", PIN, VIEW, *(f"{name}." for name in (TRAIN, *INSTRUMENTS)))
    own = {k: v for k, v in query.items() if not k.startswith(others) and k not in (SHOW, FIGURE, TAB)}
    pinned = {k.removeprefix(PIN): v for k, v in query.items() if k.startswith(PIN)}
    return Experiment.parse(unflatten(own)), Experiment.parse(unflatten(pinned)) if pinned else None


def _shown(query) -> dict | None:
    """The instrument that the address shows, or the preset that it names, with all values of its settings."""
    if query.get(TAB) == TRAIN:
        values = {k.removeprefix(f"{TRAIN}."): v for k, v in query.items() if k.startswith(f"{TRAIN}.")}
        return {"tab": TRAIN, "name": TRAIN, "values": values}
    if FIGURE in query:
        name, values = presets.figure(query[FIGURE])
    elif SHOW in query or query.get(TAB) in TABS:
        name = query[SHOW] if SHOW in query else TABS[query[TAB]][1][0].name
        values = {k.removeprefix(f"{name}."): v for k, v in query.items() if k.startswith(f"{name}.")}
    else:
        return None
    if name not in INSTRUMENTS:
        known = ", ".join(INSTRUMENTS)
        raise SettingsError(f"{SHOW} = {name!r:.40}: there is no such instrument; there are {known}")
    return {"tab": tab_of(name), "name": name, "values": INSTRUMENTS[name].complete(values)}
