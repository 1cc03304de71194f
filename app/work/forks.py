"""Processes that begin at once: they are forked from one that has loaded what they need and does nothing else, so that
the memory of it is shared; where processes cannot be forked, they are begun anew.

Ctrl-C is for the process that has begun them: they are deaf to it, and end when it does.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable
from multiprocessing import resource_tracker
from typing import Any

_METHODS = multiprocessing.get_all_start_methods()
CONTEXT: Any = multiprocessing.get_context("forkserver" if "forkserver" in _METHODS else "spawn")
_loaded: list[str] = []


def load(*modules: str) -> None:
    """What the process that others are forked from shall import, before the first of them is begun."""
    _loaded.extend(module for module in modules if module not in _loaded)
    if "forkserver" in _METHODS:
        CONTEXT.set_forkserver_preload(_loaded)


def begin(target: Callable, *arguments, name: str):
    """A process that runs target(*arguments). Waits until it is forked, which for the first is when all is loaded."""
    process = CONTEXT.Process(target=target, args=arguments, name=name, daemon=True)
    if not hasattr(signal, "pthread_sigmask"):
        process.start()
        return process
    resource_tracker.ensure_running()  # which would undo the next line
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # which what is begun here inherits
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return process
