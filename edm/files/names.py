"""What runs and their models are called, and where all runs lie: the one grammar of both.

NAME                 a run: its directory in the runs folder
run-NAME             its models together, as a family
run-NAME_IMAGES      its checkpoint of so many images: NAME/checkpoints/<IMAGES>.safetensors
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, TypeGuard

from edm.base.errors import Refused
from edm.base.paths import expanded

if TYPE_CHECKING:
    from edm.base.types import StrPath

LONGEST_NAME = 80
_NAME = r"[A-Za-z0-9][A-Za-z0-9_-]*"
_MODEL = re.compile(rf"run-({_NAME})_(0|[1-9][0-9]{{0,17}})")


def is_name(name: object) -> TypeGuard[str]:
    return isinstance(name, str) and len(name) <= LONGEST_NAME and re.fullmatch(_NAME, name) is not None


def check_name(name: object) -> str:
    """The name of a run. Raises ValueError for one that is empty, too long, or could leave the runs folder."""
    if not is_name(name):
        raise Refused(
            f"the name {name!r:.40} cannot be that of a run: use 1 to {LONGEST_NAME} letters, digits, - and _ "
            "(A to Z without accents), a letter or a digit first"
        )
    return name


def runs_folder(given: StrPath | None = None) -> Path:
    """The folder of all runs: the one that is given, or $EDM_RUNS, or runs/."""
    return expanded(given or os.environ.get("EDM_RUNS") or "runs")


def family(run: str) -> str:
    """The name that all models of a run share."""
    return f"run-{run}"


def model(run: str, images: int) -> str:
    """The name of a run's checkpoint as a model."""
    return f"{family(run)}_{images}"


def checkpoint_file(run: Path, images: int) -> Path:
    """The checkpoint of so many images in a run's folder."""
    return run / "checkpoints" / f"{images:011}.safetensors"


def samples_file(run: Path, images: int, suffix: str) -> Path:
    """The samples that a run has drawn after so many images: suffix ".png" or ".npz"."""
    return run / "samples" / f"{images:011}{suffix}"


def checkpoint(name: str) -> Path | None:
    """The file of the model of that name in the runs folder; None if the name is no run's model, or it is not there."""
    found = _MODEL.fullmatch(name)
    if found is None or not is_name(found[1]):
        return None
    run = runs_folder() / found[1]
    path = checkpoint_file(run, int(found[2]))
    return path if path.is_file() and not (run.is_symlink() or path.parent.is_symlink()) else None
