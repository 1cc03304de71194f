"""The code as it was at the commit that figures are compared with."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.browser.conftest import ROOT

BEFORE = "7a9d99b"


@contextmanager
def tree_before() -> Iterator[Path | None]:
    """A folder with the code as it was at `BEFORE`, for as long as this lasts; None where that commit is not there."""
    with tempfile.TemporaryDirectory() as place:
        tree = Path(place, "before")
        if not _git("worktree", "add", "--detach", str(tree), BEFORE):
            yield None
            return
        try:
            yield tree
        finally:
            _git("worktree", "remove", "--force", str(tree))


def _git(*words: str) -> bool:
    try:
        return subprocess.run(["git", *words], cwd=ROOT, capture_output=True).returncode == 0
    except FileNotFoundError:
        return False
