"""Where measurements begin: models on offer, latents, and results that are computed once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from app.figures import pack
from app.instruments import choosing
from app.instruments.base import option
from edm import diagnostics, models, runner
from edm.experiments.experiment import Experiment
from edm.sampling.path import known_range
from edm.sampling.settings import Sampling

DATA = 400  # samples of the data in a picture


def model_option(default: str, line: bool = True):
    """Which denoiser is measured. line: also those in one dimension."""
    help = "Exact denoisers of toy data and digits, and trained models"
    return option(default, "model", help, choices=lambda: exact_and_trained(line), list=True, section="Data")


def seed_option(help: str, section: str = "Latents"):
    """The seed of what is random."""
    return option(0, "seed", help, slider=(0, 50), step=1, ge=0, le=2**32 - 1, section=section)


def exact_and_trained(line: bool = True) -> dict[str, str]:
    """Every denoiser that needs no drawing: name -> title. line: also those in one dimension; none in more than two."""
    every = [m for m in models.every() if m.name != "drawn" and (len(m.shape) == 3 or m.shape[0] <= 2)]
    found = [m for m in every if line or m.shape != (1,)]
    titles = choosing.titles(model for model in found if model.trained)
    return {model.name: titles.get(model.name, model.title) for model in found}


def latents(model: models.Model, points: int, images: int, seed: int, device):
    """(latents, labels or None): so many points, or images, of which a trained network gets half."""
    count = points if len(model.shape) == 1 else max(1, images // 2) if model.trained else images
    return runner.start(Experiment(model=model.name, count=count, sampling=Sampling(seed=seed)), device)


def solved_once(context, model: models.Model) -> diagnostics.Shared:
    """The model's denoiser, whose exact solution all lines of a figure share; they have little else in common."""
    return diagnostics.Shared(context.denoiser(model), megabytes=0)


def data(model: models.Model) -> str:
    """Samples of the model's data for its picture, packed: [0, 2] where they are not known."""
    known = model.dataset
    return pack.float32(diagnostics.true_points(known, DATA) if known else np.zeros((0, 2)))


def within(model: models.Model, low: float, high: float) -> tuple[float, float]:
    """That range of σ, cut to what a trained model is for."""
    least, most = known_range(model.denoiser)
    return max(low, least), min(high, most)


def kept(context, key, items: Callable[[], Iterable]) -> Iterator[tuple[list, bool]]:
    """As `context.paced(items())`; what was computed to the end is there at once when it is asked for again."""
    known = context.work.remember(key, dict)
    if "all" in known:
        yield known["all"], True
        return
    for done, ended in context.paced(items()):
        if ended:
            known["all"] = done
        yield done, ended
