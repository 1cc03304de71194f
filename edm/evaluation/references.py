"""What is given by path in the place of the data's own statistics: a published file, or a folder or zip of images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edm.base.errors import Refused
from edm.base.paths import expanded
from edm.data.settings import Data
from edm.evaluation import statistics, true_data
from edm.evaluation.features import INCEPTION
from edm.evaluation.settings import MANY

if TYPE_CHECKING:
    from edm.base.types import StrPath
    from edm.evaluation.features import Features
    from edm.evaluation.frechet import Moments


@dataclass(frozen=True)
class Given:
    """name: of the file or folder. known: its moments, and the digest of their features; images: or its images."""

    name: str
    known: tuple[Moments, str] | None = None
    images: Data | None = None

    def check(self, features: Features, shape: Sequence[int] | None) -> None:
        """Raises Refused unless these are, or can be, statistics of these features. shape: of the samples."""
        if self.known is not None:
            moments, digest = self.known
            if len(moments.mean) != features.width or (digest and digest != features.digest):
                raise Refused(
                    f"{self.name} has statistics of {len(moments.mean)} features, and they are not those of "
                    f"{features.name}; give the file of what they are of (inception), or statistics of these features"
                )
        elif self.images is not None and features.name != INCEPTION:
            found = tuple(true_data.source(self.images).shape)
            if shape is not None and found != tuple(shape):
                raise Refused(
                    f"{self.name} has images of shape {list(found)}, and the samples have {list(shape)}; only "
                    "Inception compares them (inception)"
                )

    def moments(self, features: Features, device: str, keep: str | None) -> Moments:
        """Those of the file, or of the images, in these features."""
        if self.known is not None:
            return self.known[0]
        assert self.images is not None
        found = true_data.read(self.images, MANY, device, (), features, keep).moments
        assert found is not None
        return found


def given(path: StrPath) -> Given:
    """What lies there. Raises Refused, with the name and what is wrong, or FileNotFoundError."""
    place = expanded(path)
    if place.is_dir() or (place.is_file() and place.suffix.lower() == ".zip"):
        images = Data(dataset="folder", path=str(place.absolute()))
        true_data.source(images)
        return Given(place.name, images=images)
    return Given(place.name, statistics.read(path))
