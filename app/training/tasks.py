"""Work on a run's checkpoints in the background, as the Train tab asks for it and tells of it."""

from __future__ import annotations

from edm import runs


def kinds(own: bool) -> list[dict]:
    """What can be asked for. own: whoever asks owns this machine, and may name files of it."""
    return []


def listed(run: runs.Run) -> list[dict]:
    """What there is of a run, the newest first."""
    return []
