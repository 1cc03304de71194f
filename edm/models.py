"""What can be sampled, by name: the exact denoisers of `edm.data`, and trained models (assets/models/).

A trained model's file says all about it; to add one, put its file into the folder.
"""

from __future__ import annotations

import logging
import re
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path

from edm import data, saved
from edm.errors import Refused

FOLDER = Path(__file__).resolve().parent.parent / "assets" / "models"
COUNTS = {1: 400, 3: 16}  # samples by default, of points and of images


@dataclass(frozen=True)
class Model:
    """A denoiser and what is known about it.

    shape: of one sample; classes: 0 for none; count: samples by default; dataset: the `edm.data.Dataset` that it
    denoises or has learned, or None where that has no exact denoiser. path: of a trained model's file, else None.
    family: name that the checkpoints of one run share.
    """

    name: str
    title: str
    shape: tuple[int, ...]
    classes: int
    count: int
    dataset: data.Dataset | None
    path: Path | None = None
    header: object = None

    @property
    def trained(self) -> bool:
        return self.path is not None

    @property
    def family(self) -> str:
        return (self.header.family if self.trained else "") or self.name

    @property
    def class_names(self) -> tuple[str, ...]:
        names = self.header.class_names if self.trained else ()
        return names or tuple(str(k) for k in range(self.classes))

    @cached_property
    def denoiser(self):
        if not self.trained:
            return self.dataset.denoiser
        from edm.checkpoints import load as load_file

        return load_file(self.path)

    @property
    def sigma_data(self) -> float:
        return self.header.sigma_data if self.trained else self.dataset.sigma_data


def names() -> list[str]:
    """All names: exact denoisers first, then trained models."""
    return [*data.DATASETS, *_trained()]


def every() -> list[Model]:
    """All models as they are at this moment, in the order of `names`."""
    return [*map(exact, data.DATASETS.values()), *_trained().values()]


def known(name: str) -> bool:
    """Whether there is a model of that name. The folder is looked at only for names that are no dataset's."""
    return name in data.DATASETS or name in _trained()


def load(name: str) -> Model:
    """The model of that name. Raises ValueError for an unknown one."""
    if name in data.DATASETS:
        return exact(data.DATASETS[name])
    if name not in _trained():
        raise Refused(f"there is no model {name!r}; there are {', '.join(names())}")
    return _trained()[name]


def of(experiment) -> Model:
    """The model of an `edm.Experiment`, its own drawing included."""
    return load(experiment.model) if experiment.points is None else exact(data.of(experiment))


def register(path, name: str | None = None) -> str:
    """Make a model's file known to this process; returns its name. Raises ValueError for what is no model of ours."""
    name = name or str(path)
    _registered[name] = _from_file(name, Path(path))
    return name


def register_run(folder) -> list[str]:
    """Make the checkpoints of a run's folder known, oldest first, as one family; returns their names.

    Those that are not whole are passed over, with a warning. Raises ValueError where there are no others.
    """
    saved.chosen(folder)  # warns
    found = saved.whole(folder)
    run = re.sub(r"[^A-Za-z0-9_-]+", "-", Path(folder).resolve().name)
    names = []
    for path in found:
        model = _from_file(f"{run}_{saved.number(path)}", path)
        header = model.header.model_copy(update={"family": run})
        _registered[model.name] = replace(model, title=f"Run {run}", header=header)
        names.append(model.name)
    return names


def follow_run(folder) -> bool:
    """Make known the checkpoints that a run's folder holds now, and forget those that are gone; to be called again.

    They are one family, run-<name>. Returns whether anything changed. A file that cannot be read yet waits.
    """
    folder, changed = Path(folder), False
    family, title = f"run-{folder.name}", f"Run {folder.name}"
    found = set(saved.whole(folder))
    known = {model.path for model in list(_registered.values()) if model.family == family}
    for path in known - found:
        changed |= _registered.pop(f"{family}_{saved.number(path)}", None) is not None
    for path in sorted(found - known):
        with suppress(Refused, OSError):
            model = _from_file(f"{family}_{saved.number(path)}", path)
            header = model.header.model_copy(update={"family": family})
            _registered[model.name] = replace(model, title=title, header=header)
            changed = True
    return changed


def followed() -> list[Model]:
    """The models that `follow_run` has made known, of each run the oldest first."""
    found = [model for model in list(_registered.values()) if model.name == f"{model.family}_{model.header.images}"]
    return sorted(found, key=lambda model: (model.family, model.header.images))


def exact(dataset: data.Dataset) -> Model:
    """A dataset's exact denoiser as a model."""
    return Model(dataset.name, dataset.title, dataset.shape, dataset.classes, dataset.count, dataset)


def _from_file(name, path) -> Model:
    from edm.checkpoints import read_header

    header = read_header(path)
    known = header.training and header.training.data
    if known and known.path and not Path(known.path).is_absolute():
        known = None  # an exported model knows the name of its file, which may be that of any other here
    dataset = data.learned(known) if known else None
    title = header.title or name
    return Model(name, title, header.shape, header.classes, COUNTS[len(header.shape)], dataset, path, header)


_registered: dict[str, Model] = {}


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
