"""The data of a training, as validated data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import model_validator

from edm import data
from edm.base.fields import Number, Place, Settings, Whole, knob, refusal
from edm.data import sources
from edm.embedded import MOST

if TYPE_CHECKING:
    from edm.base.protocols import HeaderLike

NOT_FOR_ALL = (
    "resolution",
    "crop",
    "greyscale",
    "path",
    "download",
    "leave_out",
    "labels",
    "columns",
    "dimensions",
)  # fields that only some data read


class Data(Settings):
    """The data: what is learned."""

    if TYPE_CHECKING:  # pydantic gives one to whatever is frozen; caches of opened data need it

        def __hash__(self) -> int: ...

    dataset: str = knob("eight_gaussians", "dataset", "The distribution that is learned", choices=sources.offered)
    path: Place = knob(None, "path", "Folder, archive or file of images or points, or where downloaded sets lie")
    download: bool = knob(False, "download", "Fetch MNIST, FashionMNIST or CIFAR-10 if they are not there")
    resolution: Whole | None = knob(None, "resolution", "Resize images to this size; none: as they are", ge=4, le=1024)
    greyscale: bool = knob(False, "greyscale", "Read a folder's images in greyscale")
    crop: bool = knob(False, "crop", "Cut a square out of the middle of images that are not square")
    columns: str | None = knob(
        None, "columns", "Coordinates of a table of points, perhaps with its classes: x,y or 2,3,species"
    )
    dimensions: Whole | None = knob(
        None,
        "dimensions",
        "Of points: lay them on a plane in a space of so many, turned by chance, always the same way; none: their own",
        slider=(2, 512),
        log=True,
        ge=1,
        le=MOST,
    )
    leave_out: bool = knob(False, "leave out", "Leave out images whose files are broken, in place of refusing them")
    labels: str | None = knob(
        None,
        "labels",
        "Where the classes stand, if not in folders; names: in the files' names, as in cat.0.jpg; parts: those of a "
        "distribution of points, such as its moons",
        choices=sources.LABELS,
    )
    conditional: bool = knob(True, "classes", "Train on the classes, where the data has any")
    holdout: Whole | None = knob(
        None,
        "held out",
        "Images kept from training, to validate on; none: val/ and test/, else 5 %, at most 1000",
        ge=0,
        le=100_000,
    )
    low_resolution: Whole | None = knob(
        None,
        "low resolution",
        "Learn to upsample: images are told in so many pixels, and learned in all; none: they are learned from nothing",
        ge=1,
        le=512,
    )
    low_noise: Number = knob(
        0.3,
        "σ<sub>c</sub>",
        "The most noise, evenly drawn from 0, that the low-resolution images get in training",
        slider=(0, 1),
        step=0.01,
        ge=0,
        le=10,
        needs="low_resolution",
    )
    examples: Whole | None = knob(
        None,
        "samples n",
        "Train on so many samples only, the same for every seed; none: on all there are",
        slider=(4, 4096),
        log=True,
        ge=2,
        le=10**7,
    )

    @model_validator(mode="after")
    def _consistent(self):
        for name in NOT_FOR_ALL:
            if getattr(self, name) not in (None, False) and self.dataset not in (known := sources.readers(name)):
                raise refusal(name, getattr(self, name), f"is only for the datasets {', '.join(known)}")
        known = data.DATASETS.get(self.dataset)
        if self.dimensions is not None and known is not None and self.dimensions < known.shape[0]:
            raise refusal("dimensions", self.dimensions, f"must be at least {known.shape[0]}, those of {self.dataset}")
        if self.labels not in (None, allowed := sources.labels(self.dataset)):
            raise refusal("labels", self.labels, f"must be {allowed!r} for the dataset {self.dataset!r}")
        file = sources.file_of(self.dataset)
        if self.path == "" or (file and self.path is None):
            raise refusal("path", self.path, f"must name the {file or 'folder'} of the dataset {self.dataset!r}")
        return self


def data_learned(header: HeaderLike | None) -> Data | None:
    """The data that the file with this header has learned (`edm.files.checkpoints.Header`); None if it does not say."""
    return None if header is None or header.training is None else Data.parse(header.training.get("data", {}))
