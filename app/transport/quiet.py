"""Gradio, imported quietly: it reports nothing elsewhere, and writes no stubs.

For each of its components, at every start, Gradio reads its own source, parses it and writes a stub for editors beside
it, which takes more than a second. It leaves that out for what has no source; while it is imported here, none has.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterator
from contextlib import contextmanager

os.environ.update(GRADIO_ANALYTICS_ENABLED="False", HF_HUB_DISABLE_TELEMETRY="1", HF_HUB_OFFLINE="1")


@contextmanager
def without_stubs() -> Iterator[None]:
    """Components that are defined meanwhile get no stubs."""
    found = inspect.getfile

    def getfile(thing):
        if type(thing).__name__ == "ComponentMeta":
            raise OSError(f"{thing} shall have no stub")
        return found(thing)

    inspect.getfile = getfile
    try:
        yield
    finally:
        inspect.getfile = found


with without_stubs():
    import gradio as gr

__all__ = ["gr", "without_stubs"]
