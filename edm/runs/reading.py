"""Reading runs. Anyone may, at any time: nothing here writes, waits, or trusts that a file is whole.

queued ─→ running ─→ finished
   │       │   ├───→ failed         with a sentence
   │    paused ├───→ interrupted    nobody wrote that: its worker is gone
   └→ stopped ←┴─ stopping
"""

from __future__ import annotations

import math
import os
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from edm.base.paths import expanded
from edm.files import saved
from edm.files.names import is_name
from edm.runs import causes, clocks, failures, launchers, places, signs
from edm.runs.logs import last_words, tail

if TYPE_CHECKING:
    from edm.base.types import StrPath

LIVE = ("running", "paused", "stopping")
OVER = ("stopped", "finished", "failed", "interrupted")
STARTING = 30.0  # seconds between a launcher's claim and the name of the process it starts, at most
_SETTLED = 2e9  # nanoseconds after which the next change of a file is sure to have another time


@dataclass(frozen=True)
class Run:
    """A run as its files tell. Times in seconds since 1970; what is not known is None.

    number: which of its beginnings. images: seen, of `total`; loss: of the last step; rate: images/s, and the most that
    the arithmetic of its GPUs would allow; left, seconds (spent in steps): s; memory: bytes. gpu_memory,
    gpu_utilization, cards: of its GPUs (`edm.runs.usage`). device: the one it has got, or, while it waits, the one that
    was asked for; place: which of the machine's, such as cuda:0+cuda:2. reason, sentence, remedies: why it ended, where
    it did not just finish, and what to change, see `edm.runs.failures.Failure`. checkpoint: path of the last whole one.
    log: last lines; disk: bytes (these two with details only).
    """

    name: str
    folder: Path
    state: str
    number: int = 0
    waits: bool = False
    images: int = 0
    total: int | None = None
    parameters: int | None = None
    loss: float | None = None
    rate: float | None = None
    most: float | None = None
    left: float | None = None
    seconds: float | None = None
    memory: int | None = None
    gpu_memory: int | None = None
    gpu_utilization: float | None = None
    cards: tuple[dict, ...] = ()
    device: str | None = None
    place: str | None = None
    owner: str | None = None
    asked: float | None = None
    started: float | None = None
    heartbeat: float | None = None
    command: str | None = None
    host: str | None = None
    pid: int | None = None
    reason: str | None = None
    sentence: str | None = None
    remedies: tuple[tuple[str, dict[str, str]], ...] = ()
    checkpoint: Path | None = None
    log: tuple[str, ...] = ()
    disk: int | None = None

    @property
    def over(self) -> bool:
        return self.state in OVER

    @property
    def resumable(self) -> bool:
        return self.over and self.state != "finished"


