"""Estimates in a process of their own, one for each: what it has tried ends with it, and it can be given up.

It begins at once (`app.work.forks`).
"""

from __future__ import annotations

import os
import pickle
import time
from contextlib import suppress
from typing import Any

from app.training.estimates import GivenUp, wanted
from app.work import forks
from edm.training import estimate as estimates
from edm.training.estimate import Estimate
from edm.training.settings import Training

LOOK = 0.05  # seconds between two looks whether somebody still wants it
LONGEST = 90.0  # seconds
NICE = 5

forks.load(__name__, "app.training.warm")


def estimate(settings: Training, device: str = "auto") -> Estimate:
    """`edm.training.estimate.estimate`, elsewhere. What it raises is raised here; GivenUp: nobody wants it any more,
    or it takes too long. If its process is killed, as by a system without memory, it is counted, and nothing tried."""
    try:
        return elsewhere(settings, device, trial=True)
    except EOFError:
        return elsewhere(settings, device, trial=False)


def elsewhere(settings: Training, device: str, trial: bool) -> Estimate:
    """`edm.training.estimate.estimate` in a new process. Raises what it raises; EOFError if it ends without a word."""
    receiving, sending = forks.CONTEXT.Pipe(duplex=False)
    process = forks.begin(_answer, sending, settings.model_dump_json(), device, trial, name="estimate")
    sending.close()
    due = time.monotonic() + LONGEST
    try:
        while not receiving.poll(LOOK):
            if not wanted() or time.monotonic() > due:
                raise GivenUp("the estimate was given up")
        found = receiving.recv()
    finally:
        receiving.close()
        process.kill()
        process.join()
    if isinstance(found, BaseException):
        raise found
    return found


def _answer(sending, text, device, trial) -> None:
    """What the process does."""
    with suppress(AttributeError, OSError):
        os.nice(NICE)
    try:
        found: Any = estimates.estimate(Training.parse(text), device, trial=trial)
    except Exception as error:
        found = error
    try:
        sending.send(found)
    except (pickle.PicklingError, TypeError, AttributeError):
        sending.send(RuntimeError(f"{type(found).__name__}: {found}"))
