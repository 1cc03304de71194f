"""What can be sampled, by name: the exact denoisers of `edm.data`, and trained models (assets/models/, cascades/).

A trained model's file says all about it; to add one, put its file into the folder.
"""

from __future__ import annotations

import logging
import re
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edm import data
from edm.base.atomic import stamp
from edm.base.errors import Refused
from edm.base.paths import expanded
from edm.base.resources import ASSETS
from edm.classifier import NO_DENOISER
from edm.data.settings import data_learned
from edm.experiments import classifiers
from edm.experiments.model import Model
from edm.experiments.registered import Registered, Told
from edm.files import names as naming
from edm.files import saved

if TYPE_CHECKING:
    from edm.base.types import StrPath

FOLDER = ASSETS / "models"
CASCADES = ASSETS / "cascades"  # bases of cascades, and what makes their images larger
COUNTS = {1: 400, 3: 16}  # samples by default, of points and of images

_registered = Registered()


def names() -> list[str]:
    """All names: exact denoisers first, then trained models; but none that only makes another's images larger."""
    return [model.name for model in every()]


def every() -> list[Model]:
    """All models as they are at this moment, in the order of `names`."""
    return [*map(exact, data.DATASETS.values()), *(model for model in _trained().values() if not model.low)]


def upsamplers() -> list[Model]:
    """The models that make another's images larger, the second stages of cascades: their denoisers have to be given
    those images first."""
    return [model for model in _trained().values() if model.low]


def known(name: str) -> bool:
    """Whether there is a model of that name. Folders are looked at only for names that are no dataset's."""
    return name in data.DATASETS or name in _trained() or _of_a_run(name) is not None


def load(name: str) -> Model:
    """The model of that name; run-NAME_IMAGES is a run's in the runs folder. Raises ValueError for an unknown one."""
    if name in data.DATASETS:
        return exact(data.DATASETS[name])
    found = _trained().get(name) or _of_a_run(name)
    if found is None and classifiers.known(name):
        raise Refused(NO_DENOISER.format(f"{name} is a classifier"))
    if found is None:
        more = ""
        if re.search(r"[./\\]", name):
            more = "a file is sampled by its path, once it is one of ours: python -m edm convert makes one of a .pkl; "
        raise Refused(f"there is no model {name!r:.200}; {more}there are {', '.join(names())}")
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

    model = _from_file(name, expanded(path))
    if why := broken(path):
        raise Refused(why)
    _registered.know(name, model)
    return name


def forget(*names: str) -> None:
    """Models that were registered are unknown again: those of these names, or all. What ships stays."""
    for name in names or _registered.all():
        _registered.drop(name)


def register_run(folder: StrPath) -> list[str]:
    """Make the checkpoints of a run's folder known, oldest first, as one family; returns their names.

    Those that cannot be read are passed over, with a warning. Raises ValueError where there are no others.
    """
    run = re.sub(r"[^A-Za-z0-9_-]+", "-", expanded(folder).resolve().name)
    names = []
    for path in saved.checkpoints(folder):
        try:
            model = _from_file(f"{run}_{saved.number(path)}", path)
        except Refused as error:
            logging.getLogger(__name__).warning("%s", error)
            continue
        _registered.know(model.name, _in_family(model, run, run))
        names.append(model.name)
    if not names:
        raise Refused(saved.missing(folder))
    return names


def follow_run(folder: StrPath) -> bool:
    """Make known the checkpoints that a run's folder holds now, and forget those that are gone; to be called again.

    They are one family, run-<name>. Returns whether anything changed. A file that cannot be read yet waits.
    """
    folder, changed = expanded(folder), False
    family = naming.family(folder.name)
    try:
        found = {(path, stamp(path)) for path in saved.checkpoints(folder) if _can_be_read(path)}
    except OSError:  # a file server that is away: what was known stays known
        return False
    known = {(model.path, model.stamp) for model in _registered.all().values() if model.path and model.family == family}
    for path in {path for path, _ in known} - {path for path, _ in found}:
        changed |= _registered.drop(naming.model(folder.name, int(path.stem)))
    for path, _ in sorted(found - known):
        with suppress(Refused, OSError):
            model = _checkpoint(folder.name, int(path.stem), path)
            _registered.know(model.name, model)
            changed = True
    return changed


def registered() -> tuple[Told, ...]:
    """What has been made known to this process besides what ships, for `receive` in another; the same object as long
    as it is the same."""
    return _registered.told()


def receive(told: tuple[Told, ...]) -> None:
    """Know what is `registered` in another process, and forget what is not. What cannot be read is passed over."""
    for name in _registered.all().keys() - {name for name, *_ in told}:
        _registered.drop(name)
    for name, path, seen, title, family, run in told:
        before = _registered.get(name)
        if before is None or (before.path, before.stamp) != (path, seen):
            with suppress(Refused, OSError):
                _registered.know(name, replace(_in_family(_from_file(name, path), "", family), title=title, run=run))


def _can_be_read(path) -> bool:
    with suppress(OSError):  # one that is somebody else's must not hide the others
        return saved.flaw(path) is None
    return False


def followed() -> list[Model]:
    """The models that `follow_run` has made known, of each run the oldest first."""
    found = [model for model in _registered.all().values() if model.run is not None]
    return sorted(found, key=lambda model: (model.family, model.header.images if model.header else 0))


def exact(dataset: data.Dataset) -> Model:
    """A dataset's exact denoiser as a model."""
    return Model(
        dataset.name, dataset.title, dataset.shape, dataset.classes or len(dataset.parts), dataset.count, dataset
    )


def _from_file(name, path) -> Model:
    from edm.files.checkpoints import read_header

    before = stamp(path)
    header = read_header(path)
    if stamp(path) != before:
        raise Refused(f"{path} was replaced while it was read; try again")
    if header.classifies:
        raise Refused(NO_DENOISER.format(f"{name} is a classifier"))
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


def _trained() -> dict[str, Model]:
    return {**_shipped(), **_registered.all()}


@lru_cache(maxsize=1)
def _shipped() -> dict[str, Model]:
    found = []
    for path in sorted(path for folder in (FOLDER, CASCADES) for path in folder.glob("*.safetensors")):
        try:
            found.append(_from_file(path.stem, path))
        except (Refused, OSError) as error:  # one bad file must not take the others with it
            logging.getLogger(__name__).warning("%s", error)
    found.sort(key=lambda model: (model.header.order, model.header.images))
    return {model.name: model for model in found}