def read(folder: StrPath, details: bool = True) -> Run:
    """The run in a directory. details: its log and its use of the disk, too, which take longer to find out."""
    folder = expanded(folder)
    number = places.newest(folder)
    start = places.read(places.request(folder, number, "start"))
    launcher = launchers.named(start)
    state, status, handle = _told(folder, number, launcher)
    whole, torn = _saved(folder)
    place = _text(places.read(places.request(folder, number, "taken")), "place")
    own, live = status.get("number") == number, state in LIVE
    task = places.is_task(folder)
    seen = (task and _number(status, "images")) or (whole and saved.number(whole)) or 0
    total = (own and _number(status, "total")) or _number(start, "total")
    total = total or _total(places.read(folder / "config.json"))
    known = {name: _number(status, name) for name in _PROGRESS} if own else {}
    told = {name: _text(status, name) for name in ("reason", "sentence")} if own and not live else {}
    remedies = _several(status, "remedies") if told else []
    if own and (note := _text(status, "note")):
        told["sentence"] = told.get("sentence") or note
    if state == "queued" and start.get("host") != clocks.host():
        told = {"sentence": f"waits for the machine {start.get('host')!r}; stop and resume it to run it on this one"}
    elif state == "queued":
        told = {"sentence": _text(places.read(places.request(folder, number, "waits")), "sentence")}
    if state == "stopped" and handle and status.get("state") != "stopped":
        told = {"sentence": failures.FORCED_TASK if task else failures.forced(whole)}
    if state == "interrupted":
        finished = whole is not None and total is not None and seen >= total
        words = None if own or finished else last_words(folder)
        cause = None if finished else causes.found(folder, number, status if own else {}, whole)
        told = {} if finished else {"reason": words and "settings", "sentence": words or failures.silent(task or whole)}
        if cause:
            told, remedies = {"reason": cause.reason, "sentence": cause.sentence}, cause.remedies
        state = "finished" if finished else "failed" if words or cause else state
    if torn and state == "finished" and total is not None and seen < total:
        state = "interrupted"  # what it had come to is lost
    if torn and state in OVER:
        told["sentence"] = "; ".join(filter(None, [told.get("sentence"), failures.torn(torn, whole)]))
    return Run(
        name=places.called(folder), folder=folder, state=state, number=number,
        images=(own and live and _number(status, "images")) or seen, total=total,
        waits=own and state == "running" and status.get("waits") is True,
        device=(own and _text(status, "device")) or place or _text(start, "device") or _text(status, "device"),
        place=place or (_text(status, "device") if own and not start else None),
        command=_text(start, "command") or _text(status, "command"), owner=_text(start, "owner"),
        asked=_number(start, "time"), host=_text(handle, "host"), pid=_number(handle, "pid"),
        reason=told.get("reason"), sentence=told.get("sentence"), remedies=failures.remedies_of(remedies),
        cards=tuple(card for card in _several(status, "cards") if isinstance(card, dict)) if own and live else (),
        checkpoint=whole, log=tail(folder / "log.txt") if details else (),
        disk=places.disk_use(folder) if details else None, **known,
    )  # fmt: skip


_TRAINING = ("parameters", "loss", "rate", "most", "left", "seconds", "memory", "gpu_memory", "gpu_utilization")
_PROGRESS = (*_TRAINING, "started", "heartbeat")


def all_runs(folder: StrPath, details: bool = False) -> list[Run]:
    """Every run in the runs folder, the last asked for or started first."""
    runs = _listing(os.path.abspath(expanded(folder))).runs()
    if details:
        runs = [read(run.folder) for run in runs]
    return sorted(runs, key=lambda run: (-(run.asked or run.started or 0), run.name))


def all_work(folder: StrPath) -> list[Run]:
    """Every run in the runs folder, and every task of one, called RUN/TASK."""
    runs = all_runs(folder)
    return [*runs, *(task for run in runs for task in all_runs(run.folder / places.TASKS))]


def workers(folder: StrPath) -> tuple[dict, list[dict]]:
    """The handles of (the worker of the run's newest beginning, others that it has started); an empty one: none."""
    number = places.newest(folder)
    status = places.read(expanded(folder, "status.json"))
    if status.get("number") != number:
        return _launched(places.read(places.request(folder, number, "worker"))), []
    leader = _handle(status)
    fellows = [fellow for fellow in _several(status, "others") if isinstance(fellow, dict)]
    return leader, [{**fellow, "alone": leader.get("alone", False)} for fellow in fellows]


def is_starting(claim: dict) -> bool:
    """Whether a launcher's claim is so young that its worker may be about to begin."""
    return clocks.since(claim) < STARTING


def _launched(document) -> dict:
    """The handle in what a launcher has left; an empty one if it has left nothing."""
    handle = {name: value for name, value in document.items() if name != "time"}
    return {"alone": True, **handle} if handle else {}


def _handle(status) -> dict:
    """The handle in a status, an empty one for anything else there."""
    found = status.get("process")
    return {"alone": bool(status.get("alone")), **found} if isinstance(found, dict) else {}


