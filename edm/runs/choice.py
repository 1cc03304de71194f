"""Which of this machine's devices a queued run gets: chosen when it starts, by free memory, whoever holds the rest."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Container, Iterable
from dataclasses import dataclass, replace

from edm.base import devices
from edm.base.cards import Card, cards
from edm.runs import clocks, places
from edm.runs.reading import LIVE, Run

SETTLED = 300.0  # seconds after which a run has taken all the memory that it will
_SHOWN = "CUDA_VISIBLE_DEVICES"


@dataclass(frozen=True)
class Offer:
    """Where a run may start. seats: {place, as the run's process would call it: whose seats it takes, as all call it},
    the best first. needed: how many of them. waits: why it does not start, though there are seats; None: it may."""

    seats: dict[str, str]
    needed: int
    waits: str | None = None

    def without(self, awaited: Container[str]) -> Offer:
        """The same without the seats that others wait for."""
        return replace(self, seats={place: seat for place, seat in self.seats.items() if seat not in awaited})


class Machine:
    """This machine at one moment, with all runs in a folder that live on it."""

    def __init__(self, runs: Iterable[Run]):
        self._cards: dict[str | None, dict[str, Card]] = {}
        self._load: Counter[str] = Counter()  # runs at a place
        self._promised: Counter[str] = Counter()  # bytes that they have yet to take there
        for run in runs:
            if run.state in LIVE:
                self._see(run)

    def offer(self, request: dict) -> Offer:
        """What there is for a run that is asked for like that."""
        wanted = request.get("device") or "cpu"
        suitable, needed = devices.places(wanted, request.get("gpus") or 0)
        if suitable == ["cpu"] and wanted == "auto":
            known = [place for place in request.get("places") or () if place != "mps"] or suitable
            suitable = sorted(known, key=lambda place: self._load[place])[:1]
        if not suitable[0].startswith("cuda"):
            return Offer({place: place for place in suitable}, needed)
        found = self._known(request)
        seats = {place: _seat(place, found, request) for place in suitable}
        free = {place: self._free(found.get(place), seat) for place, seat in seats.items()}
        load = {place: self._load[seat] for place, seat in seats.items()}
        busy = {place: card.utilization or 0.0 for place, card in found.items()}
        best = sorted(seats, key=lambda at: (-free[at] / (1 + load[at]), load[at], busy.get(at, 0.0)))
        need = request.get("bytes") or 0
        fitting = [place for place in best if place not in found or free[place] >= need]
        if max((card.total for card in found.values()), default=0) < need:
            fitting = best  # it fits nowhere, which no waiting changes: it begins, and takes fewer images at once
        if len(fitting) < needed:
            there = ", ".join(f"{place} has {max(free[place], 0) / 1e9:.1f}" for place in suitable)
            gpus = "a GPU" if needed == 1 else f"{needed} GPUs"
            return Offer({}, needed, f"waits for {gpus} with {need / 1e9:.1f} GB free: {there}")
        return Offer({place: seats[place] for place in fitting}, needed)

    def begun(self, request: dict, held: Iterable[str]) -> None:
        """A run has just begun on some of the seats that it was offered."""
        self._add(held, request.get("bytes") or 0)

    def _see(self, run):
        start = places.read(places.request(run.folder, run.number, "start"))
        taken = places.read(places.request(run.folder, run.number, "taken"))
        if (start.get("host") or taken.get("host") or run.host) != clocks.host():
            return
        request = start or taken
        names = _named(run.place or run.device or "cpu")
        found = self._known(request) if names[0].startswith("cuda") else {}
        settled = run.started is not None and time.time() - run.started > SETTLED
        promised = 0 if settled else (request.get("bytes") or 0) - (run.memory or 0)
        self._add([_seat(name, found, request) for name in names], max(promised, 0))

    def _add(self, seats, promised):
        for seat in seats:
            self._load[seat] += 1
            self._promised[seat] += promised

    def _known(self, request) -> dict[str, Card]:
        """The cards that a process of the request sees, by its names for them."""
        environment = request.get("environment")
        shown = environment.get(_SHOWN) if isinstance(environment, dict) else None
        key = shown if isinstance(environment, dict) else "as here"
        if key not in self._cards:
            asked = {} if shown is None else {_SHOWN: str(shown)}
            found = cards(asked if isinstance(environment, dict) else None)
            self._cards[key] = {f"cuda:{card.index}": card for card in found}
        return self._cards[key]

    def _free(self, card, seat) -> float:
        """Bytes; 0 of a card of which nothing is known."""
        return 0.0 if card is None else float(card.free - self._promised[seat])


def _named(place) -> list[str]:
    """The single devices in cuda:0+cuda:2, cuda*2, cuda or cpu."""
    if devices.count(place) > 1:
        return [f"cuda:{k}" for k in range(devices.count(place))] if devices.option(place) == "cuda" else ["cpu"]
    return ["cuda:0" if name == "cuda" else name for name in place.split("+")]


def _seat(place, found, request) -> str:
    """What everybody calls a place, whichever GPUs they see."""
    if not place.startswith("cuda:"):
        return place
    card, environment = found.get(place), request.get("environment")
    if card is not None:
        return f"cuda:{card.number}" if card.number is not None else card.uuid
    name = devices.visible([place], environment.get(_SHOWN) if isinstance(environment, dict) else None)
    return f"cuda:{name}" if name.isdecimal() else name
