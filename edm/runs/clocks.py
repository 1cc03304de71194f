"""Which machine this is, and moments by clocks that nobody sets."""

from __future__ import annotations

import math
import os
import socket
import time
from functools import lru_cache
from pathlib import Path


@lru_cache(maxsize=1)
def machine() -> str:
    """This boot of this kernel, and the namespace in which its process numbers hold."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}:{os.stat('/proc/self/ns/pid').st_ino}"
    except OSError:
        return socket.gethostname()


def host() -> str:
    """The name of this machine, for people."""
    return socket.gethostname()


def uptime() -> float:
    """Seconds of a clock that every process of this machine shares and nobody sets."""
    return time.monotonic()  # of the machine, not of this process, on every system there is


def lasting() -> float:
    """The same of a clock that goes on while the machine sleeps, where it has one."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


def now() -> dict:
    """The moment by every clock there is: `uptime` is for this machine, `time` for people and for other machines."""
    return {"machine": machine(), "uptime": uptime(), "time": time.time()}


def since(moment: dict) -> float:
    """Seconds since a moment that `now` has told, here or on another machine."""
    here = moment.get("machine") == machine()
    then = moment.get("uptime" if here else "time")
    seconds = then if isinstance(then, int | float) and math.isfinite(then) else 0.0
    return (uptime() if here else time.time()) - seconds