def _lives(launcher, handle, heartbeat) -> bool:
    """Whether a worker lives: as its launcher knows, or as far as its signs of life tell."""
    known = launcher.alive(handle)
    return signs.EAR.hears(handle, heartbeat) if known is None else known


class _Listing:
    """The runs of a folder, of which those that are over are read again only when their files have changed."""

    def __init__(self, folder):
        self._folder, self._known = Path(folder), {}

    def runs(self) -> list[Run]:
        try:
            entries = [entry for entry in os.scandir(self._folder) if is_name(entry.name)]
        except OSError:
            return []
        known, current = self._known, {}
        for entry in entries:
            if entry.is_dir(follow_symlinks=False) and (mark := _mark(entry.path)):
                current[entry.name] = self._current(entry.name, mark, *known.get(entry.name, (None, None)))
        self._known = current
        return [run for _, run in current.values()]

    def _current(self, name, mark, known, run):
        if mark == known:
            return known, run
        run = read(self._folder / name, details=False)
        settled = all(time.time_ns() - changed > _SETTLED for _, changed, *_ in mark)
        return mark if run.over and settled else None, run


@lru_cache(maxsize=1024)
def _listing(folder: str) -> _Listing:
    return _Listing(folder)


def _mark(folder) -> tuple:
    """What changes with any file on which the state of a run that is over depends; empty where there is no run."""
    marks = []
    for name in ("requests", "checkpoints", "status.json", "config.json"):
        with suppress(OSError):
            found = os.stat(f"{folder}{os.sep}{name}")
            marks.append((name, found.st_mtime_ns, found.st_ino, found.st_size))
    return tuple(marks)


def _told(folder, number, launcher):
    """(state, status, handle). A worker that is gone without a last word is "interrupted", unless it was to end."""
    stop = places.request(folder, number, "stop").exists()
    # looked at before the status: a worker that ends in between has had its last words by then
    told = places.read(places.request(folder, number, "worker"))
    born = _launched(told)
    status = places.read(folder / "status.json")
    if status.get("number") == number:
        handle, state = _handle(status), status.get("state")
        if state in ("running", "paused"):
            if _lives(launcher, handle, _number(status, "heartbeat")):
                return ("stopping" if stop else state), status, handle
            status = places.read(folder / "status.json") or status  # its last words may be newer than the first look
        return (status["state"] if status.get("state") in OVER else _ended(stop)), status, handle
    if born:
        living = _lives(launcher, born, _number(told, "time"))
        if not living and places.read(folder / "status.json").get("number") == number:
            return _told(folder, number, launcher)  # it has ended meanwhile, with all it had to say
        return (_ended(stop) if not living else "stopping" if stop else "running"), status, born
    taken = places.request(folder, number, "taken")
    if not taken.exists():
        asked = places.request(folder, number, "start").exists()
        return ("interrupted" if not asked else "stopped" if stop else "queued"), status, {}
    return ("running" if is_starting(places.read(taken)) else "interrupted"), status, {}


def _saved(folder) -> tuple[Path | None, list[Path]]:
    """(the newest whole checkpoint, newer ones that are not whole)."""
    try:
        return saved.newest(folder), saved.torn(folder)
    except OSError:  # a file server that is away, or files of somebody else
        with suppress(OSError):
            return next(reversed(saved.checkpoints(folder)), None), []
        return None, []


def _total(settings):
    """Images of a run with these settings; None of one of minutes, until they are known."""
    return None if _number(settings, "minutes") else _number(settings, "images")


def _ended(asked):
    return "stopped" if asked else "interrupted"


def _number(document, name):
    """A number in a document, None for anything else there."""
    value = document.get(name)
    return value if type(value) in (int, float) and math.isfinite(value) else None


def _text(document, name) -> str | None:
    """A text in a document, None for anything else there."""
    value = document.get(name)
    return value if isinstance(value, str) else None


def _several(document, name) -> list:
    """A list in a document, an empty one for anything else there."""
    value = document.get(name)
    return value if isinstance(value, list) else []
