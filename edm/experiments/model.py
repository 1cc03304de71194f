"""A denoiser that can be sampled, and what is known about it: what `edm.models.load` finds under a name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edm import data
from edm.base.atomic import stamp
from edm.base.errors import Refused
from edm.data import classes

if TYPE_CHECKING:
    import numpy as np

    from edm.data.units import Units
    from edm.files.checkpoints import Header
    from edm.sampling.upsampling import Low


@dataclass(frozen=True)
class Model:
    """A denoiser and what is known about it.

    shape: of one sample; classes: 0 for none; count: samples by default; dataset: the `edm.data.Dataset` that it
    denoises or has learned, or None where that has no exact denoiser. path: of a trained model's file, else None.
    family: name that the checkpoints of one run share. stamp: of the file as it was when it became known. run: that
    it is a checkpoint of, by the names of `edm.files.names`.
    """

    name: str
    title: str
    shape: tuple[int, ...]
    classes: int
    count: int
    dataset: data.Dataset | None
    path: Path | None = None
    header: Header | None = None
    stamp: str | None = None
    run: str | None = None

    @property
    def identity(self) -> str:
        """What results may be kept under: unlike the name, no other model ever has it."""
        return f"{self.name}@{self.stamp}" if self.trained else self.name

    @property
    def trained(self) -> bool:
        return self.path is not None

    @property
    def family(self) -> str:
        return (self.header.family if self.header else "") or self.name

    @property
    def class_names(self) -> tuple[str, ...]:
        names = self.header.class_names if self.header else self._exact.class_names or self._exact.parts
        return names or tuple(str(k) for k in range(self.classes))

    @property
    def drawn(self) -> tuple[int, ...]:
        """The numbers of the classes that are drawn where none is asked for: of a network, those it was taught."""
        return self.header.drawn if self.header else tuple(range(self.classes))

    @property
    def unconditional(self) -> bool:
        """Whether it can be sampled without a class: it knows none, or was without in part of its training."""
        return not self.trained or not self.classes or (self.header is not None and self.header.label_dropout > 0)

    def class_of(self, label: int | str) -> int:
        """The number of the class that a label means, see `edm.data.classes.find`. Raises ValueError if none does."""
        return number_of(label, self.class_names, self.drawn)

    @property
    def low(self) -> Low | None:
        """Of a model that makes images larger: the low-resolution images that it has to be given."""
        return self.header.low if self.header else None

    @property
    def denoiser(self) -> Any:
        """What it is sampled with. Of a network, as long as no others have been used since that need its memory."""
        if self.path is None:
            return self._exact.labelled
        from edm.experiments.loaded import LOADED, host, size

        return LOADED.of(self, host, None, size, self._loaded)

    def _loaded(self):
        from edm.files.checkpoints import load as load_file

        assert self.path is not None
        loaded = load_file(self.path)
        if self.stamp not in (None, stamp(self.path)):
            raise Refused(f"the file of the model {self.name!r} was replaced; choose it again in a moment, or restart")
        return loaded

    @property
    def _exact(self) -> data.Dataset:
        assert self.dataset is not None  # as of whatever is not trained
        return self.dataset

    @property
    def units(self) -> Units:
        """What its points are in the file that they are of, or were learned from."""
        return self.header.units if self.header else self._exact.units

    @property
    def plane(self) -> np.ndarray | None:
        """By which its points are drawn (`edm.data.Dataset.plane`)."""
        return self.dataset.plane if self.dataset else None

    @property
    def sigma_data(self) -> float:
        return self.header.sigma_data if self.header else self._exact.sigma_data


def number_of(label: int | str, names: tuple[str, ...], drawn: tuple[int, ...]) -> int:
    """The number of the class that a label means, of those that are drawn. Raises Refused if none does."""
    number = classes.find(label, names)
    if number in drawn:
        return number
    if not drawn:
        raise Refused("must be none: this model has no classes")
    known = _listed([names[k] for k in drawn])
    if number is not None:
        raise Refused(f"had no images in the training of this model; it knows {known}")
    plain = names == tuple(str(k) for k in range(len(drawn)))
    raise Refused(f"must be a whole number below {len(drawn)}" if plain else f"must be one of {known}")


def _listed(names, most: int = 12) -> str:
    shown = ", ".join(f"{name!r:.60}" for name in names[:most])
    return shown if len(names) <= most else f"{shown}, … ({len(names)} in all)"
