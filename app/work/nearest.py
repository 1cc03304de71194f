"""The training images that samples are nearest to: in the Sampler tab's pictures, and counted in comparisons."""

from __future__ import annotations

import torch

from app.work.shared import Work
from edm import diagnostics, models
from edm.evaluation.copies import Known, Nearest


def beside(model: models.Model, samples: torch.Tensor, work: Work) -> tuple[Known, Nearest] | None:
    """(the model's training images, which of them are nearest to the samples); None where they are not known."""
    known = work.remember(("training images", model.identity), lambda: diagnostics.training_images(model))
    return None if known is None else (known, diagnostics.nearest(samples, known))
