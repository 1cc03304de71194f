"""Which process is meant: a number alone is not enough, for numbers are given out again.

A process is told by its machine (this boot of this kernel, and its namespace of process numbers), its number, and the
moment it began, in the kernel's ticks since boot: a clock that nobody sets.
"""

from __future__ import annotations

import os
import signal
import socket
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edm.runs.clocks import machine

TERMINATE, KILL = signal.SIGTERM, getattr(signal, "SIGKILL", signal.SIGTERM)


@dataclass(frozen=True)
class Process:
    """host: for people; machine: tells whether `pid` means anything here; began: text that only it has."""

    host: str
    machine: str
    pid: int
    began: str

    @classmethod
    def parse(cls, document: Any) -> Process | None:
        """From JSON data; None if it is not a process."""
        try:
            return cls(*(kind(document[name]) for name, kind in _FIELDS.items()))
        except (KeyError, TypeError, ValueError, OverflowError):
            return None

    @property
    def local(self) -> bool:
        return self.machine == machine()

    def alive(self) -> bool:
        """Whether it still runs, here; the kernel knows."""
        return self.local and began(self.pid) == self.began

    def signal(self, number: int, group: bool) -> bool:
        """Send a signal to it, or to the group that it leads. False, and nothing is sent, if it is gone."""
        if self.pid <= 1 or not self.alive():
            return False
        try:
            if not hasattr(os, "killpg"):
                return _ended(self.pid, group)
            if group and os.getpgid(self.pid) == self.pid:
                os.killpg(self.pid, number)
            else:
                os.kill(self.pid, number)
        except ProcessLookupError:
            return False
        return True


_FIELDS = {"host": str, "machine": str, "pid": int, "began": str}


def this(pid: int | None = None) -> Process:
    """This process, or the living one of that number on this machine."""
    pid = os.getpid() if pid is None else pid
    return Process(socket.gethostname(), machine(), pid, began(pid) or "")


def leads(pid: int) -> bool:
    """Whether the group of a process is its own to end, as of those that a launcher starts."""
    return hasattr(os, "getsid") and os.getsid(pid) == pid


def began(pid: int) -> str | None:
    """When the process began, as text; None if there is none, or only what its parent has not collected."""
    if not os.path.exists("/proc/self/stat"):
        return _began_elsewhere(pid)
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return None
    return None if fields[0] in (b"Z", b"X") else fields[19].decode()


def _began_elsewhere(pid):
    """The same without a /proc. The clock is the system's, which on Linux may be set; so there it is not used."""
    import psutil

    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else repr(process.create_time())
    except psutil.NoSuchProcess:
        return None


def _ended(pid, group) -> bool:
    """End a process, with those that it has started, on a system without groups of them. It hears nothing of it."""
    import psutil

    try:
        process = psutil.Process(pid)
        for each in [*(process.children(recursive=True) if group else ()), process]:
            with suppress(psutil.NoSuchProcess):
                each.terminate()
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied as error:
        raise PermissionError(str(error)) from None
    return True
