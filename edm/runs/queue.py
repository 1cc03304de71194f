"""The queue: which run starts next, on which device, and that it starts once, whoever looks after it.

Any server or command may call `advance`, at any time, also several at once. What keeps them apart is files that only
one can create (`places.create`), and that what is over never begins again:

.queue/<machine>/<device>.<place>/<n>.json    the n-th holder of a place; n + 1 is given out when n's run is over

A launcher that dies between two of its steps leaves a holder whose launcher is gone, which counts as over.
"""

from __future__ import annotations

import os
import shlex
import shutil
import uuid
from pathlib import Path

from edm.base import devices, flat
from edm.base.atomic import make, settle
from edm.base.errors import Refused
from edm.files import saved
from edm.runs import launching, lease, places, reading
from edm.runs.processes import Process, this

GRACE = 30.0  # seconds from a stop request to SIGTERM, and a third of them more to SIGKILL
KEEP = 3
_HOLDERS_KEPT = 32


def start(settings, folder=None, device: str = "auto", name: str | None = None, keep: int = KEEP, owner=None) -> Path:
    """Make the directory of a new run and put it into the queue; `advance` starts it. Returns the directory.

    settings: `edm.Training`. folder: of all runs. device: auto, cpu, cuda:1, or several: cuda*2, cpu*2; name: None for
    the dataset's with a number. keep: so many of the newest checkpoints are kept, and the best. owner: any text, for
    whoever asked. Raises ValueError for names and devices that cannot be, and names that are taken.
    """
    from edm.data.sources import placed, shape_of
    from edm.training import fitting

    fitting.check(settings, shape_of(settings.data))
    folder, settings = places.runs_folder(folder), settings.changed(data=placed(settings.data).model_dump())
    request = _request(settings, folder, device, keep, owner)
    flags = flat.command("train", settings, f"--device={devices.option(request['device'])}", *_kept(keep))
    options = _passable(shlex.split(flags)[3:])
    path = _new(folder, name, settings.data.dataset)
    try:
        places.write(path / "config.json", settings.document(complete=True))
        _ask(path, 1, {**request, "options": [*options, f"--out={path.absolute()}"]})
    except BaseException:
        shutil.rmtree(path, ignore_errors=True)
        raise
    return path


def resume(
    run, owner=None, device: str | None = None, accept_data: bool = False, look: bool = False, **changes
) -> Path:
    """Put a run that is over into the queue again: it goes on from its last whole checkpoint, bit for bit.

    changes: fields to change, as on the command line (images="400000", lr="1e-4"). device: None for the same.
    accept_data: though its data are not the same any more. look: whether they are is looked at now already, which takes
    a while for many images; else the run says so when it begins.
    A run without a checkpoint begins anew. Raises ValueError if the run is not over, or cannot go on like that.
    """
    run = Path(run)
    found, last = reading.read(run, details=False), places.newest(run)
    if not found.over:
        raise Refused(f"the run {run.name!r} is {found.state}; only one that is over can be resumed")
    if found.state == "finished" and "images" not in changes:
        raise Refused(f"the run {run.name!r} has finished; give it more images to go on: --images")
    before = places.load(places.request(run, last, "start"))
    keep = before.get("keep", places.load(run / "status.json").get("keep", KEEP))
    # those of a beginning that never reached a checkpoint would be lost
    changes = {**before.get("changes", {}), **{name: str(value) for name, value in changes.items()}}
    if "path" in changes:
        changes["path"] = os.path.abspath(changes["path"])
    if found.checkpoint is None and saved.checkpoints(run):
        raise Refused(f"{saved.missing(run)}; move what is in its checkpoints folder away, and resuming begins anew")
    settings = _changed(found, changes)
    device = found.device or "auto" if device is None else device
    if look and found.checkpoint and not accept_data:
        _look(settings, found.checkpoint)
    request = _request(settings, run.parent, device, keep, owner or before.get("owner"))
    where = run.absolute()
    origin = [f"--resume={where}"] if found.checkpoint else [f"--config={where / 'config.json'}", f"--out={where}"]
    options = [f"--device={devices.option(request['device'])}", *_kept(keep)]
    options = _passable(["train", *origin, *options, *(f"--{k}={v}" for k, v in changes.items())])
    options += ["--accept-data"] if accept_data else []
    (run / "requests").mkdir(exist_ok=True)
    lease.seize(found)
    _ask(run, last + 1, {**request, "options": options, "changes": changes})
    return run


def stop(run, grace: float = GRACE) -> None:
    """Ask a run to end, with a checkpoint. `advance` sees to it that it does, `grace` seconds later by force."""
    run = Path(run)
    if not 0 <= grace < float("inf"):
        raise Refused(f"grace = {grace:g}: must be a number of seconds, 0 or more")
    state, number = reading.read(run, details=False).state, places.newest(run)
    if state in (*reading.LIVE, "queued") and number:
        places.create(places.request(run, number, "stop"), {**launching.now(), "grace": grace})


def pause(run) -> None:
    """Ask a run to hold, with a checkpoint: it keeps its device and its memory, and computes nothing.

    Raises ValueError unless it runs.
    """
    run = Path(run)
    state = reading.read(run, details=False).state
    if state not in ("running", "paused"):
        raise Refused(f"the run {run.name!r} is {state}; only one that runs can be paused")
    places.create(places.request(run, places.newest(run), "pause"), launching.now())


def unpause(run) -> None:
    """Let a run that was asked to hold go on."""
    places.request(run, places.newest(run), "pause").unlink(missing_ok=True)


