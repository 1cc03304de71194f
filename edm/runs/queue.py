"""The queue: which run starts next, on which device, and that it starts once, whoever looks after it.

Any server or command may call `advance`, at any time, also several at once. What keeps them apart is files that only
one can create (`places.create`), and that what is over never begins again.
"""

from __future__ import annotations

import os
import shutil
import time
import uuid
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edm.base import devices, flat
from edm.base.atomic import make, settle
from edm.base.errors import Refused
from edm.base.paths import expanded
from edm.files import names, saved
from edm.runs import beginnings, choice, clocks, launchers, lease, places, reading, seats, surroundings, turns
from edm.training import fitting
from edm.training.settings import Training

if TYPE_CHECKING:
    from edm.base.types import StrPath

GRACE = 30.0  # seconds from a stop request to SIGTERM, and a third of them more to SIGKILL
KEEP = 3


def start(
    settings: Training, folder: StrPath | None = None, device: str = "auto", name: str | None = None,
    keep: int | None = KEEP, owner: str | None = None, launcher: str = launchers.LOCAL, needs: int | None = None,
    together: Sequence[str] = (),
) -> Path:  # fmt: skip
    """Make the directory of a new run and put it into the queue; `advance` starts it. Returns the directory.

    folder: of all runs. device: auto, cpu, cuda:1, or several: cuda*2, cpu*2; name: None for the dataset's with a
    number. keep: so many of the newest checkpoints are kept, and the best. owner: any text, for whoever asked.
    launcher: a name of `edm.runs.launchers.LAUNCHERS`. needs: bytes of memory that it takes of each GPU, if that is
    known; it waits for as much. together: names of runs, its own too, that train in turns where there is one device for
    them (`edm.runs.turns`). Raises ValueError for names and devices that cannot be, and names that are taken.
    """
    from edm.data.sources import placed, shape_of

    fitting.check(settings, shape_of(settings.data))
    folder, settings = names.runs_folder(folder), settings.changed(data=placed(settings.data).model_dump())
    request = _request(settings, device, keep, owner, launcher, needs, together)
    options = passable(["train", *flat.options(settings), *_kept(keep)])
    path = _new(folder, name, settings.data.dataset)
    try:
        beginnings.lay_out(path, settings)
        ask(path, 1, request, [*options, f"--out={path.absolute()}"])
    except BaseException:
        shutil.rmtree(path, ignore_errors=True)
        raise
    return path


def resume(
    run: StrPath, owner: str | None = None, device: str | None = None, accept_data: bool = False, look: bool = False,
    **changes: Any,
) -> Path:  # fmt: skip
    """Put a run that is over into the queue again: it goes on from its last whole checkpoint, bit for bit;
    on a GPU to rounding, unless its settings are `deterministic`.

    changes: fields to change, as on the command line (images="400000", lr="1e-4"). device: None for the same.
    accept_data: though its data are not the same any more. look: whether they are is looked at now already, which takes
    a while for many images; else the run says so when it begins.
    A run without a checkpoint begins anew. Raises ValueError if the run is not over, or cannot go on like that.
    """
    run = expanded(run)
    found, last = reading.read(run, details=False), places.newest(run)
    if not found.over:
        raise Refused(f"the run {run.name!r} is {found.state}; only one that is over can be resumed")
    if found.state == "finished" and "images" not in changes:
        raise Refused(f"the run {run.name!r} has finished; give it more images to go on: --images")
    before = places.read(places.request(run, last, "start"))
    keep = before.get("keep", places.read(run / "status.json").get("keep", KEEP))
    # those of a beginning that never reached a checkpoint would be lost
    changes = {**before.get("changes", {}), **{name: str(value) for name, value in changes.items()}}
    if "path" in changes:
        changes["path"] = os.path.abspath(expanded(changes["path"]))
    if found.checkpoint is None and saved.checkpoints(run):
        raise Refused(f"{saved.missing(run)}; move what is in its checkpoints folder away, and resuming begins anew")
    settings = beginnings.settings_of(run, changes, found.checkpoint)
    if found.state == "finished" and settings.images <= found.images:
        raise Refused(f"images = {settings.images}: the run {run.name!r} has seen {found.images}; give it more")
    device = _asked_device(run, found, before) if device is None else device
    if look and found.checkpoint and not accept_data:
        beginnings.look(settings, found.checkpoint)
    owner, launcher = owner or before.get("owner"), before.get("launcher", launchers.LOCAL)
    needs = None if changes else before.get("bytes")
    request = _request(settings, device, keep, owner, launcher, needs, before.get("turns") or ())
    where = run.absolute()
    origin = [f"--resume={where}"] if found.checkpoint else [f"--config={where / 'config.json'}", f"--out={where}"]
    options = passable(["train", *origin, *_kept(keep), *(f"--{k}={v}" for k, v in changes.items())])
    options += ["--accept-data"] if accept_data else []
    (run / "requests").mkdir(exist_ok=True)
    lease.seize(found)
    ask(run, last + 1, {**request, "changes": changes, "accept_data": accept_data}, options)
    return run


