"""The queue: which run starts next, on which device, and that it starts once, whoever looks after it.

Any server or command may call `advance`, at any time, also several at once. What keeps them apart is files that only
one can create (`places.create`), and that what is over never begins again:

.queue/<machine>/<device>.<place>/<n>.json    the n-th holder of a place; n + 1 is given out when n's run is over

A launcher that dies between two of its steps leaves a holder whose launcher is gone, which counts as over.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import subprocess
import sys
import threading
import time
import uuid
from contextlib import suppress
from pathlib import Path

from edm import flat
from edm.runs import places, reading
from edm.runs.processes import KILL, TERMINATE, Process, machine, this, uptime

GRACE = 30.0  # seconds from a stop request to SIGTERM, and a third of them more to SIGKILL
KEEP = 3
_HOLDERS_KEPT = 32


def start(settings, folder=None, device: str = "auto", name: str | None = None, keep: int = KEEP, owner=None) -> Path:
    """Make the directory of a new run and put it into the queue; `advance` starts it. Returns the directory.

    settings: `edm.Training`. folder: of all runs. device: "auto", cpu, cuda:1, …; name: None for the dataset's with a
    number. keep: so many of the newest checkpoints are kept, and the best. owner: any text, for whoever asked.
    Raises ValueError for names and devices that cannot be, and names that are taken.
    """
    folder, device = places.runs_folder(folder), _device(device, folder)
    path = _new(folder, name, settings.data.dataset)
    places.write(path / "config.json", settings.document(complete=True))
    options = flat.command("train", settings, f"--out={path.absolute()}", f"--device={device}", *_kept(keep))
    _ask(path, 1, device, shlex.split(options)[3:], keep, owner, settings.images)
    return path


def resume(run, owner=None, **changes: str) -> Path:
    """Put a run that is over into the queue again: it goes on from its last checkpoint, bit for bit.

    changes: fields to change, as on the command line (images="400000", lr="1e-4").
    Raises ValueError if it is not over, and a run without a checkpoint begins anew.
    """
    run = Path(run)
    found, last = reading.read(run, details=False), places.newest(run)
    if not found.over:
        raise ValueError(f"the run {run.name!r} is {found.state}; only one that is over can be resumed")
    if found.state == "finished" and "images" not in changes:
        raise ValueError(f"the run {run.name!r} has finished; give it more images to go on: --images")
    before = places.load(places.request(run, last, "start")) or {}
    keep = before.get("keep", KEEP)
    device = found.device or _device("auto", run.parent)
    where = run.absolute()
    origin = [f"--resume={where}"] if found.checkpoint else [f"--config={where / 'config.json'}", f"--out={where}"]
    options = ["train", *origin, f"--device={device}", *_kept(keep), *(f"--{k}={v}" for k, v in changes.items())]
    total = int(float(changes["images"])) if "images" in changes else found.total
    _check(found, changes)
    (run / "requests").mkdir(exist_ok=True)
    _ask(run, last + 1, device, options, keep, owner or before.get("owner"), total)
    return run


def stop(run, grace: float = GRACE) -> None:
    """Ask a run to end, with a checkpoint. `advance` sees to it that it does, `grace` seconds later by force."""
    run = Path(run)
    state, number = reading.read(run, details=False).state, places.newest(run)
    if state in (*reading.LIVE, "queued") and number:
        request = {"time": time.time(), "machine": machine(), "uptime": uptime(), "grace": grace}
        places.create(places.request(run, number, "stop"), request)


def advance(folder=None, at_once: int = 1) -> list[Path]:
    """Start what the queue of this machine allows, and end what was asked to end. Returns the runs it has started.

    at_once: places of each device. Idempotent, quick, and safe to call from anywhere, again and again.
    """
    folder, begun = places.runs_folder(folder), []
    runs = reading.all_runs(folder)
    for run in runs:
        if run.state == "stopping":
            _enforce(run.folder)
    for run in sorted((r for r in runs if r.state == "queued"), key=lambda r: (r.asked or 0, r.name)):
        request = places.load(places.request(run.folder, run.number or places.newest(run.folder), "start"))
        if request and request.get("host") == this().host and _take(folder, run, request, at_once):
            begun.append(run.folder)
    return begun


def _new(folder, name, dataset) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    number, given = 1, name is not None
    while True:
        path = folder / places.check_name(name if given else f"{dataset}-{number}")
        try:
            path.mkdir()
        except FileExistsError:
            if given:
                raise ValueError(f"there is a run {name!r} in {folder} already; give another name") from None
            number += 1
        else:
            for part in ("requests", "checkpoints", "samples"):
                (path / part).mkdir()
            return path


def _device(name, folder) -> str:
    """A device by its full name; of several GPUs, "auto" is the one with the fewest runs ahead."""
    import torch

    from edm import runner

    device = runner.device(name)
    if device.type == "cpu":
        return "cpu"
    if name == "auto":
        ahead = [run.device for run in reading.all_runs(folder) if not run.over]
        return min((f"cuda:{i}" for i in range(torch.cuda.device_count())), key=ahead.count)
    return f"cuda:{device.index or 0}"


def _kept(keep) -> list[str]:
    if keep < 1:
        raise ValueError(f"keep = {keep}: must be 1 or more")
    return [f"--keep={keep}", "--keep-best"]


def _check(run, changes):
    """Changes must be fields, and fit the settings of the run."""
    from edm.commands.options import merged
    from edm.training.settings import Training

    Training.parse(merged(places.load(run.folder / "config.json") or {}, flat.unflatten(changes, Training)))


def _ask(run, number, device, options, keep, owner, total):
    request = {
        "id": uuid.uuid4().hex,
        "time": time.time(),
        "host": this().host,
        "cwd": os.getcwd(),
        "device": device,
        "owner": owner,
        "keep": keep,
        "total": total,
        "options": options,
        "command": shlex.join(["python", "-m", "edm", *options]),
    }
    if not places.create(places.request(run, number, "start"), request):
        raise ValueError(f"the run {run.name!r} has just been resumed by somebody else")


def _take(folder, run, request, at_once) -> bool:
    """Start a queued run if its device has a free place."""
    label = hashlib.sha256(machine().encode()).hexdigest()[:12]
    for seat in range(at_once):
        seats = folder / ".queue" / f"{this().host}-{label}" / f"{request['device'].replace(':', '')}.{seat}"
        seats.mkdir(parents=True, exist_ok=True)
        last = max((int(path.stem) for path in seats.glob("[0-9]*.json")), default=0)
        if last and not _is_over(folder, places.load(seats / f"{last:08}.json")):
            continue
        number = places.newest(run.folder)
        holder = {"run": run.name, "number": number, "id": request["id"], "process": vars(this())}
        if places.create(seats / f"{last + 1:08}.json", holder):
            try:
                return _launch(run.folder, number, request, at_once)
            except BaseException:
                (seats / f"{last + 1:08}.json").unlink(missing_ok=True)
                raise
            finally:
                (seats / f"{last - _HOLDERS_KEPT:08}.json").unlink(missing_ok=True)
    return False


def _is_over(folder, holder) -> bool:
    """Whether the holder of a place needs it no more; once that is so, it stays so."""
    if holder is None:
        return True
    path = folder / str(holder.get("run"))
    number = places.newest(path)
    if (places.load(places.request(path, number, "start")) or {}).get("id") != holder.get("id"):
        return True  # deleted, or resumed since, which only a run that is over can be
    if places.request(path, number, "taken").exists():
        return reading.read(path, details=False).over
    launcher = Process.parse(holder.get("process"))
    return launcher is None or not launcher.alive()


def _launch(path, number, request, at_once) -> bool:
    """Start the worker of a run, in a session of its own, so that it outlives whoever started it."""
    claim, taken = (
        {"machine": machine(), "uptime": uptime(), "time": time.time()},
        places.request(path, number, "taken"),
    )
    if not places.create(taken, claim):
        return False
    try:
        process = _spawn(path, [*request["options"], f"--beginning={number}"], request)
    except OSError as error:
        taken.unlink(missing_ok=True)
        raise OSError(f"the run {path.name!r} cannot be started, and waits: {error}") from error
    with suppress(OSError):  # on a full disk its status will tell
        places.create(places.request(path, number, "worker"), {**vars(this(process.pid)), "time": time.time()})
    threading.Thread(target=process.wait, name="reaper", daemon=True).start()
    return True


def _spawn(path, options, request):
    environment = {**os.environ, "PYTHONPATH": _search_path(), "PYTHONUNBUFFERED": "1"}
    with open(path / "log.txt", "ab") as log:
        log.write(f"$ {request['command']}\n".encode())
        log.flush()
        return subprocess.Popen(
            [sys.executable, "-m", "edm", *options], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            start_new_session=True, env=environment, cwd=request["cwd"] if os.path.isdir(request["cwd"]) else None,
        )  # fmt: skip


def _search_path() -> str:
    home = str(Path(__file__).resolve().parents[2])
    return os.pathsep.join(dict.fromkeys([home, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]))


def _enforce(run) -> None:
    """End a worker that was asked to stop and did not in time: with a signal, then with one that nobody hears."""
    request = places.load(places.request(run, places.newest(run), "stop")) or {}
    here = request.get("machine") == machine()
    waited = uptime() - request.get("uptime", 0) if here else time.time() - request.get("time", 0)
    grace = request.get("grace", GRACE)
    process, alone = reading.process_of(run)
    if process is not None and waited > grace:
        with suppress(PermissionError):  # of another user, who has to see to it
            process.signal(KILL if waited > grace * 4 / 3 else TERMINATE, group=alone)
