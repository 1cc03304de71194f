"""Which models an instrument offers, and how it names and paints them."""

from __future__ import annotations

from collections.abc import Iterable

from edm import models, presets
from edm.base.choices import title_of
from edm.base.errors import Refused
from edm.data.settings import data_learned
from edm.preconditioning import PRECONDITIONINGS

EXACT, SHARED, OWN, BOTH = "exact", "shared", "own", "both"


def data() -> dict[str, str]:
    """The data that models are of: those with an exact denoiser, and those with a trained one only."""
    exact = (model for model in models.every() if not model.trained and model.name != "drawn")
    found = {model.name: model.title.split(", ")[0] for model in exact}
    for model in trained():
        title = model.dataset.title if model.dataset else data_of(model).replace("_", " ").title()
        found.setdefault(data_of(model), title)
    return found


def plane() -> dict[str, str]:
    """The data in two dimensions."""
    return {name: title for name, title in data().items() if name in models.names() and _shape(name) == (2,)}


def small() -> dict[str, str]:
    """The data that are points in one or two dimensions."""
    return {name: title for name, title in data().items() if name in models.names() and _shape(name) in ((1,), (2,))}


def _shape(name):
    return models.load(name).shape


def trained() -> list[models.Model]:
    """All trained models, the checkpoints of a run among them, in order."""
    return [model for model in models.every() if model.trained]


def trained_titles() -> dict[str, str]:
    """All trained models, by name."""
    return titles(trained())


def title(model) -> str:
    """The model's title, told from the other checkpoints of its run by their training time."""
    return titles([model])[model.name]


def titles(found: Iterable[models.Model]) -> dict[str, str]:
    """The same of several trained models, by name."""
    newest: dict[str, models.Model] = {}
    for model in trained():
        if model.header.images > newest.setdefault(model.family, model).header.images:
            newest[model.family] = model
    return {
        model.name: model.title
        if newest.get(model.family, model) is model
        else f"{model.title} ({model.header.images // 1000} k images)"
        for model in found
    }


def data_of(model) -> str:
    """The name of the data that a model is of."""
    if model.dataset:
        return model.dataset.name
    known = data_learned(model.header) if model.trained else None
    return known.dataset if known else model.name


def preconditioning_of(model) -> str:
    """The column of Table 1 that a trained model's preconditioning is of."""
    return model.header.preconditioning.name


def column_title(name: str, registry=PRECONDITIONINGS) -> str:
    """The title of the column of Table 1 that a preconditioning, or another entry, is called after; or its own."""
    return presets.titles().get(name) or (title_of(registry, name) if name in registry else name)


def exact_of(model):
    """The exact denoiser's model of the same data, or None."""
    return models.exact(model.dataset) if model.dataset else None


def exact_code(model) -> str:
    """The same in Python."""
    if models.known(model.dataset.name):
        return f"edm.models.load({model.dataset.name!r})"
    return f"edm.models.exact(edm.models.load({model.name!r}).dataset)"


def learned(dataset: str, column: str = "edm"):
    """The trained model of that data and preconditioning that has seen the most. Raises Refused if there is none."""
    fitting = [m for m in trained() if data_of(m) == dataset and preconditioning_of(m) == column]
    if not fitting:
        have = sorted({column_title(preconditioning_of(m)) for m in trained() if data_of(m) == dataset})
        there = f"there are models of {', '.join(have)}" if have else "there is no trained model at all"
        wanted = f"no model of {dataset} with {column_title(column)}'s preconditioning"
        raise Refused(f"{wanted} ships: {there}; choose another denoiser")
    return max(fitting, key=lambda model: model.header.images)


def denoising(dataset: str, kind: str, column: str = "edm"):
    """The model of that data: exact, the shared learned one, or the own one of a column. Raises Refused."""
    if kind != EXACT:
        return learned(dataset, column if kind == OWN else "edm")
    if not models.known(dataset):
        raise Refused(f"there is no exact denoiser of {dataset}, whose images are without number; choose a learned one")
    return models.load(dataset)
