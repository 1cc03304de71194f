"""Classifiers of noisy samples by name: what guides a model towards a class. Those that ship lie in assets/guides/; a
run's are called as its models are, run-NAME_IMAGES; and any file of one is called by its path.

guide = edm.classifiers.load("digits_noisy")
log_p = guide.classifier(x, sigma)  # log p(c | x; σ) [B, C]
"""

from __future__ import annotations

import json
import logging
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from edm.base.atomic import stamp
from edm.base.errors import Refused
from edm.base.paths import expanded
from edm.base.resources import ASSETS
from edm.data.settings import data_learned
from edm.experiments.model import number_of
from edm.files import names as naming
from edm.files import saved

if TYPE_CHECKING:
    from edm.base.types import StrPath
    from edm.classifier import Classifier
    from edm.experiments.model import Model
    from edm.files.checkpoints import Header

FOLDER = ASSETS / "guides"


@dataclass(frozen=True)
class Guide:
    """A classifier and what is known of it. stamp: of its file as it was when it became known."""

    name: str
    path: Path
    header: Header
    stamp: str | None = None

    @property
    def identity(self) -> str:
        """What results may be kept under: unlike the name, no other classifier ever has it."""
        return f"{self.name}@{self.stamp}"

    @property
    def run(self) -> str | None:
        """The run that it is a checkpoint of."""
        return self.path.parents[1].name if naming.checkpoint(self.name) else None

    @property
    def title(self) -> str:
        return self.header.title or (f"Run {self.run}" if self.run else self.name)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.header.shape

    @property
    def classes(self) -> int:
        return self.header.classes

    @property
    def class_names(self) -> tuple[str, ...]:
        return self.header.class_names or tuple(str(k) for k in range(self.classes))

    @property
    def drawn(self) -> tuple[int, ...]:
        """The numbers of all classes."""
        return tuple(range(self.classes))

    def class_of(self, label: int | str) -> int:
        """As of a model."""
        return number_of(label, self.class_names, self.drawn)

    @property
    def dataset(self) -> str | None:
        """The name of the data that it has learned, if it says so."""
        known = data_learned(self.header)
        return known and known.dataset

    @property
    def classifier(self) -> Classifier:
        """log p(c | x; σ), on the CPU; kept as long as no others have been used since that need its memory."""
        from edm.experiments.loaded import LOADED, host, size

        return LOADED.of(self, host, None, size, self._loaded)

    def _loaded(self):
        from edm.classifier import Classifier
        from edm.files.checkpoints import load as load_file

        loaded = load_file(self.path)
        if self.stamp not in (None, stamp(self.path)) or not isinstance(loaded, Classifier):
            raise Refused(f"the file of the classifier {self.name!r} was replaced; choose it again in a moment")
        return loaded


def names() -> list[str]:
    """The names of all classifiers that ship."""
    return list(_shipped())


def of_runs() -> list[str]:
    """The newest whole classifier of each run in the runs folder that learns one."""
    found = []
    for folder in sorted(_folders()):
        with suppress(OSError, ValueError):
            learns = json.loads((folder / "config.json").read_bytes()).get("learns")
            last = saved.newest(folder) if learns == "classifier" else None
            if last is not None:
                found.append(naming.model(folder.name, int(last.stem)))
    return found


def known(name: str) -> bool:
    """Whether there is a classifier of that name, or a file of one."""
    with suppress(Refused, OSError):
        return bool(load(name))
    return False


def load(name: str) -> Guide:
    """The classifier of that name. Raises Refused if there is none, or if it is a model that draws samples."""
    if name in _shipped():
        return _shipped()[name]
    path = naming.checkpoint(name)
    if path is None and str(name).endswith(".safetensors"):
        path = expanded(name)
    if path is None:
        raise Refused(f"there is no classifier {name!r:.200}; there are {', '.join(names())}, and those of runs")
    return _kept(name, path.absolute(), stamp(path))


def default(model: Model) -> str | None:
    """The classifier that ships of the data that a model has learned; None: there is none that fits."""
    known = data_learned(model.header)
    dataset = known.dataset if known else model.dataset and model.dataset.name
    fitting = (name for name, guide in _shipped().items() if guide.dataset == dataset and not odd(guide, model))
    return next(fitting, None)


def odd(guide: Guide, model: Model) -> str:
    """Why a classifier cannot guide a model, in a sentence; "" if it can."""
    if guide.shape != model.shape:
        mine, other = ("×".join(map(str, shape)) for shape in (guide.shape, model.shape))
        return f"the classifier {guide.name!r} is for samples of {mine}, and {model.name!r} makes {other}"
    if model.classes and guide.class_names != model.class_names:
        mine, other = (", ".join(of.class_names[:12]) for of in (guide, model))
        return f"the classifier {guide.name!r} tells the classes {mine}, and {model.name!r} knows {other}"
    return ""


def guide_of(model: Model, name: str | None = None) -> Guide:
    """The classifier of that name as a guide of a model; None: the one of the data that it has learned.

    Raises Refused if there is none, or it does not fit.
    """
    if name is None and (name := default(model)) is None:
        raise Refused(
            f"no classifier that ships knows the classes of {model.name!r}; train one with python -m edm "
            "train-classifier, and name it as guide"
        )
    guide = load(name)
    if why := odd(guide, model):
        raise Refused(why)
    return guide


def _folders() -> list[Path]:
    with suppress(OSError):
        return [path for path in naming.runs_folder().iterdir() if naming.is_name(path.name) and path.is_dir()]
    return []


@lru_cache(maxsize=16)
def _kept(name, path, *_changed) -> Guide:
    return _from_file(name, path)


def _from_file(name: str, path: StrPath) -> Guide:
    from edm.files.checkpoints import read_header

    path = expanded(path)
    before, header = stamp(path), read_header(path)
    if not header.classifies:
        raise Refused(f"{name!r} is no classifier, but a model that draws samples; name a classifier of its classes")
    return Guide(name, path, header, before)


@lru_cache(maxsize=1)
def _shipped() -> dict[str, Guide]:
    found = {}
    for path in sorted(FOLDER.glob("*.safetensors")):
        try:
            found[path.stem] = _from_file(path.stem, path)
        except (Refused, OSError) as error:  # one bad file must not take the others with it
            logging.getLogger(__name__).warning("%s", error)
    return found
