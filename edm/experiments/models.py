"""What can be sampled, by name: the exact denoisers of `edm.data`, and trained models (assets/models/).

A trained model's file says all about it; to add one, put its file into the folder.
"""

from __future__ import annotations

import logging
import re
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edm import data
from edm.base.atomic import stamp
from edm.base.errors import Refused
from edm.base.resources import ASSETS
from edm.data import classes
from edm.data.settings import data_learned
from edm.files import names as naming
from edm.files import saved

if TYPE_CHECKING:
    from edm.base.types import StrPath
    from edm.files.checkpoints import Header

FOLDER = ASSETS / "models"
COUNTS = {1: 400, 3: 16}  # samples by default, of points and of images


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
        names = self.header.class_names if self.header else ()
        return names or tuple(str(k) for k in range(self.classes))

    @property
    def drawn(self) -> tuple[int, ...]:
        """The numbers of the classes that are drawn where none is asked for: of a network, those it was taught."""
        return self.header.drawn if self.header else tuple(range(self.classes))

    def class_of(self, label: int | str) -> int:
        """The number of the class that a label means, see `edm.data.classes.find`. Raises ValueError if none does."""
        names, drawn = self.class_names, self.drawn
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

    @property
    def denoiser(self) -> Any:
        """What it is sampled with. Of a network, as long as no others have been used since that need its memory."""
        if self.path is None:
            return self._exact.denoiser
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
    def sigma_data(self) -> float:
        return self.header.sigma_data if self.header else self._exact.sigma_data


def _listed(names, most: int = 12) -> str:
    shown = ", ".join(f"{name!r:.60}" for name in names[:most])
    return shown if len(names) <= most else f"{shown}, … ({len(names)} in all)"


def names() -> list[str]:
    """All names: exact denoisers first, then trained models."""
    return [*data.DATASETS, *_trained()]


def every() -> list[Model]:
    """All models as they are at this moment, in the order of `names`."""
    return [*map(exact, data.DATASETS.values()), *_trained().values()]


def known(name: str) -> bool:
    """Whether there is a model of that name. Folders are looked at only for names that are no dataset's."""
    return name in data.DATASETS or name in _trained() or _of_a_run(name) is not None


def load(name: str) -> Model:
    """The model of that name; run-NAME_IMAGES is a run's in the runs folder. Raises ValueError for an unknown one."""
    if name in data.DATASETS:
        return exact(data.DATASETS[name])
    found = _trained().get(name) or _of_a_run(name)
    if found is None:
        raise Refused(f"there is no model {name!r}; there are {', '.join(names())}")
    return found


def ships(name: str) -> bool:
    """Whether every copy of this program knows a model of that name."""
    return name in data.DATASETS or name in _shipped()


def of(experiment: Any) -> Model:
    """The model of an `edm.Experiment`, its own drawing included."""
    return load(experiment.model) if experiment.points is None else exact(data.of(experiment))


def register(path: StrPath, name: str | None = None) -> str:
    """Make a model's file known to this process; returns its name.

    Raises ValueError for what is no model of ours, or none that can be sampled.
    """
    name = name or str(path)
    from edm.files.checkpoints import broken

    model = _from_file(name, Path(path))
    if why := broken(path):
        raise Refused(why)
    _know(name, model)
    return name


def forget(*names: str) -> None:
    """Models that were registered are unknown again: those of these names, or all. What ships stays."""
    for name in names or list(_registered):
        _drop(name)


def register_run(folder: StrPath) -> list[str]:
    """Make the checkpoints of a run's folder known, oldest first, as one family; returns their names.

    Those that cannot be read are passed over, with a warning. Raises ValueError where there are no others.
    """
    run = re.sub(r"[^A-Za-z0-9_-]+", "-", Path(folder).resolve().name)
    names = []
    for path in saved.checkpoints(folder):
        try:
            model = _from_file(f"{run}_{saved.number(path)}", path)
        except Refused as error:
            logging.getLogger(__name__).warning("%s", error)
            continue
        _know(model.name, _in_family(model, run, run))
        names.append(model.name)
    if not names:
        raise Refused(saved.missing(folder))
    return names


