"""What of data that somebody brings a command needs to know before a run, and says."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from edm.commands.bar import say

if TYPE_CHECKING:
    from edm.base.protocols import Source


def completed(document: dict) -> dict:
    """The document of a training with the kind of the data that its path leads to, where nothing says it: images
    without colours in greyscale. Raises Refused."""
    from edm import data
    from edm.data import sources

    given = document.get("data")
    if not isinstance(given, dict) or "dataset" in given or not isinstance(given.get("path"), str):
        return document
    asked: Any = {name: given[name] for name in ("labels", "columns") if given.get(name)}
    leave_out = str(given.get("leave_out", "")).lower() == "true"
    found = data.bring(given["path"], leave_out=leave_out, limits=data.Limits(looked=-1), **asked)
    known: dict[str, Any] = {"dataset": sources.KINDS[found.kind]}
    if found.kind == "images" and found.shape[0] == 1:
        known["greyscale"] = True
    return {**document, "data": {**known, **given}}


def read(settings: Any) -> Source | None:
    """The source of data that somebody brings, after what was read is said; None of others."""
    from edm.data import sources

    found = sources.brought(settings, thorough=True)
    if found is None:
        return None
    say(found.told(), sys.stderr)
    return sources.source_of(found, settings)
