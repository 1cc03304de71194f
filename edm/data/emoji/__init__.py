"""Emoji: 1,861 pictures of Noto Color Emoji on white, 3×32×32 in [−1, 1], in the nine groups of Unicode.

`assets/emoji/emoji.png` holds them, 48 a row, with their names; `python -m edm.data.emoji` has drawn it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edm.base.paths import expanded
from edm.base.resources import ASSETS

if TYPE_CHECKING:
    from edm.base.types import StrPath
    from edm.exact import PointSet

SHAPE = (3, 32, 32)
GROUPS = {  # Unicode's, and what we call them
    "Smileys & Emotion": "smileys",
    "People & Body": "people",
    "Animals & Nature": "animals and nature",
    "Food & Drink": "food",
    "Travel & Places": "travel",
    "Activities": "activities",
    "Objects": "objects",
    "Symbols": "symbols",
    "Flags": "flags",
}
CLASSES = tuple(GROUPS.values())
FILE = ASSETS / "emoji" / "emoji.png"
ACROSS = 48
METADATA_KEY = "emoji"


@dataclass(frozen=True, eq=False)
class Emoji:
    """images: uint8 [N, 3, 32, 32]. labels: int64 [N], places in CLASSES. names: as Unicode calls them ("cat face")."""

    images: np.ndarray
    labels: np.ndarray
    names: tuple[str, ...]


def read(path: StrPath = FILE) -> Emoji:
    """All of them, class after class, in Unicode's order."""
    from PIL import Image

    with Image.open(expanded(path)) as file:
        groups = json.loads(file.info[METADATA_KEY])
        sheet = np.asarray(file)
    names = tuple(name for group in CLASSES for name in groups[group])
    side = SHAPE[-1]
    cells = sheet.reshape(-1, side, ACROSS, side, 3).transpose(0, 2, 4, 1, 3).reshape(-1, *SHAPE)
    labels = np.repeat(np.arange(len(CLASSES)), [len(groups[group]) for group in CLASSES])
    return Emoji(cells[: len(names)], labels, names)


def exact() -> PointSet:
    """Their exact denoiser, class-conditional."""
    import torch

    from edm.exact import PointSet

    known = read()
    return PointSet(torch.from_numpy(known.images).float().div_(127.5).sub_(1), torch.from_numpy(known.labels))
