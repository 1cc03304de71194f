"""Reading runs. Anyone may, at any time: nothing here writes, waits, or trusts that a file is whole.

queued ─→ running ─→ finished
   │         ├─────→ failed         with a sentence
   │         ├─────→ interrupted    nobody wrote that: its worker is gone
   └→ stopped ←─ stopping
"""

from __future__ import annotations

import json
import os
import time
import zlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from edm.runs import places
from edm.runs.processes import Process, machine, uptime

LIVE = ("running", "stopping")
OVER = ("stopped", "finished", "failed", "interrupted")
STARTING = 60.0  # seconds between a launcher's claim and the name of the process it starts, at most
LOG_LINES, LOG_BYTES = 20, 8192
_KNOWN = 48  # bytes before a cursor, by which it is known whether a file has been written anew


@dataclass(frozen=True)
class Run:
    """A run as its files tell. Times in seconds since 1970; what is not known is None.

    number: which of its beginnings. images: seen, of `total`; loss: of the last step; rate: images/s; left: s.
    reason, sentence: why it ended, where it did not just finish; reasons are those of `edm.runs.failures`.
    checkpoint: path of the last one. log: last lines; disk: bytes (these two with details only).
    """

    name: str
    folder: Path
    state: str
    number: int = 0
    images: int = 0
    total: int | None = None
    loss: float | None = None
    rate: float | None = None
    left: float | None = None
    memory: int | None = None
    device: str | None = None
    owner: str | None = None
    asked: float | None = None
    started: float | None = None
    heartbeat: float | None = None
    command: str | None = None
    host: str | None = None
    pid: int | None = None
    reason: str | None = None
    sentence: str | None = None
    checkpoint: Path | None = None
    log: tuple[str, ...] = ()
    disk: int | None = None

    @property
    def over(self) -> bool:
        return self.state in OVER

    @property
    def resumable(self) -> bool:
        return self.over and self.state != "finished"


def read(folder, details: bool = True) -> Run:
    """The run in a directory. details: its log and its use of the disk, too, which take longer to find out."""
    folder = Path(folder)
    number = places.newest(folder)
    start = places.load(places.request(folder, number, "start")) or {}
    state, status, process = _told(folder, number)
    saved = _last_checkpoint(folder)
    own = status.get("number") == number
    images = status.get("images") if own and state in LIVE else None
    known = {name: status.get(name) for name in _PROGRESS} if own else {}
    if state in LIVE or not own:
        known |= {"reason": None, "sentence": None}
    if state == "interrupted":
        known["sentence"] = _INTERRUPTED
    elif state == "failed" and not own:
        known["sentence"] = next(reversed(tail(folder / "log.txt")), _INTERRUPTED)
    if state == "queued":
        process = None
    return Run(
        name=folder.name, folder=folder, state=state, number=number,
        images=images if images is not None else int(saved.stem) if saved else 0,
        total=status.get("total") or start.get("total") or (places.load(folder / "config.json") or {}).get("images"),
        device=start.get("device") or status.get("device"),
        command=start.get("command") or status.get("command"), owner=start.get("owner"), asked=start.get("time"),
        host=process and process.host, pid=process and process.pid, checkpoint=saved,
        log=tail(folder / "log.txt") if details else (), disk=disk_use(folder) if details else None, **known,
    )  # fmt: skip


_PROGRESS = ("loss", "rate", "left", "memory", "started", "heartbeat", "reason", "sentence")
_INTERRUPTED = "its worker ended without a word: killed, out of memory, or the machine went down"


def all_runs(folder, details: bool = False) -> list[Run]:
    """Every run in the runs folder, the last asked for or started first."""
    try:
        entries = [e for e in os.scandir(folder) if places.is_name(e.name) and e.is_dir(follow_symlinks=False)]
    except OSError:
        return []
    runs = [read(entry.path, details) for entry in entries]
    return sorted(runs, key=lambda run: (-(run.asked or run.started or 0), run.name))


def process_of(folder) -> tuple[Process | None, bool]:
    """(the worker of the run's newest beginning, whether it leads a group of its own)."""
    number = places.newest(folder)
    status = places.load(Path(folder, "status.json")) or {}
    if status.get("number") == number:
        return Process.parse(status.get("process")), bool(status.get("alone"))
    return Process.parse(places.load(places.request(folder, number, "worker"))), True


