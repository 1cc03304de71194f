"""Where a run can train, in words: what this machine has, what of it is free, and what is busy with what."""

from __future__ import annotations

import os
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence

from edm import runner, runs
from edm.base import cards
from edm.base.cards import Card
from edm.runs import launchers, reading

ABOUT = f"Where this page computes, for everybody who looks at it; {runner.STAYS}"
AGE = 1.0  # seconds for which a look at the cards serves everybody
AUTO = "auto"
ROUGHLY = 4e9  # bytes
MOST_NAMED = 3  # runs that are named in a sentence
_MAKERS = re.compile(r"\b(NVIDIA|AMD|Tesla|GeForce|Quadro|Radeon|Instinct)\b")
_BUILD = re.compile(r"\b(SXM\d*|PCIe|NVL|HBM\w*|OAM|Generation|Laptop GPU|\d+\s?GB)\b", re.IGNORECASE)


class Devices:
    """What can be chosen to train on. Thread-safe. found: () -> the cards of this machine."""

    def __init__(self, found: Callable[[], Sequence[Card]] | None = None):
        self._found, self._lock = found or (lambda: cards.cards()), threading.Lock()
        self.places = launchers.LAUNCHERS[launchers.LOCAL].places()
        self._looked, self._cards = -AGE, ()

    @property
    def gpus(self) -> list[str]:
        """The GPUs on which workers can be started, by name."""
        return [place for place in self.places if place != "cpu"]

    def cards(self) -> dict[str, Card]:
        """The cards as they are now, by the names of their devices; none where the driver tells nothing."""
        with self._lock:
            if time.monotonic() - self._looked >= AGE:
                self._cards, self._looked = tuple(self._found()), time.monotonic()
            return {f"cuda:{card.index}": card for card in self._cards}

    def room(self) -> list[int]:
        """How much is free of each card, roughly: a small change is none."""
        return [round(card.free / ROUGHLY) for card in self.cards().values()]

    def choices(self, known: Sequence[runs.Run] = ()) -> dict:
        """What a run can be started on, as a knob's choices: {choices, titles, helps}. known: all runs."""
        told = Told(self.gpus, self.cards() if self.gpus else {}, [run for run in known if run.state in runs.LIVE])
        several = [f"cuda*{n}" for n in range(2, len(self.gpus) + 1)]
        found = [AUTO, *self.gpus, *several, "cpu"]
        return {
            "choices": found,
            "titles": [told.title(name) for name in found],
            "helps": [told.help(name) for name in found],
        }

    def of_page(self, device: str, known: Sequence[runs.Run]) -> dict:
        """Where the page itself computes, and could: {device, choices, titles, about, sharing}. known: all runs."""
        found = [*self.gpus, "cpu"]
        told = Told(self.gpus, {}, [run for run in known if run.state in runs.LIVE])
        titles = [called(name) for name in found]
        named = {"device": device, "choices": found, "titles": titles, "about": ABOUT}
        return {**named, "sharing": told.sharing(device)}


class Told:
    """What is told of each choice. cards: by the names of devices. live: runs that hold a device."""

    def __init__(self, gpus: Sequence[str], cards: dict[str, Card], live: Sequence[runs.Run]):
        self._gpus, self._cards = gpus, cards
        self._on = {gpu: [run for run in live if gpu in devices_of(run)] for gpu in gpus}

    def title(self, name: str) -> str:
        """A choice in a few words."""
        if name == AUTO:
            return "automatic" if not self._gpus else "Automatic: whatever is free when it starts"
        if name == "cpu":
            return f"CPU, {_counted(os.cpu_count() or 1, 'core')}"
        if "*" in name:
            return f"{name.partition('*')[2]} GPUs together"
        card, words = self._cards.get(name), [called(name)]
        if card:
            words = [f"{called(name)}: {short(card.name)}", f"{size(card.free)} free"]
        return ", ".join([*words, *self._busy([name])])

    def help(self, name: str) -> str:
        """The same in a sentence or two."""
        if name == AUTO:
            return f"{self.machine()}." if self._gpus else ""
        if name == "cpu":
            return f"{self.title(name)}; a GPU trains most networks many times faster." if self._gpus else ""
        if "*" in name:
            return f"{self.machine()}. Each step's batch is divided among {name.partition('*')[2]} of them."
        card = self._cards.get(name)
        if card is None:
            return self.title(name) + "."
        room = f"{size(card.free)} of {size(card.total)} free"
        used = [] if card.utilization is None else [f"{100 * card.utilization:.0f} % busy"]
        return "; ".join([f"{short(card.name)}, {room}", *used, *self._busy([name]), *self._others([name])]) + "."

    def machine(self) -> str:
        """ "2 × H100, up to 61 GB free, one busy with digits-3" """
        kinds = Counter(short(card.name) for card in self._cards.values()) or {"GPU": len(self._gpus)}
        words = [", ".join(kind if n == 1 and len(kinds) == 1 else f"{n} × {kind}" for kind, n in kinds.items())]
        free = [card.free for card in self._cards.values()]
        words += [f"{'up to ' if len(free) > 1 else ''}{size(max(free))} free"] if free else []
        return ", ".join([*words, *self._busy(self._gpus), *self._others(self._gpus)])

    def sharing(self, device: str) -> str | None:
        """Which runs train on a device; None: none does."""
        names = [run.name for run in self._on.get(device, ())]
        return f"{listed(names)} {'trains' if len(names) == 1 else 'train'} on it, too" if names else None

    def _busy(self, gpus) -> list[str]:
        """Which of our runs train on these GPUs."""
        taken = [gpu for gpu in gpus if self._on.get(gpu)]
        names = list(dict.fromkeys(run.name for gpu in taken for run in self._on[gpu]))
        return [f"{_share(len(taken), len(gpus))}busy with {listed(names)}"] if names else []

    def _others(self, gpus) -> list[str]:
        """What other programs hold on these GPUs."""
        held = sum(others(self._cards[gpu], self._on[gpu]) for gpu in gpus if gpu in self._cards)
        return [f"{size(held)} held by other programs"] if held >= 1e8 else []


