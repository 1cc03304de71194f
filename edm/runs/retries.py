"""A step that does not fit into memory is tried again with half as many images at once (micro_batch), and so on.

One process does that by itself. Of several, all have to begin anew: whichever is out of memory first asks for the run's
next beginning, and ends; torchrun, as our launcher starts it, then starts all of them again, and they take it.
"""

from __future__ import annotations

import gc
import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from edm.base.devices import out_of_memory
from edm.runs import launchers, places
from edm.runs.failures import fewer_at_once
from edm.training.events import BUILDING, DRAWING
from edm.training.settings import Training


def smaller(error: BaseException, settings: Training, share: int | None = None) -> Training | None:
    """The settings with which a run may go on that was ended by this error; None: that would not help.

    share: a device's images of a step.
    """
    in_a_step = not {BUILDING, DRAWING}.intersection(getattr(error, "__notes__", ()))
    fewer = fewer_at_once(settings, share) if in_a_step and out_of_memory(error) else None
    return None if fewer is None else settings.changed(micro_batch=fewer)


def sentence(settings: Training, checkpoint: Path | None) -> str:
    """What is said when a run goes on like that. checkpoint: from which; None: it begins anew."""
    place = f"it goes on from {checkpoint.name}" if checkpoint else "it began anew"
    return f"a step did not fit into memory: {place} with micro_batch = {settings.micro_batch}"


def let_go() -> None:
    """Give back what nobody holds any more, on the GPU, too."""
    import torch

    gc.collect()
    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()


def restarts() -> tuple[int, int]:
    """(how often torchrun has started this process's group again, how often it would); (0, 0) without torchrun."""
    count, most = (os.environ.get(f"TORCHELASTIC_{name}", "0") for name in ("RESTART_COUNT", "MAX_RESTARTS"))
    return (int(count), int(most)) if count.isdecimal() and most.isdecimal() else (0, 0)


def hand_over(folder: Path, number: int, settings: Training | None) -> bool:
    """Whether this process, one of several in the n-th beginning, shall `leave`, as all of them begin anew: because
    another one has asked for that, or, with these settings, this one does. False: nobody would start them again, as of
    a run that no queue has started."""
    if places.going_on(folder, number) != number:
        return True
    if settings is None:
        return False
    count, most = restarts()
    start, taken = (places.read(places.request(folder, number, what)) for what in ("start", "taken"))
    if not start or count >= most:
        return False
    again = {**taken, **launchers.claim(), "again": number, "restart": count + 1}
    if places.create(places.request(folder, number + 1, "taken"), again):  # else another process has been quicker
        changes = {**(start.get("changes") or {}), "micro_batch": str(settings.micro_batch)}
        leader = launchers.named(start).own(leader=True)
        places.create(places.request(folder, number + 1, "start"), {**start, "changes": changes})
        places.create(places.request(folder, number + 1, "worker"), {**leader, "time": time.time()})
    return True


def leave(settings: Training | None) -> NoReturn:
    """End this process, one of several, at once: it may be waiting for others that wait for it. settings: those that
    it has asked for."""
    with suppress(OSError, ValueError):
        if settings is not None:
            micro = settings.micro_batch
            print(f"a step did not fit into memory: all begin again with micro_batch = {micro}", file=sys.stderr)
        sys.stderr.flush()
    os._exit(1)


def number_of(folder: Path, number: int) -> int | None:
    """Which beginning a process shall train that was started for the n-th: that one, or, after `hand_over`, the one
    that goes on for it. None: it was started again for nothing, as the run has ended in another way."""
    count, _ = restarts()
    if not count:
        return number
    newest = places.newest(folder)
    taken = places.read(places.request(folder, newest, "taken"))
    return newest if places.going_on(folder, number) == newest and taken.get("restart") == count else None
