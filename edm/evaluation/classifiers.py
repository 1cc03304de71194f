"""Small classifiers whose last layer but one gives the features of our own images: "digits", "scenes" and "emoji".

    image → [3×3 convolution → GroupNorm → SiLU] for each width → 4×4 → linear → h → SiLU → linear → classes, factors

h (64 numbers) are the features, standardized: over the data each has mean 0 and variance 1, so that a Fréchet
distance of 64 is that of a model which always draws the mean. The place of what the picture shows is kept up to
the 4×4 grid, and the scenes' network has to name colours, positions and light too; so the features see them.
`python -m edm.evaluation.train_classifier` makes the files.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from functools import lru_cache, wraps

import torch
from safetensors import SafetensorError, safe_open
from torch import nn

from edm.base import documents
from edm.base.errors import Refused
from edm.base.resources import ASSETS
from edm.data import digits, emoji, scenes

FOLDER = ASSETS / "classifiers"
FEATURES = 64
METADATA_KEY = "classifier"
_GRID, _GROUPS = 4, 8


@dataclass(frozen=True)
class Design:
    """Sizes of a classifier. factors: numbers that it estimates besides the class; widths, strides: of each layer."""

    shape: tuple[int, int, int]
    classes: int
    factors: int
    widths: tuple[int, ...]
    strides: tuple[int, ...]


DESIGNS = {
    "digits": Design(digits.SHAPE, 10, 0, (32, 48, 64), (1, 2, 1)),
    "scenes": Design(scenes.SHAPE, len(scenes.CLASSES), 10, (24, 32, 48, 64), (1, 2, 2, 2)),
    "emoji": Design(emoji.SHAPE, len(emoji.CLASSES), 0, (24, 32, 48, 64), (1, 2, 2, 2)),
}


class Classifier(nn.Module):
    """images [B, C, H, W] in [−1, 1] -> (logits [B, classes], factors [B, factors])."""

    def __init__(self, design: Design):
        super().__init__()
        self.design = design
        layers, width = [], design.shape[0]
        for wider, stride in zip(design.widths, design.strides, strict=True):
            layers += [nn.Conv2d(width, wider, 3, stride, padding=1), nn.GroupNorm(_GROUPS, wider), nn.SiLU()]
            width = wider
        self.trunk = nn.Sequential(*layers)
        self.hidden = nn.Linear(width * _GRID**2, FEATURES)
        self.standard = nn.BatchNorm1d(FEATURES, affine=False)
        self.head = nn.Linear(FEATURES, design.classes + design.factors)

    def features(self, images: torch.Tensor) -> torch.Tensor:
        """h [B, 64], standardized."""
        grid = nn.functional.adaptive_avg_pool2d(self.trunk(images), _GRID)
        return self.standard(self.hidden(grid.flatten(1)))

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return self.classify(self.features(images))

    def classify(self, features: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """features [B, 64] -> (logits [B, classes], factors [B, factors])."""
        output = self.head(nn.functional.silu(features))
        return output[:, : self.design.classes], output[:, self.design.classes :]


def read(dataset: str) -> tuple[Classifier, dict]:
    """The shipped classifier of a set of ours, one of DESIGNS, ready to be asked, and what its file says of it.

    Nothing in the file is executed. Raises ValueError for another dataset, or a file that does not fit;
    FileNotFoundError if there is none.
    """
    if dataset not in DESIGNS:
        raise Refused(f"there is no classifier of {dataset!r}; there are those of {', '.join(DESIGNS)}")
    path = FOLDER / f"{dataset}.safetensors"
    if not path.is_file():
        raise FileNotFoundError(
            f"there is no file {path}; make it with: python -m edm.evaluation.train_classifier {dataset}"
        )
    network = Classifier(DESIGNS[dataset])
    try:
        with safe_open(path, framework="pt") as file:
            network.load_state_dict({name: file.get_tensor(name) for name in network.state_dict()})
            said = documents.from_json((file.metadata() or {})[METADATA_KEY], "its metadata")
    except (SafetensorError, RuntimeError, KeyError, Refused) as error:
        raise Refused(f"{path} is not the classifier of {dataset} ({error!s:.200})") from None
    return network.eval().requires_grad_(False), said


_kept = lru_cache(maxsize=len(DESIGNS))(read)


@wraps(read)
def shipped(dataset: str) -> tuple[Classifier, dict]:
    return copy.deepcopy(_kept(dataset))
