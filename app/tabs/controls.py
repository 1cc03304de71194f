"""What the page's panel offers, derived from the settings' declarations, the registries and the presets."""

from __future__ import annotations

import logging
from contextlib import suppress

from app.figures.pack import components
from app.instruments import INSTRUMENTS, notices
from app.training import datasets, film
from app.work import thumbnails
from edm import classifiers, guidance, models, presets, timesteps
from edm.base.errors import Refused
from edm.base.fields import knobs
from edm.data.classes import written
from edm.experiments import cascades
from edm.experiments.experiment import Experiment
from edm.sampling.settings import Sampling


def boot() -> dict:
    """All that the panel needs, as JSON data."""
    return {
        "knobs": knobs(Sampling) | knobs(Experiment),
        "guidances": [_guidance(entry) for entry in guidance.GUIDANCES.values()],
        "classifiers": told_apart(),
        "ranges": {name: d.range for name, d in timesteps.DISCRETIZATIONS.items()},
        "designs": [_design(name) for name in presets.names("designs")],
        "models": shown(),
        "figures": [_figure(name) for name in presets.names("figures")],
    }


def shown() -> list[dict]:
    """All models that can be shown; what is wrong with another is told to whoever looks after the server."""
    found = []
    every = models.every()
    shapes = {model.shape for model in every}  # a cascade is shown where there is a base of its images
    for model in (*every, *(model for model in models.upsamplers() if cascades.low_shape(model) in shapes)):
        try:
            found.append(described(model))
        except (Refused, OSError) as error:
            logging.getLogger(__name__).warning("the model %s is left out: %s", model.name, error)
    return found


def _figure(name: str) -> dict:
    """A preset of the folder figures, with the instrument that shows it."""
    preset = presets.read(name)
    show, values = presets.figure(name)
    notice = notices.read(name)
    return {
        "name": name.split("/")[1],
        "title": preset["title"],
        "paper": preset["paper"],
        "about": preset["about"],
        "claim": notice.claim if notice else "",
        "tab": INSTRUMENTS[show].tab,
        "show": show,
        "values": INSTRUMENTS[show].complete(values),
        "picture": f"explorer-figures/{name.split('/')[1]}.png",
    }


def told_apart() -> list[dict]:
    """The classifiers of noisy samples, those that ship and those of runs."""
    found = []
    for name in (*classifiers.names(), *classifiers.of_runs()):
        with suppress(Refused, OSError):
            known = classifiers.load(name)
            shown = {"title": known.title, "shape": known.shape, "classes": known.class_names, "run": known.run}
            found.append({"name": name, **shown})
    return found


def _guidance(entry) -> dict:
    return {name: getattr(entry, name) for name in ("name", "takes", "needs", "neutral", "classes", "population")}


def _design(name: str) -> dict:
    preset = presets.read(name)
    return {
        "name": name.split("/")[1],
        "title": preset["title"],
        "about": preset["about"],
        "sampling": preset["experiment"]["sampling"],
    }


def choices() -> dict:
    """What every instrument offers now, since models come and go: instrument -> knob -> its choices and titles."""
    offered: dict = {}
    for name, instrument in INSTRUMENTS.items():
        for knob, declared in instrument.described()["knobs"].items():
            if declared.get("titles"):
                picked = {key: declared[key] for key in ("choices", "titles")}
                offered.setdefault(name, {})[knob] = picked
    return offered


def described(model: models.Model) -> dict:
    """A model for the page; one of a run shares its thumbnail with all others of it (`app.tabs.models`)."""
    described = {
        "name": model.name,
        "title": model.title,
        "shape": model.shape,
        "classes": [[written(name), name] for name in (model.class_names[k] for k in model.drawn)],
        "unconditional": model.unconditional,
        "count": model.count,
        "trained": model.trained,
        "apart": not model.trained and model.dataset.apart,
        "family": model.family,
        "run": model.run,
        "images": model.header.images if model.header else None,
        "dataset": model.dataset.name if model.dataset else None,
        "sigmaData": model.sigma_data if model.name != "drawn" else None,
        "range": _range(model),
    }
    if model.low is not None:
        low = model.low
        told = {"resolution": low.resolution, "noise": low.usual, "most": low.noise}
        described["low"] = {**told, "base": cascades.base_of(model, None).name}
    if len(model.shape) == 1 and model.name != "drawn":
        described["components"] = components(model.dataset.labelled) if model.dataset else {"count": 0, "rows": ""}
    if model.name != "drawn" and not model.run:
        described["thumbnail"] = thumbnail(model)
    return described


def _range(model) -> list[float | None]:
    """The noise levels that the model is for; None: no bound."""
    if not model.trained:
        return [None, None]
    built = model.header.preconditioning.build()
    low, high = built.sigma_min, built.sigma_max
    return [low or None, high if high < float("inf") else None]


def thumbnail(model) -> str | None:
    """A few samples (`app.work.thumbnails.of`); of a run those that it has drawn itself, of a dataset as the Train tab
    shows it. None where a network would have to be asked, which takes its time."""
    if model.run:
        return film.thumbnail(model.path, model.shape, model.plane)
    if model.trained:
        return thumbnails.shipped(model)
    return datasets.named(model.name, "").thumbnail