def stop(run: StrPath, grace: float = GRACE) -> None:
    """Ask a run to end, with a checkpoint. `advance` sees to it that it does, `grace` seconds later by force."""
    run = expanded(run)
    if not 0 <= grace < float("inf"):
        raise Refused(f"grace = {grace:g}: must be a number of seconds, 0 or more")
    state, number = reading.read(run, details=False).state, places.newest(run)
    if state in (*reading.LIVE, "queued") and number:
        places.create(places.request(run, number, "stop"), {**clocks.now(), "grace": grace})


def pause(run: StrPath) -> None:
    """Ask a run to hold, with a checkpoint: it keeps its device and its memory, and computes nothing.

    Raises ValueError unless it runs.
    """
    run = expanded(run)
    if places.is_task(run):
        raise Refused(f"{places.called(run)} is a task, which is not paused; stop it, and resume it when you like")
    state = reading.read(run, details=False).state
    if state not in ("running", "paused"):
        raise Refused(f"the run {run.name!r} is {state}; only one that runs can be paused")
    places.create(places.request(run, places.newest(run), "pause"), clocks.now())


def unpause(run: StrPath) -> None:
    """Let a run that was asked to hold go on."""
    places.request(run, places.newest(run), "pause").unlink(missing_ok=True)


def advance(folder: StrPath | None = None, at_once: int = 1) -> list[Path]:
    """Start what the queue of this machine allows, and end what was asked to end. Returns the runs it has started.

    at_once: places of each device. Idempotent, quick, and safe to call from anywhere, again and again.
    Raises OSError, when all others have had their turn, if a run could not be started; it goes on waiting.
    """
    folder, begun, failed, awaited = names.runs_folder(folder), [], [], set()
    runs = reading.all_work(folder)
    for run in runs:
        if run.state == "stopping":
            _enforce(run)
    queued = sorted((r for r in runs if r.state == "queued"), key=lambda r: (r.asked or 0, r.name))
    here = choice.Machine(runs if queued else ())
    for run in queued:
        request = places.read(places.request(run.folder, run.number, "start"))
        if request.get("host") != clocks.host():
            continue
        offer = here.offer(request)
        _say_why(run, offer.waits)
        offer = offer.without(awaited)
        if len(offer.seats) < offer.needed:
            continue
        try:
            if taken := _begin(folder, run, request, offer, at_once):
                begun.append(run.folder)
                here.begun(request, [offer.seats[place] for place in taken])
            else:
                awaited.update(offer.seats.values())  # so that a run on several GPUs has its turn, too
        except OSError as error:
            failed.append(error)
    if failed:
        raise failed[0]
    return begun


def _new(folder, name, dataset) -> Path:
    make(folder)
    number, given = 1, name is not None
    while True:
        path = folder / names.check_name(name if given else f"{dataset}-{number}")
        try:
            path.mkdir()
        except FileExistsError:
            if given:
                raise Refused(f"there is a run {name!r} in {folder} already; give another name") from None
            number += 1
        else:
            settle(folder)
            return path


def _request(settings, device, keep, owner, launcher, needs, together) -> dict:
    """What is asked for."""
    if keep is not None and keep < 1:
        raise Refused(f"keep = {keep}: must be 1 or more")
    request = requested(device, owner, launcher, settings.images if settings.minutes is None else None)
    fitting.shares(settings, devices.count(request["device"]))
    shared = {"turns": [*together]} if together else {}
    return {**request, "keep": keep, "best": keep is not None, "bytes": needs, **shared}