def follow_run(folder: StrPath) -> bool:
    """Make known the checkpoints that a run's folder holds now, and forget those that are gone; to be called again.

    They are one family, run-<name>. Returns whether anything changed. A file that cannot be read yet waits.
    """
    folder, changed = Path(folder), False
    family = naming.family(folder.name)
    try:
        found = {(path, stamp(path)) for path in saved.checkpoints(folder) if _can_be_read(path)}
    except OSError:  # a file server that is away: what was known stays known
        return False
    known = {(model.path, model.stamp) for model in list(_registered.values()) if model.path and model.family == family}
    for path in {path for path, _ in known} - {path for path, _ in found}:
        changed |= _drop(naming.model(folder.name, int(path.stem)))
    for path, _ in sorted(found - known):
        with suppress(Refused, OSError):
            model = _checkpoint(folder.name, int(path.stem), path)
            _know(model.name, model)
            changed = True
    return changed


def registered() -> tuple[_Told, ...]:
    """What has been made known to this process besides what ships, for `receive` in another; the same object as long
    as it is the same."""
    return _told(_changes)


def receive(told: tuple[_Told, ...]) -> None:
    """Know what is `registered` in another process, and forget what is not. What cannot be read is passed over."""
    for name in _registered.keys() - {name for name, *_ in told}:
        _drop(name)
    for name, path, seen, title, family, run in told:
        before = _registered.get(name)
        if before is None or (before.path, before.stamp) != (path, seen):
            with suppress(Refused, OSError):
                _know(name, replace(_in_family(_from_file(name, path), "", family), title=title, run=run))


def _can_be_read(path) -> bool:
    with suppress(OSError):  # one that is somebody else's must not hide the others
        return saved.flaw(path) is None
    return False


def followed() -> list[Model]:
    """The models that `follow_run` has made known, of each run the oldest first."""
    found = [model for model in list(_registered.values()) if model.run is not None]
    return sorted(found, key=lambda model: (model.family, model.header.images if model.header else 0))


def exact(dataset: data.Dataset) -> Model:
    """A dataset's exact denoiser as a model."""
    return Model(dataset.name, dataset.title, dataset.shape, dataset.classes, dataset.count, dataset)


def _from_file(name, path) -> Model:
    from edm.files.checkpoints import read_header

    before = stamp(path)
    header = read_header(path)
    if stamp(path) != before:
        raise Refused(f"{path} was replaced while it was read; try again")
    known = data_learned(header)
    if known and known.path and not Path(known.path).is_absolute():
        known = None  # an exported model knows the name of its file, which may be that of any other here
    dataset = data.learned(known) if known else None
    title = header.title or name
    return Model(name, title, header.shape, header.classes, COUNTS[len(header.shape)], dataset, path, header, before)


def _checkpoint(run: str, images: int, path) -> Model:
    """A checkpoint as a model of its run's family."""
    model, family = _from_file(naming.model(run, images), path), naming.family(run)
    return replace(_in_family(model, run, family), run=run)


def _in_family(model: Model, run: str, family: str) -> Model:
    header = model.header and model.header.model_copy(update={"family": family})
    return replace(model, title=f"Run {run}", header=header)


def _of_a_run(name) -> Model | None:
    """The model of that name in the runs folder, as its file is now; None if there is none that can be read."""
    path = naming.checkpoint(name)
    with suppress(Refused, OSError):
        return path and _kept(path.absolute(), stamp(path))
    return None


@lru_cache(maxsize=8)
def _kept(path, *_changed) -> Model:
    return _checkpoint(path.parents[1].name, int(path.stem), path)


_registered: dict[str, Model] = {}
_changes = 0  # of it, in all
_Told = tuple[str, Path | None, str | None, str, str, str | None]  # name, path, stamp, title, family, run


def _know(name: str, model: Model) -> None:
    global _changes
    _registered[name] = model
    _changes += 1


def _drop(name: str) -> bool:
    """Whether it was there."""
    global _changes
    there = _registered.pop(name, None) is not None
    _changes += there
    return there


@lru_cache(maxsize=1)
def _told(_changes: int) -> tuple[_Told, ...]:
    found = list(_registered.values())
    return tuple((m.name, m.path, m.stamp, m.title, m.header.family if m.header else "", m.run) for m in found)


def _trained() -> dict[str, Model]:
    return {**_shipped(), **_registered}


@lru_cache(maxsize=1)
def _shipped() -> dict[str, Model]:
    found = []
    for path in sorted(FOLDER.glob("*.safetensors")):
        try:
            found.append(_from_file(path.stem, path))
        except (Refused, OSError) as error:  # one bad file must not take the others with it
            logging.getLogger(__name__).warning("%s", error)
    found.sort(key=lambda model: (model.header.order, model.header.images))
    return {model.name: model for model in found}