def devices_of(run: runs.Run) -> list[str]:
    """The devices that a run trains on, by name; none while it is not known which."""
    where = run.place or run.device or ""
    return [] if "*" in where or where == AUTO else ["cuda:0" if one == "cuda" else one for one in where.split("+")]


def others(card: Card, ours: Sequence[runs.Run]) -> int:
    """Bytes that programs hold on a card beside this one and our runs there; 0 where that cannot be told."""
    known = {handle.get("pid") for run in ours for handle in _handles(run)}
    seen = dict(card.others)
    if known and not known & seen.keys():  # processes have other numbers here than the driver knows
        return 0
    return sum(held or 0 for pid, held in seen.items() if pid not in known)


def _handles(run) -> list[dict]:
    leader, fellows = reading.workers(run.folder)
    return [leader, *fellows]


def short(name: str) -> str:
    """ "NVIDIA H100 80GB HBM3" → "H100" """
    bare = _BUILD.sub("", _MAKERS.sub("", name).replace("-", " "))
    return " ".join(bare.split()) or name


def called(device: str) -> str:
    """ "cuda:1" → "GPU 1" """
    kind, _, number = device.partition(":")
    return "CPU" if kind == "cpu" else f"GPU {number or 0}" if kind == "cuda" else f"GPU ({kind})"


def usage(run: runs.Run) -> str | None:
    """How busy and how full the GPUs of a run are, while it trains there: "93 % busy, 62 of 85 GB taken"."""
    if run.state not in runs.LIVE or not run.cards:
        return None
    words = [] if run.gpu_utilization is None else [f"{100 * run.gpu_utilization:.0f} % busy"]
    totals = [card.get("total") for card in run.cards]
    total = max((each for each in totals if isinstance(each, int | float)), default=0)
    words += [f"{size(run.gpu_memory)[:-3]} of {size(total)} taken"] if run.gpu_memory and total else []
    return ", ".join(words) or None


def place(run: runs.Run) -> str | None:
    """Where a run trains, or shall, in words; None: nobody knows."""
    known = run.place if run.place and run.place.startswith("cuda") else run.device
    return known and placed(known)


def placed(device: str) -> str:
    """ "cuda:0+cuda:2" → "GPUs 0 and 2", "cuda*2" → "2 GPUs"; what is no GPU as it is."""
    if not device.startswith("cuda"):
        return device
    if "*" in device:
        return f"{device.partition('*')[2]} GPUs"
    several = device.split("+")
    return called(device) if len(several) == 1 else f"GPUs {listed([called(one)[4:] for one in several])}"


def size(count: float) -> str:
    """Bytes in words: "61 GB"."""
    return f"{count / 1e9:.0f} GB" if count >= 9.5e9 else f"{count / 1e9:.1f} GB"


def listed(names: Sequence[str]) -> str:
    """ "a", "a and b", "a, b, c and 2 more" """
    first, rest = list(names[:MOST_NAMED]), len(names) - MOST_NAMED
    first += [f"{rest} more"] if rest > 0 else []
    return " and ".join(filter(None, [", ".join(first[:-1]), first[-1]])) if first else ""


def _share(taken, among) -> str:
    """How many of the GPUs: "one ", "both ", "all 4 ", "3 "; of a single one nothing is said."""
    if among == 1:
        return ""
    if taken == among:
        return "both " if among == 2 else f"all {among} "
    return "one " if taken == 1 else f"{taken} "


def _counted(number, what) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