def advance(folder=None, at_once: int = 1) -> list[Path]:
    """Start what the queue of this machine allows, and end what was asked to end. Returns the runs it has started.

    at_once: places of each device. Idempotent, quick, and safe to call from anywhere, again and again.
    Raises OSError, when all others have had their turn, if a run could not be started; it goes on waiting.
    """
    folder, begun, failed, awaited = places.runs_folder(folder), [], [], set()
    runs = reading.all_runs(folder)
    for run in runs:
        if run.state == "stopping":
            launching.enforce(run.folder)
    for run in sorted((r for r in runs if r.state == "queued"), key=lambda r: (r.asked or 0, r.name)):
        request = places.load(places.request(run.folder, run.number, "start"))
        fitting, needed = devices.places(request.get("device") or "cpu", request.get("gpus") or 0)
        if request.get("host") != this().host or awaited.intersection(fitting):
            continue
        try:
            if _take(folder, run, request, fitting, needed, at_once):
                begun.append(run.folder)
            else:
                awaited.update(fitting)  # so that a run on several GPUs has its turn, too
        except OSError as error:
            failed.append(error)
    if failed:
        raise failed[0]
    return begun


def _new(folder, name, dataset) -> Path:
    make(folder)
    number, given = 1, name is not None
    while True:
        path = folder / places.check_name(name if given else f"{dataset}-{number}")
        try:
            path.mkdir()
        except FileExistsError:
            if given:
                raise Refused(f"there is a run {name!r} in {folder} already; give another name") from None
            number += 1
        else:
            for part in ("requests", "checkpoints", "samples"):
                (path / part).mkdir()
            settle(folder)
            return path


def _request(settings, folder, device, keep, owner) -> dict:
    """What is asked of a launcher, but for the options of the command."""
    from edm.training.loop import shares

    if keep is not None and keep < 1:
        raise Refused(f"keep = {keep}: must be 1 or more")
    device, gpus = devices.named(device, [run.device for run in reading.all_runs(folder) if not run.over])
    shares(settings, devices.count(device))
    asked = {"owner": owner, "keep": keep, "total": settings.images, "cwd": os.getcwd()}
    return {**launching.now(), "id": uuid.uuid4().hex, "host": this().host, "device": device, "gpus": gpus, **asked}


def _kept(keep) -> list[str]:
    return [] if keep is None else [f"--keep={keep}", "--keep-best"]


def _passable(options) -> list[str]:
    """Options that a process can be given. Raises ValueError for others."""
    for option in options:
        try:
            passable = b"\0" not in os.fsencode(option)
        except UnicodeEncodeError:
            passable = False
        if not passable:
            raise Refused(f"{option!r:.80}: there is a letter in it that no path and no name has")
    return options


def _changed(run, changes):
    """The settings of a run with the changes. Raises SettingsError if they do not fit."""
    from edm.experiments.documents import merged, read
    from edm.training.settings import Training

    document = places.load(run.folder / "config.json")
    if not document and run.checkpoint is None:
        raise Refused(f"the run {run.name!r} has lost its settings, and has no checkpoint yet; delete it")
    document = document or read(run.checkpoint, Training, "training")
    settings = Training.parse(merged(document, flat.unflatten(changes, Training)))
    if run.state == "finished" and settings.images <= run.images:
        raise Refused(f"images = {settings.images}: the run {run.name!r} has seen {run.images}; give it more")
    return settings


def _look(settings, checkpoint):
    """Raises OtherData if a run would go on with other data."""
    from edm.data.identity import OtherData
    from edm.data.sources import DataError, open_source
    from edm.data.split import divided
    from edm.files.checkpoints import read_header

    try:
        divided(open_source(settings.data), settings, read_header(checkpoint), checkpoint, False)
    except OtherData:
        raise
    except (DataError, OSError):
        return  # they may lie on the machine where it will run


def _ask(run, number, request):
    command = shlex.join(["python", "-m", *launching.module(request["device"]), *request["options"]])
    if not places.create(places.request(run, number, "start"), {**request, "command": command}):
        raise Refused(f"the run {run.name!r} has just been resumed by somebody else")


def _take(folder, run, request, fitting, needed, at_once) -> bool:
    """Start a queued run if as many devices as it needs have a free place."""
    holder = {**launching.now(), "run": run.name, "number": run.number, "id": request["id"], "process": vars(this())}
    held, begun = {}, False
    try:
        for device in fitting:
            if len(held) < needed and (place := _hold(folder, device, holder, at_once)):
                held[device] = place
        if len(held) == needed:
            begun = launching.launch(run.folder, run.number, request, list(held), at_once)
    finally:
        if not begun:
            for place in held.values():
                place.unlink(missing_ok=True)
    return begun


def _hold(folder, device, holder, at_once) -> Path | None:
    """Take a free place of the device."""
    for seat in range(at_once):
        seats = places.queue(folder) / f"{device.replace(':', '')}.{seat}"
        seats.mkdir(parents=True, exist_ok=True)
        last = max((saved.number(path, (".json",)) or 0 for path in seats.iterdir()), default=0)
        if last and not _is_over(folder, places.load(seats / f"{last:08}.json")):
            continue
        (seats / f"{last - _HOLDERS_KEPT:08}.json").unlink(missing_ok=True)
        if places.create(seats / f"{last + 1:08}.json", holder):
            return seats / f"{last + 1:08}.json"
    return None


def _is_over(folder, holder) -> bool:
    """Whether the holder of a place needs it no more; once that is so, it stays so."""
    path, number = folder / str(holder.get("run")), holder.get("number")
    start = places.load(places.request(path, number, "start")) if type(number) is int else {}
    if not start or start.get("id") != holder.get("id") or places.newest(path) > number:
        return True  # deleted, or resumed since, which only a run that is over can be
    if places.request(path, number, "taken").exists():
        return reading.read(path, details=False).over
    launcher = Process.parse(holder.get("process"))
    return launcher is None or not launcher.alive() or not reading.is_starting(holder)
