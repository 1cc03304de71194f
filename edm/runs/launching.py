"""Beginning and ending the worker of a run: a process in a session of its own, which outlives whoever started it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from edm.base import devices
from edm.files.resources import CODE
from edm.runs import places, reading
from edm.runs.processes import KILL, TERMINATE, machine, this, uptime

NICE = 10
_CHANGED = ("CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS")  # by us and by torchrun, for one run and not for the next
_ORIGINAL = "EDM_ENVIRONMENT"
_ADDED = (  # by torchrun
    *(
        "RANK",
        "WORLD_SIZE",
        "LOCAL_RANK",
        "LOCAL_WORLD_SIZE",
        "GROUP_RANK",
        "GROUP_WORLD_SIZE",
        "ROLE_NAME",
        "ROLE_RANK",
    ),
    *("ROLE_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT", "TORCHELASTIC_USE_AGENT_STORE"),
)


def now() -> dict:
    """The moment by every clock there is: `uptime` is for this machine, `time` for people and for other machines."""
    return {"machine": machine(), "uptime": uptime(), "time": time.time()}


def module(device: str) -> list[str]:
    """What of Python trains on the device: `python -m …`."""
    several = devices.count(device)
    torchrun = ["torch.distributed.run", "--standalone", f"--nproc_per_node={several}", "-m"]
    return [*(torchrun if several > 1 else []), "edm"]


def launch(run, number: int, request: dict, chosen: list[str], at_once: int) -> bool:
    """Start the worker of a run on the chosen devices. False if another has done so, or the run has been deleted.

    at_once: with which the worker shall advance the queue when it ends.
    """
    taken = places.request(run, number, "taken")
    try:
        if not places.create(taken, {**now(), "process": vars(this()), "at_once": at_once}):
            return False
    except FileNotFoundError:
        return False
    arguments = [*module(request["device"]), *request["options"], f"--beginning={number}"]
    try:
        process = _spawn(run, arguments, request, chosen)
    except (OSError, ValueError) as error:
        taken.unlink(missing_ok=True)
        raise OSError(f"the run {run.name!r} cannot be started, and waits: {error}") from error
    with suppress(OSError):  # so that a system without memory ends this process, and not the page
        Path(f"/proc/{process.pid}/oom_score_adj").write_text("500")
    with suppress(OSError, AttributeError):  # and that the page answers at once, though all cores are busy
        os.setpriority(os.PRIO_PGRP, process.pid, NICE)
    with suppress(OSError):  # on a full disk its status will tell
        places.create(places.request(run, number, "worker"), {**vars(this(process.pid)), "time": time.time()})
    threading.Thread(target=process.wait, name="reaper", daemon=True).start()
    return True


def _spawn(run, arguments, request, chosen):
    with open(run / "log.txt", "ab") as log:
        log.write(f"{reading.PROMPT}{request['command']}\n".encode())
        log.flush()
        return subprocess.Popen(
            [sys.executable, "-m", *arguments], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            start_new_session=True, env=_environment(chosen), cwd=_existing(request.get("cwd")),
        )  # fmt: skip


def _existing(folder):
    return folder if folder and os.path.isdir(folder) else None


def _environment(chosen) -> dict[str, str]:
    """Our environment, or what it was before one run was started in it that now starts the next."""
    hidden = [name for name in os.environ if "PASSWORD" in name.upper()]  # /proc shows a worker's variables
    environment = {name: value for name, value in os.environ.items() if name not in (*_ADDED, *hidden)}
    original = json.loads(environment.get(_ORIGINAL) or "null") or {name: os.environ.get(name) for name in _CHANGED}
    for name, value in original.items():
        environment.pop(name, None)
        environment |= {} if value is None else {name: value}
    if len(chosen) > 1:
        environment["CUDA_VISIBLE_DEVICES"] = devices.visible(chosen, environment.get("CUDA_VISIBLE_DEVICES"))
    home = str(CODE)
    search = [home, *filter(None, environment.get("PYTHONPATH", "").split(os.pathsep))]
    extra = {"PYTHONPATH": os.pathsep.join(dict.fromkeys(search)), "PYTHONUNBUFFERED": "1"}
    extra["EDM_TRACEBACK"] = "1"  # into its log
    return {**environment, **extra, _ORIGINAL: json.dumps(original)}


def enforce(run) -> None:
    """End a worker that was asked to stop and did not in time: with a signal, then with one that nobody hears."""
    number = places.newest(run)
    request = places.load(places.request(run, number, "stop"))
    here = request.get("machine") == machine()
    waited = uptime() - request.get("uptime", 0) if here else time.time() - request.get("time", 0)
    grace = request.get("grace", 0)
    leader, followers, alone = reading.processes_of(run)
    if leader is None or not leader.local or waited <= grace:
        return
    with suppress(PermissionError):  # of another user, who has to see to it
        if waited > grace * 4 / 3:
            for process in (leader, *followers):
                process.signal(KILL, group=alone)
        elif places.create(places.request(run, number, "term"), now()):
            leader.signal(TERMINATE, group=alone)
