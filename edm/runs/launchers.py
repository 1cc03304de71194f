"""How a run's worker is started, watched and ended: the only place that knows.

A run is its folder. A launcher is told the folder, and starts `python -m edm train --run FOLDER` somewhere, or what
else is asked for there (`edm.runs.tasks`). What it
answers, the worker's *handle*, is a document that the run's folder keeps; whoever can read the folder can ask after the
worker by it, now or after a reboot. Everything else of runs (their queue, their states, who may write) knows handles
only, and would go on with a launcher of another kind in LAUNCHERS.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from edm.base import devices
from edm.base.errors import Refused
from edm.base.resources import CODE
from edm.runs import places, surroundings
from edm.runs.clocks import now
from edm.runs.processes import KILL, TERMINATE, Process, leads, this

if TYPE_CHECKING:
    from edm.base.types import StrPath

NICE = 10
RESTARTS = 16  # of several processes, which halve what they take at once (`edm.runs.retries`): as often as can be
PROMPT = "$ "  # before the command with which a beginning starts in the log


class Launcher(Protocol):
    """Handles are documents of its own making; `host` and `pid`, if they are in one, are shown to people."""

    def places(self) -> list[str]:
        """Where it can start workers: names, of which a run asks for one. It takes some time to find out."""
        ...

    def submit(self, folder: Path, place: str) -> dict:
        """Start the worker of the newest beginning of the run in `folder`; returns its handle.

        place: one of `places`, or several of them as "cuda:0+cuda:2", or "cpu*2", two processes on one. Raises OSError
        or ValueError if it cannot be.
        """
        ...

    def alive(self, run: dict) -> bool | None:
        """Whether the worker of a handle lives; None: that cannot be known from here. False for what is no handle."""
        ...

    def end(self, run: dict, force: bool = False) -> None:
        """Ask the worker of a handle to end, or end it by force. Nothing happens to one that is gone, or elsewhere."""
        ...

    def own(self, leader: bool = False) -> dict:
        """The handle of the process that calls this. leader: of the one that has started it and its fellows."""
        ...


class Processes:
    """Workers are processes of this machine, in sessions of their own, which outlive whoever started them."""

    def places(self) -> list[str]:
        """The CPU, and each GPU."""
        import torch

        apple = ["mps"] if torch.backends.mps.is_available() else []
        return ["cpu", *(f"cuda:{k}" for k in range(torch.cuda.device_count())), *apple]

    def submit(self, folder: Path, place: str) -> dict:
        """See `Launcher`. What the worker says goes into the run's log.txt."""
        folder, chosen = Path(folder), place.split("+")
        number = places.newest(folder)
        request = places.read(places.request(folder, number, "start"))
        several = max(len(chosen), devices.count(place))
        *torchrun, edm = module(several)
        kind = str(request.get("kind", "train"))
        if torchrun:  # -- lest it looks for itself in our options
            again = [f"--max-restarts={RESTARTS}"] if kind == "train" else []
            torchrun = [*torchrun[:-1], *again, torchrun[-1], "--"]
        arguments = [*torchrun, edm, kind, f"--run={folder.absolute()}", f"--beginning={number}"]
        with open(folder / "log.txt", "ab") as log:
            log.write(f"{PROMPT}{request.get('command', '')}\n".encode())
            log.flush()
            process = subprocess.Popen(
                [sys.executable, "-m", *arguments], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=environment(chosen, request.get("environment")), cwd=_existing(request.get("cwd")),
                **_apart(request.get("umask")),
            )  # fmt: skip
        with suppress(OSError):  # so that a system without memory ends this process, and not the page
            Path(f"/proc/{process.pid}/oom_score_adj").write_text("500")
        with suppress(OSError, AttributeError):  # and that the page answers at once, though all cores are busy
            os.setpriority(os.PRIO_PGRP, process.pid, NICE)
        threading.Thread(target=process.wait, name="reaper", daemon=True).start()
        return {**vars(this(process.pid)), "alone": True}

    def alive(self, run: dict) -> bool | None:
        """The kernel of this machine knows; of another machine's processes nobody does."""
        process = Process.parse(run)
        return False if process is None else process.alive() if process.local else None

    def end(self, run: dict, force: bool = False) -> None:
        """With a signal that is heard, or with one that nobody hears; to all of its group, where that is its own."""
        process = Process.parse(run)
        if process is not None:
            with suppress(PermissionError):  # of another user, who has to see to it
                process.signal(KILL if force else TERMINATE, group=bool(run.get("alone")))

    def own(self, leader: bool = False) -> dict:
        """Of torchrun's processes the leader is torchrun."""
        process = this(os.getppid() if leader else None)
        return {**vars(process), "alone": leads(process.pid)}


