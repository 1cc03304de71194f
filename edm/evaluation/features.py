"""Features of images, in which distances between sets of images are measured. Their name says which they are.

    our own sets      the layer before the last of a small classifier of ours; see `edm.evaluation.classifiers`
    any images        Inception v3's 2048 numbers, where the file of its weights is given (it is not ours)
    else              principal components of the pixels, and the reason: a measure of colour and layout, no more

Distances in different features do not compare.
"""

from __future__ import annotations

import copy
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import torch

from edm.base.atomic import stamp
from edm.base.exactness import exact
from edm.base.paths import expanded
from edm.evaluation import classifiers, weights
from edm.evaluation.inception import FEATURES

if TYPE_CHECKING:
    from edm.base.types import Device, StrPath

INCEPTION = "Inception v3 (2048 features)"  # in which a Fréchet distance is called FID
NO_INCEPTION = "no Inception, as no file of its weights is given"
COMPONENTS, AT_ONCE = 64, 250
FITTED = 2000  # images that the components are found from, at most
_SIDE = 32  # of their sides, at most


@dataclass(frozen=True)
class Features:
    """read: images uint8 [B, C, H, W] -> features [B, d]. name: what they are, in words for a reader. width: d.
    digest: tells them from all others. logits: features [B, d] on the CPU -> those of the classes [B, K] of the
    classifier whose features they are; None where it is none of ours."""

    name: str
    read: Callable[[torch.Tensor], torch.Tensor]
    width: int
    digest: str = ""
    logits: Callable[[torch.Tensor], torch.Tensor] | None = None

    @torch.no_grad()
    def rows(self, images: torch.Tensor, batch: int = AT_ONCE) -> torch.Tensor:
        """The features [n, d] of n images uint8, on the CPU, in the numbers that they are computed in."""
        with exact():
            return torch.cat([self.read(part).cpu() for part in images.split(batch)])

    def of(self, images: torch.Tensor, batch: int = AT_ONCE) -> torch.Tensor:
        """The same in float64."""
        return self.rows(images, batch).double()


def to_8_bits(images: torch.Tensor) -> torch.Tensor:
    """Images in [−1, 1] as they would be saved, uint8: 127.5·x + 128, cut off at 0 and 255."""
    return (images * 127.5 + 128).clamp(0, 255).to(torch.uint8)


def of_dataset(dataset: str, images: Callable[[], torch.Tensor], device: Device = "cpu") -> Features:
    """The features for the images of `dataset`. images: gives some of them, uint8; called only for the components."""
    if dataset in classifiers.DESIGNS:
        return _classifier(dataset, str(device))
    return pixels(images(), NO_INCEPTION)


@lru_cache(maxsize=4)
def _classifier(dataset, device) -> Features:
    here = classifiers.shipped(dataset)[0]
    network = copy.deepcopy(here).to(device)
    name = f"{dataset} classifier ({classifiers.FEATURES} features)"
    digest = _digest(*network.state_dict().values())

    def read(images):
        return network.features(images.to(device).float() / 127.5 - 1)

    def logits(rows):
        return here.classify(rows.float())[0].double()  # one small layer is not worth sending them

    return Features(name, read, classifiers.FEATURES, digest, logits)


def inception(path: StrPath, device: Device = "cpu") -> Features:
    """Inception v3's features, those of the usual FID, with the weights in a file; see `edm.evaluation.weights`.

    Grey images are shown to it in three equal channels. Raises ValueError with the reason if the file is not such a
    one, FileNotFoundError if there is none.
    """
    return _inception(os.path.abspath(expanded(path)) if "://" not in str(path) else path, stamp(path), str(device))


@lru_cache(maxsize=1)
def _inception(path, mark, device) -> Features:
    network, digest = weights.read(path)
    network = copy.deepcopy(network).to(device)
    return Features(INCEPTION, lambda images: network(images.to(device)), FEATURES, digest)


def pixels(images: torch.Tensor, reason: str = "") -> Features:
    """The 64 strongest principal components of the pixels of `images`, at most 32×32, scaled to a mean variance of 1.

    images: uint8 [n, C, H, W], n ≥ 2. reason: why it had to be these, for the name.
    """
    chosen = images[:: -(-len(images) // FITTED)]
    centred = _small(chosen)
    mean = centred.mean(0)
    _, spread, directions = torch.linalg.svd(centred - mean, full_matrices=False)
    number = min(COMPONENTS, len(chosen) - 1, len(mean))
    scale = (spread[:number].square().mean() / (len(chosen) - 1)).sqrt().clamp(min=1e-12)
    basis = directions[:number].T / scale
    why = f"; {reason}" if reason else ""
    name = f"{number} principal components of the pixels{why}"
    return Features(name, lambda x: (_small(x) - mean) @ basis, number, _digest(mean, basis))


def _digest(*numbers: torch.Tensor) -> str:
    found = hashlib.sha256()
    for one in numbers:
        found.update(one.detach().cpu().contiguous().numpy().data)
    return found.hexdigest()[:32]


def _small(images):
    """Images as rows of numbers from −1 to 1."""
    images = images.cpu().double() / 127.5 - 1
    height, width = (min(size, _SIDE) for size in images.shape[-2:])
    return torch.nn.functional.adaptive_avg_pool2d(images, (height, width)).flatten(1)
