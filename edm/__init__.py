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

_HOME = {
    "Experiment": "settings",
    "Sampling": "settings",
    "Training": "training.settings",
    "Refused": "errors",
    "SettingsError": "fields",
    "Denoiser": "preconditioning",
    "State": "sampling",
    "last": "sampling",
    "latents": "noise",
    "load": "checkpoints",
    "noise_source": "noise",
    "path_of": "path",
    "sample": "sampling",
    "seeds": "noise",
    "train": "training.loop",
}
_MODULES = {
    "data",
    "checkpoints",
    "diagnostics",
    "evaluation",
    "exact",
    "models",
    "networks",
    "noise",
    "path",
    "plots",
    "preconditioning",
    "presets",
    "render",
    "runner",
    "sampling",
    "schedules",
    "settings",
    "solvers",
    "timesteps",
    "training",
}
__all__ = sorted({*_HOME, *_MODULES})


def __getattr__(name):
    if name in _HOME:
        return getattr(import_module(f"edm.{_HOME[name]}"), name)
    if name in _MODULES:
        return import_module(f"edm.{name}")
    raise AttributeError(f"module 'edm' has no attribute {name!r}; it has {', '.join(__all__)}")


def __dir__():
    return __all__
