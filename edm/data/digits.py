"""scikit-learn's bundled digits: 1797 greyscale images, 8×8, scaled to [−1, 1], with classes 0 … 9."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edm.exact import PointSet

SHAPE = (1, 8, 8)


def exact() -> PointSet:
    """Their exact denoiser, class-conditional."""
    import numpy as np
    import torch

    from edm.exact import PointSet

    table = torch.from_numpy(np.loadtxt(_file(), delimiter=",", dtype=np.uint8))
    return PointSet(table[:, :-1].float().reshape(-1, *SHAPE) / 8 - 1, table[:, -1].long())


def _file() -> Path:
    """The table within scikit-learn, a row for each image, its class last. The package takes a second to import, and
    is not asked."""
    package = find_spec("sklearn")
    assert package is not None and package.origin is not None  # declared in requirements.txt
    return Path(package.origin).parent / "datasets" / "data" / "digits.csv.gz"
