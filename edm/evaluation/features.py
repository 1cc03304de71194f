"""Features of images, in which distances between sets of images are measured. Their name says which they are.

    digits, scenes    the layer before the last of a small classifier of ours; see `edm.evaluation.classifiers`
    other images      Inception v3's 2048 numbers, where torchmetrics and its weights can be had (neither is ours)
    else              principal components of the pixels, and the reason: a measure of colour and layout, no more

Distances in different features do not compare.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from edm.base.errors import Refused
from edm.evaluation import classifiers

if TYPE_CHECKING:
    from edm.base.types import Device

COMPONENTS = 64
_SIDE, _FITTED = 32, 2000  # of the images that the components are found from, at most


@dataclass(frozen=True)
class Features:
    """read: images uint8 [B, C, H, W] -> features [B, d]. name: what they are, in words for a reader."""

    name: str
    read: Callable[[torch.Tensor], torch.Tensor]

    @torch.no_grad()
    def of(self, images: torch.Tensor, batch: int = 250) -> torch.Tensor:
        """The features [n, d] of n images uint8, on the CPU, in float64."""
        return torch.cat([self.read(part).double().cpu() for part in images.split(batch)])


def to_8_bits(images: torch.Tensor) -> torch.Tensor:
    """Images in [−1, 1] as they would be saved, uint8: 127.5·x + 128, cut off at 0 and 255."""
    return (images * 127.5 + 128).clamp(0, 255).to(torch.uint8)


def of_dataset(dataset: str, images: Callable[[], torch.Tensor], device: Device = "cpu") -> Features:
    """The features for the images of `dataset`. images: gives some of them, uint8; called only for the components."""
    if dataset in classifiers.DESIGNS:
        return _classifier(dataset, device)
    try:
        return inception(device)
    except Refused as error:
        return pixels(images(), str(error))


def _classifier(dataset, device) -> Features:
    network = classifiers.shipped(dataset)[0].to(device)
    name = f"{dataset} classifier ({classifiers.FEATURES} features)"
    return Features(name, lambda images: network.features(images.to(device).float() / 127.5 - 1))


def inception(device: Device = "cpu") -> Features:
    """Inception v3's features, those of the usual FID. Grey images are shown to it in three equal channels.

    torchmetrics fetches the weights when it first needs them. Raises ValueError with the reason if it is not
    installed, or if they cannot be had.
    """
    try:
        # The extra "inception" is not among what the checks install
        from torchmetrics.image.fid import FrechetInceptionDistance  # pyright: ignore[reportMissingImports]

        network = FrechetInceptionDistance(feature=2048).inception.eval().to(device)
    except ImportError as error:
        raise Refused(f"no Inception, as it needs torchmetrics[image]: {error!s:.120}") from None
    except (OSError, RuntimeError, pickle.UnpicklingError) as error:
        raise Refused(f"no Inception, as its weights could not be loaded: {error!s:.120}") from None

    def read(images):
        return network(images.to(device).expand(-1, 3, -1, -1))

    return Features("Inception v3 (2048 features)", read)


def pixels(images: torch.Tensor, reason: str = "") -> Features:
    """The 64 strongest principal components of the pixels of `images`, at most 32×32, scaled to a mean variance of 1.

    images: uint8 [n, C, H, W], n ≥ 2. reason: why it had to be these, for the name.
    """
    chosen = images[:: -(-len(images) // _FITTED)]
    centred = _small(chosen)
    mean = centred.mean(0)
    _, spread, directions = torch.linalg.svd(centred - mean, full_matrices=False)
    number = min(COMPONENTS, len(chosen) - 1, len(mean))
    scale = (spread[:number].square().mean() / (len(chosen) - 1)).sqrt().clamp(min=1e-12)
    basis = directions[:number].T / scale
    why = f"; {reason}" if reason else ""
    return Features(f"{number} principal components of the pixels{why}", lambda x: (_small(x) - mean) @ basis)


def _small(images):
    """Images as rows of numbers from −1 to 1."""
    images = images.cpu().double() / 127.5 - 1
    height, width = (min(size, _SIDE) for size in images.shape[-2:])
    return torch.nn.functional.adaptive_avg_pool2d(images, (height, width)).flatten(1)
