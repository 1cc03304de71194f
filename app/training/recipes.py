"""Settings that work, for each kind of data and size of network: what the short form of the Train tab stands for.

Flat fields of `edm.Training`; whatever a visitor sets by hand goes over them.
"""

from __future__ import annotations

import copy
import math

from edm import presets

_PRESETS = {name.split("/")[1]: presets.read(name) for name in presets.names("designs")}
COLUMNS = {name: preset["title"] for name, preset in _PRESETS.items()}  # of Table 1
DESIGNS = {name: preset["training"]["design"] for name, preset in _PRESETS.items()}
YOURS = "yours"
SIZES = ("small", "medium", "large")
SMALL_IMAGE = 12  # pixels: like the digits
RATES = {"points": 30_000.0, "digits": 400.0, "images": 60.0}  # images/s of the small sizes on two slow cores

_POINTS = {
    "small": {"channels": 96, "blocks": 3, "batch": 512},
    "medium": {"channels": 192, "blocks": 4, "batch": 1024},
    "large": {"channels": 384, "blocks": 6, "batch": 2048},
}
_POINTS_ALL = {
    "lr": 2e-3, "lr_ramp": 50_000, "ema": [100_000], "samples": 400, "validation": 1024,
}  # fmt: skip
_POINTS_NOISE = {"P_mean": -1.5, "P_std": 1.6}
_DIGITS = {
    "small": {"channels": 16, "blocks": 1, "batch": 32, "lr": 3e-3, "lr_ramp": 3000},
    "medium": {"channels": 24, "blocks": 1, "batch": 64, "lr": 2e-3, "dropout": 0.1},
    "large": {"channels": 64, "blocks": 2, "batch": 128, "lr": 1e-3, "dropout": 0.1},
}
_DIGITS_ALL = {"attention": [4], "label_dropout": 0.1}
_IMAGES = {
    "small": {"channels": 16, "blocks": 1, "batch": 16},
    "medium": {"channels": 32, "blocks": 2, "batch": 32},
    "large": {"channels": 96, "blocks": 3, "batch": 128},
}
_IMAGES_ALL = {"lr": 1e-3, "lr_ramp": 5000, "attention": [8], "label_dropout": 0.1}


def kind(shape) -> str:
    """Of data whose samples have that shape: points, digits (small images), or images."""
    return "points" if len(shape) == 1 else "digits" if shape[-1] <= SMALL_IMAGE else "images"


def recipe(shape, size: str, column: str) -> dict:
    """The fields for samples of `shape`, a size of SIZES and a column of Table 1."""
    if kind(shape) == "points":
        made = _POINTS_ALL | _POINTS[size] | (_POINTS_NOISE if column == "edm" else {})
    elif kind(shape) == "digits":
        made = _DIGITS_ALL | _DIGITS[size] | {"channel_mult": _multipliers(shape[-1], 2)}
    else:
        levels = max(2, round(math.log2(shape[-1] / 4)))  # down to about 4 pixels
        made = _IMAGES_ALL | _IMAGES[size] | {"channel_mult": _multipliers(shape[-1], levels)}
    return copy.deepcopy(made | DESIGNS[column])


def _multipliers(side: int, wished: int) -> list[int]:
    """Of as many levels as are wished for, or as a side can be halved for: 30 once, 29 never."""
    halvings = min(wished - 1, (side & -side).bit_length() - 1)
    return [1, *[min(2 * level, 4) for level in range(1, halvings + 1)]]


def column_of(design) -> str:
    """The column of Table 1 that a design's preconditioning, noise and weight are of, or "yours"."""
    rows = {name: getattr(design, name) for name in ("preconditioning", "noise", "weight")}
    return next((name for name, row in DESIGNS.items() if row == rows), YOURS)
