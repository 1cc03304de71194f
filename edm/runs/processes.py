"""Which process is meant: a number alone is not enough, for numbers are given out again.

A process is told by its machine (this boot of this kernel, and its namespace of process numbers), its number, and the
moment it began, in the kernel's ticks since boot: a clock that nobody sets.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

LEASE = 30.0  # seconds for which a worker may write after a sign of life (see edm.runs.lease)
CACHE = 60.0  # seconds for which a machine may see files as they were (NFS's default)
SLACK = 30.0  # seconds that a write which has begun in time may take
SILENCE = LEASE + CACHE + SLACK  # after which, without a heartbeat, a process on another machine counts as gone
_REMEMBERED = 1000  # processes of other machines


@dataclass(frozen=True)
class Process:
    """host: for people; machine: tells whether `pid` means anything here; began: text that only it has."""

    host: str
    machine: str
    pid: int
    began: str

    @classmethod
    def parse(cls, document) -> Process | None:
        """From JSON data; None if it is not a process."""
        try:
            return cls(*(kind(document[name]) for name, kind in _FIELDS.items()))
        except (KeyError, TypeError, ValueError, OverflowError):
            return None

    @property
    def local(self) -> bool:
        return self.machine == machine()

    def alive(self, heartbeat: float | None = None) -> bool:
        """Whether it still runs. Here the kernel knows; elsewhere its last sign of life (time.time()) has to do."""
        if self.local:
            return began(self.pid) == self.began
        return heartbeat is not None and _EAR.hears(self, heartbeat)

    def signal(self, number: int, group: bool) -> bool:
        """Send a signal to it, or to the group that it leads. False, and nothing is sent, if it is gone."""
        if not self.local or self.pid <= 1 or not self.alive():
            return False
        try:
            if group and os.getpgid(self.pid) == self.pid:
                os.killpg(self.pid, number)
            else:
                os.kill(self.pid, number)
        except ProcessLookupError:
            return False
        return True


class _Ear:
    """Hears whether processes of other machines give signs of life. Clocks of two machines may differ by hours, so
    that only at first theirs is compared with ours; from then on it counts when the sign has changed."""

    def __init__(self):
        self._lock, self._last = threading.Lock(), {}

    def hears(self, process: Process, heartbeat: float) -> bool:
        with self._lock:
            known, when, changed = self._last.get(process, (None, 0.0, 0.0))
            if known is None:
                when, changed = uptime() - min(abs(time.time() - heartbeat), SILENCE), uptime()
                if len(self._last) >= _REMEMBERED:
                    self._last.clear()
            elif known != heartbeat:
                when = changed = uptime()
            self._last[process] = heartbeat, when, changed
            return uptime() - when < SILENCE

    def silence(self, process: Process) -> float:
        with self._lock:
            return uptime() - self._last[process][2] if process in self._last else 0.0


_EAR = _Ear()
_FIELDS = {"host": str, "machine": str, "pid": int, "began": str}


def silence(process: Process | None) -> float:
    """Seconds for which this process itself has seen no new sign of life of one on another machine; no clock but its
    own tells that."""
    return 0.0 if process is None else _EAR.silence(process)


def this(pid: int | None = None) -> Process:
    """This process, or the living one of that number on this machine."""
    pid = os.getpid() if pid is None else pid
    return Process(socket.gethostname(), machine(), pid, began(pid) or "")


@lru_cache(maxsize=1)
def machine() -> str:
    """This boot of this kernel, and the namespace in which its process numbers hold."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}:{os.stat('/proc/self/ns/pid').st_ino}"
    except OSError:
        return socket.gethostname()


def uptime() -> float:
    """Seconds of a clock that every process of this machine shares and nobody sets."""
    return time.clock_gettime(time.CLOCK_MONOTONIC)


def lasting() -> float:
    """The same of a clock that goes on while the machine sleeps, where it has one."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def began(pid: int) -> str | None:
    """When the process began, as text; None if there is none, or only what its parent has not collected."""
    if not os.path.exists("/proc/self/stat"):
        return _began_by_ps(pid)
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return None
    return None if fields[0] in (b"Z", b"X") else fields[19].decode()


def _began_by_ps(pid):
    done = subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True)
    state, _, start = done.stdout.strip().partition(" ")
    return start.strip() if state and not state.startswith("Z") else None


TERMINATE, KILL = signal.SIGTERM, getattr(signal, "SIGKILL", signal.SIGTERM)
