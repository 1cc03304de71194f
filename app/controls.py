"""What the page's panel offers, derived from the settings' declarations, the registries and the presets."""

from __future__ import annotations

import numpy as np

from app.figures.pack import float32
from edm import presets, timesteps
from edm.data import DATASETS
from edm.exact import GaussianMixture
from edm.settings import Experiment, Sampling, knobs
from edm.solvers import SOLVERS

THUMBNAIL_POINTS = 220
# Short names for buttons; a name that is not listed is shown as it is.
_TITLES = {
    "solver": {name: solver.title for name, solver in SOLVERS.items()},
    "discretization": {"vp": "VP", "ve": "VE", "iddpm": "iDDPM", "edm": "EDM ρ"},
    "schedule": {"vp": "VP", "ve": "√t", "linear": "t"},
    "scaling": {"vp": "VP", "none": "1"},
}


def boot() -> dict:
    """All that the panel needs, as JSON data."""
    declared = knobs(Sampling) | knobs(Experiment)
    for name, knob in declared.items():
        if knob["choices"]:
            knob["titles"] = [_TITLES[name].get(choice, choice) for choice in knob["choices"]]
    return {
        "knobs": declared,
        "ranges": {name: d.range for name, d in timesteps.DISCRETIZATIONS.items()},
        "usesAlpha": [name for name, solver in SOLVERS.items() if solver.uses_alpha],
        "designs": [_design(name) for name in presets.names("designs")],
        "models": [_model(dataset) for dataset in DATASETS.values()],
    }


def _design(name: str) -> dict:
    preset = presets.read(name)
    return {
        "name": name.split("/")[1],
        "title": preset["title"],
        "about": preset["about"],
        "sampling": preset["experiment"]["sampling"],
    }


def _model(dataset) -> dict:
    model = {
        "name": dataset.name,
        "title": dataset.title,
        "shape": dataset.shape,
        "classes": dataset.classes,
        "count": dataset.count,
    }
    if len(dataset.shape) == 1 and dataset.name != "drawn":
        model["sigmaData"] = dataset.sigma_data
        model["components"] = components(dataset.denoiser)
        model["thumbnail"] = float32(dataset.sample(THUMBNAIL_POINTS, seed=1))
    return model


def components(mixture: GaussianMixture) -> dict:
    """The mixture's parameters for the page to shade p(x; σ) with: rows of (weight, std, mean…)."""
    weights = mixture.weights().numpy()[:, None]
    stds = mixture.stds().numpy()[:, None]
    rows = np.concatenate([weights, stds, mixture.means.numpy()], axis=1)
    return {"count": len(rows), "rows": float32(rows)}
