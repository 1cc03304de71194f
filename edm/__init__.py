"""The design space of diffusion models (Karras et al. 2022, arXiv 2206.00364) as a library.

`import edm` loads nothing heavy: torch comes in with the first name that needs it.

    import edm

    data = edm.data.load("eight_gaussians")
    sampling = edm.Sampling(steps=18, S_churn=10)
    seeds = edm.seeds(sampling.seed, 400)
    latents = edm.latents(seeds, data.shape)
    for state in edm.sample(data.denoiser, latents, sampling, seeds=seeds):
        print(state.index, state.sigma, state.evaluations)
    points = state.x
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edm import (
        data,
        diagnostics,
        evaluation,
        exact,
        networks,
        noises,
        objective,
        plots,
        preconditioning,
        runs,
        sampling,
        schedules,
        solvers,
        timesteps,
        training,
    )
    from edm.base.errors import Refused
    from edm.base.fields import SettingsError
    from edm.experiments import classifiers, models, presets, runner
    from edm.experiments.experiment import Experiment
    from edm.files import checkpoints, render
    from edm.files.checkpoints import load
    from edm.preconditioning import Denoiser
    from edm.sampling import guidance, noise, path
    from edm.sampling.loop import State, last, sample
    from edm.sampling.noise import latents, noise_source, seeds
    from edm.sampling.path import path_of
    from edm.sampling.settings import Sampling
    from edm.training.loop import train
    from edm.training.settings import Training

__all__ = [
    "Denoiser",
    "Experiment",
    "Refused",
    "Sampling",
    "SettingsError",
    "State",
    "Training",
    "checkpoints",
    "classifiers",
    "data",
    "diagnostics",
    "evaluation",
    "exact",
    "guidance",
    "last",
    "latents",
    "load",
    "models",
    "networks",
    "noise",
    "noise_source",
    "noises",
    "objective",
    "path",
    "path_of",
    "plots",
    "preconditioning",
    "presets",
    "render",
    "runner",
    "runs",
    "sample",
    "sampling",
    "schedules",
    "seeds",
    "solvers",
    "timesteps",
    "train",
    "training",
]
_HOMES = {  # each is loaded when it is asked for
    "Denoiser": "preconditioning",
    "Experiment": "experiments.experiment",
    "Refused": "base.errors",
    "Sampling": "sampling.settings",
    "SettingsError": "base.fields",
    "State": "sampling.loop",
    "Training": "training.settings",
    "last": "sampling.loop",
    "latents": "sampling.noise",
    "load": "files.checkpoints",
    "noise_source": "sampling.noise",
    "path_of": "sampling.path",
    "sample": "sampling.loop",
    "seeds": "sampling.noise",
    "train": "training.loop",
}
_MODULES = {
    "checkpoints": "files.checkpoints",
    "classifiers": "experiments.classifiers",
    "data": "data",
    "diagnostics": "diagnostics",
    "evaluation": "evaluation",
    "exact": "exact",
    "guidance": "sampling.guidance",
    "models": "experiments.models",
    "networks": "networks",
    "noise": "sampling.noise",
    "noises": "noises",
    "objective": "objective",
    "path": "sampling.path",
    "plots": "plots",
    "preconditioning": "preconditioning",
    "presets": "experiments.presets",
    "render": "files.render",
    "runner": "experiments.runner",
    "runs": "runs",
    "sampling": "sampling",
    "schedules": "schedules",
    "solvers": "solvers",
    "timesteps": "timesteps",
    "training": "training",
}


def __getattr__(name):
    if name in _HOMES:
        return getattr(import_module(f"edm.{_HOMES[name]}"), name)
    if name in _MODULES:
        return import_module(f"edm.{_MODULES[name]}")
    raise AttributeError(f"module 'edm' has no attribute {name!r}; it has {', '.join(__all__)}")


def __dir__():
    return __all__
