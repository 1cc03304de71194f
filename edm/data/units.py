"""What the numbers of points mean: networks learn x of a size of about 1, and a file has x·scale + centre."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import Field, model_validator

from edm.base.errors import Refused
from edm.base.fields import Settings, refusal

if TYPE_CHECKING:
    from typing import Self

REACH = 10.0  # of a coordinate that stays as it is
NARROW = 0.01  # so little do coordinates that are not scaled never vary
ALIKE = 10.0  # widths of two coordinates that get one scale differ by less
MOST = 64  # coordinates
_Finite = Annotated[float, Field(allow_inf_nan=False)]


class Units(Settings):
    """centre, scale: of each coordinate; (): the file's own numbers. names: what they are called there, or ()."""

    centre: tuple[_Finite, ...] = Field(default=(), max_length=MOST)
    scale: tuple[_Finite, ...] = Field(default=(), max_length=MOST)
    names: tuple[str, ...] = Field(default=(), max_length=MOST)

    @model_validator(mode="after")
    def _consistent(self):
        if len(self.centre) != len(self.scale) or any(not one > 0 for one in self.scale):
            raise refusal("scale", list(self.scale), "must be a number above 0 for each one of centre")
        return self

    @property
    def scaled(self) -> bool:
        """Whether the file has other numbers."""
        return bool(self.scale)

    def restored(self, x: Any) -> np.ndarray:
        """Samples [..., d] as the file has them, float64; without a centre as they are."""
        x = np.asarray(x)
        return x.astype(np.float64) * np.array(self.scale) + np.array(self.centre) if self.scaled else x

    def taken(self, points: np.ndarray) -> np.ndarray:
        """Points [..., d] of the file as networks see them."""
        return (points - np.array(self.centre)) / np.array(self.scale) if self.scaled else points

    @classmethod
    def of(cls, points: np.ndarray, names: tuple[str, ...] = ()) -> Self:
        """Those of the points [n, d] of a file: none if they are of a size of about 1, else such that they fill
        [−1, 1]. One scale for all coordinates that are about as wide, so that shapes stay."""
        low, high = points.min(0), points.max(0)
        equal = bool((low == high).all())
        if np.abs(points).max() <= REACH and (equal or (high - low).max() > NARROW):
            return cls(names=names)
        half = high / 2 - low / 2
        if not np.isfinite(half).all():
            raise Refused("the numbers of the table reach too far for a computer's arithmetic; divide them first")
        half = np.abs(points).max(0) if equal else half
        wide = np.where(half > 0, half, half.max())
        wide = np.full_like(wide, wide.max()) if wide.max() < ALIKE * wide.min() else wide
        scale = [_round(value, math.ceil) for value in wide.tolist()]
        middle = (low / 2 + high / 2).tolist()
        centre = [_near(value, step / 100) for value, step in zip(middle, scale, strict=True)]
        return cls(centre=tuple(centre), scale=tuple(scale), names=names)

    def told(self) -> str:
        """A sentence on how the numbers became these."""
        names = self.names or tuple(str(k + 1) for k in range(len(self.scale)))
        parts = zip(names, self.centre, self.scale, strict=True)
        said = "; ".join(f"{name} {centre:.10g} ± {scale:g}" for name, centre, scale in parts)
        return f"centred and scaled to about [−1, 1] ({said}); samples are written in the file's own numbers"


def _round(value: float, how) -> float:
    """A number in two digits."""
    step = 10.0 ** (math.floor(math.log10(value)) - 1)
    return float(f"{how(value / step - 1e-9) * step:.2g}") if step > 0 else value


def _near(value: float, step: float) -> float:
    """The number next to `value` that is written in few digits."""
    digits = -math.floor(math.log10(step))
    return float(round(value, digits)) if math.isfinite(value) else value


AS_THEY_ARE = Units()
