"""Paths as people write them: ~ is a home folder wherever a path comes in, also where no shell has seen it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edm.base.types import StrPath


def expanded(path: StrPath, *parts: str) -> Path:
    """The path, and what lies at `parts` below it; ~ and ~NAME at its beginning are home folders."""
    return Path(os.path.expanduser(path), *parts)


def text(path: Any) -> Any:
    """The same of a path in settings or in an option, as text; whatever else it is stays as it is."""
    return os.path.expanduser(path) if isinstance(path, str) else path
