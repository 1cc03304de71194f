"""A state of the page, as a lesson measures it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from edm.experiments import models, runner
from edm.sampling.denoisers import on
from edm.sampling.loop import last

if TYPE_CHECKING:
    import torch

    from edm.experiments.experiment import Experiment
    from edm.sampling.denoisers import Denoise


class State:
    """An experiment, and what of it has been computed. wrap: around the denoiser, such as a check that ends work."""

    def __init__(self, experiment: Experiment, wrap: Callable | None = None):
        self.experiment, self.wrap = experiment, wrap
        self.model: models.Model = models.of(experiment)
        self._samples: torch.Tensor | None = None

    @property
    def denoiser(self) -> Denoise:
        denoiser = on(self.model.denoiser, "cpu")
        return self.wrap(denoiser) if self.wrap else denoiser

    @property
    def samples(self) -> torch.Tensor:
        """Drawn once. No cached_property: before Python 3.12 that holds one lock for all states while it computes, and
        what computes here gives its turn to others meanwhile, who would wait for the lock."""
        if self._samples is None:
            self._samples = last(runner.states(self.experiment, wrap=self.wrap)).x
        return self._samples

    @property
    def started(self) -> tuple[torch.Tensor, torch.Tensor | None]:
        """(latents, labels or None)."""
        return runner.start(self.experiment)

    @property
    def heavy(self) -> bool:
        return self.model.trained and len(self.model.shape) == 3
