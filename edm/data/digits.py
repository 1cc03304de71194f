"""scikit-learn's bundled digits: 1797 greyscale images, 8×8, scaled to [−1, 1], with classes 0 … 9."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edm.exact import PointSet

SHAPE = (1, 8, 8)


def exact() -> PointSet:
    """Their exact denoiser, class-conditional."""
    import torch
    from sklearn.datasets import load_digits

    from edm.exact import PointSet

    bunch = load_digits()
    images = torch.from_numpy(bunch.images).float().unsqueeze(1) / 8 - 1
    return PointSet(images, torch.from_numpy(bunch.target).long())