class Unknown:
    """A launcher that is not known here, but was where the run was asked for: its workers are somewhere."""

    def __init__(self, name: str):
        self._name = name

    def places(self) -> list[str]:
        return []

    def submit(self, folder: Path, place: str) -> dict:
        raise Refused(f"the launcher {self._name!r} is not known here; there is {', '.join(LAUNCHERS)}")

    def alive(self, run: dict) -> bool | None:
        return None

    def end(self, run: dict, force: bool = False) -> None:
        return None

    def own(self, leader: bool = False) -> dict:
        return {}


LAUNCHERS: dict[str, Launcher] = {"processes": Processes()}
LOCAL = "processes"  # of runs that say nothing of a launcher, such as those that a terminal trains


def launcher_of(folder: StrPath) -> Launcher:
    """The launcher of the newest beginning of the run in a folder."""
    return named(places.read(places.request(folder, places.newest(folder), "start")))


def named(request: dict) -> Launcher:
    """The launcher that a request names."""
    name = str(request.get("launcher", LOCAL))
    return LAUNCHERS[name] if name in LAUNCHERS else Unknown(name)


def claim() -> dict:
    """Who takes something upon itself, and when: this process, now."""
    return {**now(), "process": LAUNCHERS[LOCAL].own()}


def module(several: int) -> list[str]:
    """What of Python trains in so many processes: `python -m …`."""
    torchrun = ["torch.distributed.run", "--standalone", f"--nproc_per_node={several}", "-m"]
    return [*(torchrun if several > 1 else []), "edm"]


def command(words: Sequence[str], device: str = "auto") -> str:
    """With which a person does the same in a terminal, quoted for a shell. words: train, and its options. device: as a
    run is asked for; on several, torchrun starts a process for each."""
    where = () if device == "auto" else (f"--device={devices.option(device)}",)
    place = [word for word in words if word.startswith("--out=")]  # which stands last
    rest = [word for word in words if word not in place]
    return shlex.join(["python", "-m", *module(devices.count(device)), *rest, *where, *place])


def environment(chosen: list[str], asked: object = None) -> dict[str, str]:
    """A worker's environment on the chosen devices. asked: variables of whoever asked for the run, whose names for the
    devices these are; None: of a run that says nothing of them."""
    variables = surroundings.inherited(os.environ, asked)
    if len(chosen) > 1:
        variables["CUDA_VISIBLE_DEVICES"] = devices.visible(chosen, variables.get("CUDA_VISIBLE_DEVICES"))
    variables.setdefault("CUDA_DEVICE_ORDER", "PCI_BUS_ID")  # as NVML counts, by which devices are chosen
    home = str(CODE)
    search = [home, *filter(None, variables.get("PYTHONPATH", "").split(os.pathsep))]
    extra = {"PYTHONPATH": os.pathsep.join(dict.fromkeys(search)), "PYTHONUNBUFFERED": "1"}
    return {**variables, **extra, "EDM_TRACEBACK": "1"}  # into its log


def _apart(umask) -> dict:
    """What keeps a worker alive when the terminal that has started it closes, and its files as readable as they were to
    be (umask)."""
    if sys.platform == "win32":  # which knows no sessions, and gives a process its rank when it begins
        alone = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
        return {"creationflags": alone | subprocess.BELOW_NORMAL_PRIORITY_CLASS}
    return {"start_new_session": True, "umask": umask if type(umask) is int and 0 <= umask <= 0o777 else -1}


def _existing(folder):
    return folder if folder and os.path.isdir(folder) else None
