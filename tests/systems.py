"""Stand-ins for systems that these tests do not run on."""

import errno
import fcntl
import os
import signal
import socket
import sys
import time

import psutil

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
    reals = {name: getattr(os, name) for name in ("open", "fsync", "unlink", "link")}
    there = os.path.exists
    monkeypatch.setattr(os.path, "exists", lambda path: not str(path).startswith("/proc") and there(path))

    def opened(path, flags, *arguments, **named):
        if os.path.isdir(path):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return reals["open"](path, flags, *arguments, **named)

    def synced(number):
        if fcntl.fcntl(number, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            raise OSError(errno.EBADF, "Bad file descriptor")
        reals["fsync"](number)

    def closed(name):
        def change(path, *arguments, **named):
            known = os.stat(path)
            if any(os.path.samestat(os.stat(file.path), known) for file in psutil.Process().open_files()):
                raise PermissionError(errno.EACCES, "it is used by another process", str(path))
            reals[name](path, *arguments, **named)

        return change

    for name, stand_in in (("open", opened), ("fsync", synced), ("unlink", closed("unlink")), ("link", closed("link"))):
        monkeypatch.setattr(os, name, stand_in)
