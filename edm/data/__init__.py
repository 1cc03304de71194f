"""Datasets by name, each with its exact denoiser.

To add one, put a `Dataset` into DATASETS: page, command line and contract tests read it there. Building is
lazy, so that the table costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from importlib import import_module
from typing import IO, TYPE_CHECKING, Any

from edm.base.errors import Refused
from edm.base.paths import expanded
from edm.data import digits, emoji, points, toy
from edm.data.brought import Brought, Limits
from edm.data.units import AS_THEY_ARE, Units
from edm.embedded import Embedded, basis

if TYPE_CHECKING:
    import numpy as np
    import torch

    from edm.base.types import StrPath


@dataclass(frozen=True)
class Dataset:
    """A distribution to sample. shape: of one sample; classes: number of them (0: none); count: samples by default;
    class_names: what they are called, where they have other names than their numbers. units: of points, what they are
    in their file. parts: of a distribution without classes, what those of its parts are called that its exact denoiser
    knows apart, as classes that can be sampled, and trained on by who asks for them. apart: made to show one thing;
    lists of all leave it to links.

    denoiser: the exact one, in closed form. sigma_data: standard deviation of a coordinate.
    """

    name: str
    title: str
    shape: tuple[int, ...]
    build: Callable
    classes: int = 0
    count: int = 400
    class_names: tuple[str, ...] = ()
    units: Units = AS_THEY_ARE
    parts: tuple[str, ...] = ()
    apart: bool = False

    @cached_property
    def labelled(self) -> Any:
        """The exact denoiser that knows parts, too, where there are any, as classes."""
        return self.build()

    @cached_property
    def denoiser(self) -> Any:
        return self.labelled.untold() if self.parts else self.labelled

    @property
    def sigma_data(self) -> float:
        return self.denoiser.sigma_data

    @property
    def plane(self) -> np.ndarray | None:
        """By which points in more than two dimensions are drawn, [2, d] (`edm.embedded`); None: the first two."""
        return getattr(self.denoiser, "plane", None) if len(self.shape) == 1 and self.shape[0] > 2 else None

    def within(self, dimensions: int) -> Dataset:
        """These points on a plane in a space of so many dimensions. Raises Refused for fewer than they have."""
        own = self.shape[0]
        if dimensions < own:
            raise Refused(f"dimensions = {dimensions}: {self.title} has {own} of its own; give as many, or more")
        return replace(
            self, name=f"{self.name}-{dimensions}", title=f"{self.title} in {dimensions} dimensions",
            shape=(dimensions,), build=lambda: Embedded(self.denoiser, basis(dimensions, own)),
            units=AS_THEY_ARE, parts=(),
        )  # fmt: skip

    def sample(self, count: int, seed: int = 0, label: int | None = None) -> torch.Tensor:
        """`count` samples of the data itself [count, *shape], float32; of one class if `label` is given."""
        return self.labelled.sample(count, seed, label)


def _parted(name, title, build, parts, dim=2, count=400, apart=False) -> Dataset:
    """A distribution of points whose parts are known."""
    return Dataset(name, title, (dim,), build, count=count, parts=tuple(parts), apart=apart)


def _undrawn():
    raise Refused("the model 'drawn' has no points of its own; use edm.data.of(experiment)")


DATASETS = {
    dataset.name: dataset
    for dataset in (
        Dataset("eight_gaussians", "Eight Gaussians", (2,), toy.eight_gaussians),
        _parted("two_moons", "Two moons", toy.two_moons, ["upper moon", "lower moon"]),
        _parted("circles", "Circles", toy.circles, ["inner circle", "outer circle"]),
        Dataset("spiral", "Spiral", (2,), toy.spiral),
        Dataset("checkerboard", "Checkerboard", (2,), toy.checkerboard),
        _parted("pinwheel", "Pinwheel", toy.pinwheel, [f"blade {k + 1}" for k in range(5)]),
        Dataset("swiss_roll", "Swiss roll", (2,), toy.swiss_roll),
        _parted("tree", "Two trees", toy.tree, ["upper tree", "lower tree"], apart=True),
        Dataset("smiley", "Smiley", (2,), toy.smiley),
        Dataset("plane_16", "A plane in 16 dimensions", (16,), toy.plane_16, apart=True),
        Dataset("two_diracs", "Two Diracs (1-D)", (1,), toy.two_diracs, count=60),
        _parted("two_modes", "Two modes (1-D)", toy.two_modes, ["left", "right"], 1, 60, apart=True),
        _parted("three_modes", "Three modes (1-D)", toy.three_modes, ["left", "middle", "right"], 1, 60),
        Dataset("digits", "Digits, ideal denoiser", digits.SHAPE, digits.exact, classes=10, count=16),
        Dataset(
            "emoji", "Emoji, ideal denoiser", emoji.SHAPE, emoji.exact, classes=9, count=16, class_names=emoji.CLASSES
        ),
        Dataset("drawn", "Your drawing", (2,), _undrawn),
    )
}


def load(name: str) -> Dataset:
    """The dataset of that name. Raises ValueError for an unknown one."""
    if name not in DATASETS:
        raise Refused(f"there is no dataset {name!r}; there are {', '.join(DATASETS)}")
    return DATASETS[name]


def of(experiment: Any) -> Dataset:
    """The dataset of an `edm.Experiment`, its own drawing included."""
    if experiment.points is None:
        return load(experiment.model)
    return Dataset("drawn", "Your drawing", (2,), lambda: toy.drawn(experiment.points))


def bring(
    given: StrPath | Sequence[tuple[str, IO[bytes]]], *, columns: str | Sequence[str | int] | None = None,
    labels: str | None = None, leave_out: bool = False, limits: Limits | None = None,
    work: Callable[[Callable], Any] | None = None, progress: Callable[[int, int], Any] | None = None,
) -> Brought:  # fmt: skip
    """What somebody brings: how many samples of which shape and classes, what was left out and why.

    given: a folder, an archive or a file of images, arrays or points, or files as (name, binary file that can seek).
    columns: of a table, names or numbers from 1 of its coordinates, as a list or as "x,y"; a third one is the classes.
    labels: "names" takes classes from the names of files. leave_out: images that are broken are left out, and not
    refused. limits: of what comes out. work: is given each piece of the work, a function that returns (value, pixels
    decoded), and returns the value; what it raises ends the work. progress: is told how many files have been looked at,
    and of how many.
    Raises Refused, in a sentence that names what is wrong and the remedy; `edm.data.brought.NotTaken`, where a choice
    cures it.
    """
    from edm.data.brought.reading import bring

    return bring(
        given, columns=columns, labels=labels, leave_out=leave_out, limits=limits, work=work, progress=progress
    )


def of_points(path: StrPath, columns: str | None = None) -> Dataset:
    """The distribution of the points in a file (`edm.data.points`), named by what it holds. columns: of a table, its
    coordinates, "x,y". Raises ValueError."""
    known = points.table(path, columns)
    labels = known.labels
    told = () if labels is None else (known.class_names, labels.tolist())
    return Dataset(
        f"points-{points.digest(known.numbers, *told)}", f"Points of {expanded(path).name}", known.points.shape[1:],
        lambda: toy.drawn(known.points, labels), classes=len(known.class_names), class_names=known.class_names,
        units=known.units,
    )  # fmt: skip


def chosen(settings: Any) -> Dataset:
    """The distribution that an `edm.data.settings.Data` names, in as many dimensions. Raises ValueError."""
    points = settings.dataset == "points"
    found = of_points(settings.path, settings.columns) if points else load(settings.dataset)
    return found if settings.dimensions is None else found.within(settings.dimensions)


def learned(settings: Any) -> Dataset | None:
    """What an `edm.data.settings.Data` is, where that has an exact denoiser; None, too, if its file is gone."""
    try:
        return chosen(settings)
    except Refused:
        return None


_LATE = {"advice": "advising", "advise": "advising"}  # each is loaded when it is asked for: it reads all data


def __getattr__(name: str) -> Any:
    if name in _LATE:
        return getattr(import_module(f"edm.data.{_LATE[name]}"), name)
    raise AttributeError(f"module 'edm.data' has no attribute {name!r}")