def _told(folder, number):
    """(state, status, process)."""
    stop = places.request(folder, number, "stop").exists()
    # looked at before the status: a worker that ends in between has had its last words by then
    born = places.load(places.request(folder, number, "worker")) or {}
    process = Process.parse(born)
    living = process is not None and process.alive(born.get("time", 0) + STARTING)
    status = places.load(folder / "status.json") or {}
    if status.get("number") == number:
        process = Process.parse(status.get("process"))
        if status.get("state") == "running" and process and process.alive(status.get("heartbeat")):
            return ("stopping" if stop else "running"), status, process
        if status.get("state") == "running":
            status = places.load(folder / "status.json") or status  # its last words may be newer than the first look
        return (status["state"] if status.get("state") in OVER else "interrupted"), status, process
    if number == 0:
        return _before_status(folder), status, None
    if process is not None:
        return ("failed" if not living else "stopping" if stop else "running"), status, process
    taken = places.load(places.request(folder, number, "taken"))
    if taken is None:
        return ("stopped" if stop else "queued"), status, None
    return ("running" if _launching(taken) else "interrupted"), status, None


def _launching(taken) -> bool:
    here = taken.get("machine") == machine()
    return (uptime() - taken.get("uptime", 0) if here else time.time() - taken.get("time", 0)) < STARTING


def _before_status(folder):
    """The state of a run that no worker speaks for: by how far it came."""
    saved, total = _last_checkpoint(folder), (places.load(folder / "config.json") or {}).get("images")
    return "finished" if saved and total is not None and int(saved.stem) >= total else "interrupted"


def _last_checkpoint(folder) -> Path | None:
    try:
        names = os.listdir(folder / "checkpoints")
    except OSError:
        return None
    names = [name for name in names if name.endswith(".safetensors") and name[:-12].isdecimal()]
    return folder / "checkpoints" / max(names) if names else None


def disk_use(folder) -> int:
    """Bytes that the files in a directory take."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):  # gone meanwhile
                total += os.lstat(os.path.join(parent, name)).st_size
    return total


def tail(path, lines: int = LOG_LINES) -> tuple[str, ...]:
    """The last lines of a text file."""
    try:
        with open(path, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - LOG_BYTES))
            return tuple(file.read().decode(errors="replace").splitlines()[-lines:])
    except OSError:
        return ()


@dataclass(frozen=True)
class Lines:
    """lines: of metrics.jsonl, parsed, NaN and infinities as None. cursor: where to go on. skipped: torn or foreign
    lines among them. anew: the file was written anew since, so forget the lines before these. more: there are more."""

    lines: tuple[dict, ...]
    cursor: str
    skipped: int
    anew: bool
    more: bool


def metrics_since(run, cursor: str = "", most: int = 4 << 20) -> Lines:
    """The whole lines of a run's metrics after a cursor; "" is the beginning. At most about `most` bytes of them."""
    offset, anew = _offset(cursor), False
    try:
        with open(Path(run, "metrics.jsonl"), "rb") as file:
            if offset and _cursor(file, offset) != cursor:
                offset, anew = 0, True
            file.seek(offset)
            block = file.read(most)
            if b"\n" not in block:
                block += file.readline()
            end = block.rfind(b"\n") + 1
            after = _cursor(file, offset + end)
            more = offset + end < os.fstat(file.fileno()).st_size and len(block) >= most
    except OSError:
        return Lines((), "", 0, bool(offset), False)
    parsed = [_parsed(line) for line in block[:end].splitlines() if line.strip()]
    good = tuple(line for line in parsed if line is not None)
    return Lines(good, after, len(parsed) - len(good), anew, more)


def _parsed(line):
    try:
        document = json.loads(line, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) and isinstance(document.get("images"), int) else None


def _offset(cursor: str) -> int:
    text = str(cursor).partition(":")[0]
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else 0


def _cursor(file, offset) -> str:
    """An offset, with the mark of the bytes before it."""
    file.seek(max(0, offset - _KNOWN))
    return f"{offset}:{zlib.crc32(file.read(min(_KNOWN, offset))):08x}"
