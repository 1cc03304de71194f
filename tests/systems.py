"""Stand-ins for systems that these tests do not run on."""

import errno
import fcntl
import os
import signal
import socket
import sys
import time

ABSENT = {  # of a module, what Windows does not have
    os: ("getpgid", "killpg", "getsid", "setsid", "geteuid", "getuid", "setpriority", "PRIO_PGRP", "sched_getaffinity"),
    signal: ("SIGKILL", "SIGHUP"),
    time: ("clock_gettime", "CLOCK_MONOTONIC", "CLOCK_BOOTTIME"),
}


def windows(monkeypatch):
    """What is called as Windows has it: no POSIX names, no /proc, folders that cannot be opened, and files that cannot
    be removed while they are open, nor synced through what may only read."""
    for module, names in ABSENT.items():
        for name in names:
            monkeypatch.delattr(module, name, raising=False)
    monkeypatch.setitem(sys.modules, "resource", None)
    monkeypatch.setattr(socket, "SO_EXCLUSIVEADDRUSE", socket.SO_REUSEADDR, raising=False)
    reals = {name: getattr(os, name) for name in ("open", "fsync", "unlink")}

    def opened(path, flags, *arguments, **named):
        if os.path.isdir(path):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return reals["open"](path, flags, *arguments, **named)

    def synced(number):
        if fcntl.fcntl(number, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            raise OSError(errno.EBADF, "Bad file descriptor")
        reals["fsync"](number)

    def removed(path, *arguments, **named):
        known = os.stat(path)
        for number in os.listdir("/dev/fd"):
            try:
                found = os.fstat(int(number))
            except OSError:
                continue
            if os.path.samestat(found, known):
                raise PermissionError(errno.EACCES, "it is used by another process", str(path))
        reals["unlink"](path, *arguments, **named)

    for name, stand_in in (("open", opened), ("fsync", synced), ("unlink", removed)):
        monkeypatch.setattr(os, name, stand_in)