def requested(device: str, owner: str | None, launcher: str, total: int | None) -> dict:
    """What is asked for of any work: where, by whom, how much. Raises ValueError for a device that cannot be."""
    known = launchers.named({"launcher": launcher}).places()
    device, gpus = devices.named(device, known)
    where = {"launcher": launcher, "host": clocks.host(), "device": device, "gpus": gpus, "places": known}
    return {**clocks.now(), "id": uuid.uuid4().hex, **where, "owner": owner, "total": total, **surroundings.ours()}


def _asked_device(run, found, before) -> str:
    """The device that was asked for a run the last time; of one that a terminal has trained on several, those."""
    taken = places.read(places.request(run, found.number, "taken"))
    several = found.device if devices.count(found.device or "") > 1 else None
    return before.get("device") or several or taken.get("device") or found.device or "auto"


def _kept(keep) -> list[str]:
    return [] if keep is None else [f"--keep={keep}", "--keep-best"]


def passable(options: list[str]) -> list[str]:
    """Options that a process can be given. Raises ValueError for others."""
    for option in options:
        try:
            passable = b"\0" not in os.fsencode(option)
        except UnicodeEncodeError:
            passable = False
        if not passable:
            raise Refused(f"{option!r:.80}: there is a letter in it that no path and no name has")
    return options


def ask(run: Path, number: int, request: dict, options: list[str]) -> None:
    """Ask for the n-th beginning. options: with which a person would train the same in a terminal."""
    command = {"command": launchers.command(options, request["device"])}
    if not places.create(places.request(run, number, "start"), {**request, **command}):
        raise Refused(f"the run {places.called(run)!r} has just been resumed by somebody else")


def _say_why(run, sentence) -> None:
    """Leave word why a run waits that is not waiting for its turn alone."""
    path = places.request(run.folder, run.number, "waits")
    with suppress(OSError):
        if sentence is None:
            path.unlink(missing_ok=True)
        elif places.read(path).get("sentence") != sentence:
            places.write(path, {"sentence": sentence}, durable=False)


def _begin(folder, run, request, offer, at_once) -> list[str]:
    """Start a queued run where as many places as it needs are free, or with which it takes turns. Returns those."""
    holder = {**launchers.claim(), "run": run.name, "number": run.number, "id": request["id"]}
    holder |= {"turns": request["turns"]} if request.get("turns") else {}
    held, begun = seats.take(folder, offer.seats, offer.needed, at_once, holder), False
    try:
        shared = devices.count(request["device"]) > 1 and offer.needed == 1  # processes on the CPU share the one
        place = request["device"] if shared else "+".join(sorted(held, key=lambda name: (len(name), name)))
        begun = bool(held) and _submit(run, launchers.named(request), place, at_once)
    finally:
        if not begun:
            seats.release(held)
    beside = "" if held or offer.needed > 1 else turns.shared(run.folder, offer.seats)
    if beside and _submit(run, launchers.named(request), beside, at_once, beside=True):
        return [beside]
    return [*held] if begun else []


def _submit(run, launcher, place, at_once, **how) -> bool:
    """Have the worker of a run started. False if another has done so, or the run has been deleted.

    at_once: with which the worker shall advance the queue when it ends. beside: it has no seat of its own.
    """
    taken = places.request(run.folder, run.number, "taken")
    try:
        if not places.create(taken, {**launchers.claim(), "at_once": at_once, "place": place, **how}):
            return False
    except FileNotFoundError:
        return False
    try:
        handle = launcher.submit(run.folder, place)
    except (OSError, Refused) as error:
        taken.unlink(missing_ok=True)
        raise OSError(f"the run {run.name!r} cannot be started, and waits: {error}") from error
    with suppress(OSError):  # on a full disk its status will tell
        places.create(places.request(run.folder, run.number, "worker"), {**handle, "time": time.time()})
    return True


def _enforce(run) -> None:
    """End a worker that was asked to stop and did not in time: first it is asked, then it is not."""
    request = places.read(places.request(run.folder, run.number, "stop"))
    waited, grace = clocks.since(request), request.get("grace", 0)
    launcher = launchers.launcher_of(run.folder)
    leader, fellows = reading.workers(run.folder)
    if waited <= grace or not launcher.alive(leader):
        return
    if waited > grace * 4 / 3:
        for handle in (leader, *fellows):
            launcher.end(handle, force=True)
    elif places.create(places.request(run.folder, run.number, "term"), clocks.now()):
        launcher.end(leader)
